# Single artifacts: put, get, unpin.

load store_support

setup() {
  new_store
  printf 'hello\n' >a
  printf 'other\n' >b
  hash_a=$(sha256sum <a | cut -d' ' -f1)
  hash_b=$(sha256sum <b | cut -d' ' -f1)
}

@test "put prints what sha256sum would, with the names, and get gives the bytes back" {
  run -0 asl put a b
  [ "${lines[0]}" = "sha256:$hash_a  a" ]
  [ "${lines[1]}" = "sha256:$hash_b  b" ]
  [ "$(asl get "$hash_a" "sha256:${hash_b:0:12}")" = $'hello\nother' ]
  run -0 asl put <a
  [ "$output" = "sha256:$hash_a  -" ]
  run -0 asl put b - --quiet <a
  [ "${#lines[@]}" -eq 2 ]
}

@test "names come from lists of either kind, and what put prints is a list for get" {
  printf 'x\n' >$'new\nline'
  find . -maxdepth 1 -type f -print0 >../list0
  run -0 asl put --files-from ../list0
  [ "${#lines[@]}" -eq 3 ]
  [[ $output == *'./new\nline'* ]]
  printf 'a\nb\n' >names
  asl put --files-from - <names >list
  asl get --files-from list --to back/
  cmp a "back/$hash_a"
  cmp b "back/$hash_b"
  printf 'a' >single
  run -0 asl put --files-from single --null
  [ "$output" = "sha256:$hash_a  a" ]
}

@test "put names what it cannot store and stores the rest" {
  run -1 --separate-stderr asl put a missing b
  [ "${#lines[@]}" -eq 2 ]
  [[ $stderr == *"asl: warning: not stored: cannot open: missing: No such file or directory"* ]]
  run -4 asl put missing
  [ "$output" = "asl: cannot open: missing: No such file or directory" ]
  mkdir dir
  run -2 asl put dir
  [[ $output == *"asl: a directory is not an artifact: dir"*"try: asl ingest"* ]]
  run -1 --separate-stderr asl put --json a missing
  [ "$(field artifacts 1 error)" = "cannot open: missing: No such file or directory" ]
  [ "$(field artifact_count)" = 1 ]
  [ "$(field complete)" = true ]
}

@test "a batch of netstrings is stored in order" {
  { printf '6:' && cat a && printf ',6:' && cat b && printf ',0:,'; } >batch
  run -0 asl put --batch <batch
  [ "${lines[0]}" = "sha256:$hash_a" ]
  [ "${lines[1]}" = "sha256:$hash_b" ]
  [ "${lines[2]}" = "sha256:$(sha256sum </dev/null | cut -d' ' -f1)" ]
  run -0 asl put --batch </dev/null
  [ -z "$output" ]
}

@test "a batch that breaks off is stored up to there and says where" {
  run -8 --separate-stderr asl put --batch < <(printf '6:' && cat a && printf ',6:oth')
  [ "$output" = "sha256:$hash_a" ]
  [ "$stderr" = "asl: a batch ends within a netstring: standard input at offset 9" ]
  run -8 --separate-stderr asl put --batch --json <<<"6:hello"
  [ "$(field complete)" = false ]
  asl get "$hash_a" | cmp - a
  run -2 asl put --batch a
}

@test "typed artifacts have their own references, and the store's types are not to be had" {
  run -0 asl put --type 0x00c0ffee a
  [[ $output == asl1:*"  a" ]]
  ref=${output%% *}
  asl get "$ref" | cmp - a
  run -0 asl stat "$ref" --json
  [ "$(field artifact type_tag)" = 0x00c0ffee ]
  asl get "$ref" --to d/
  cmp a "d/asl1-${ref#asl1:}"
  run -7 asl put --type 0x00a50001 a
  run -2 asl put --type seven a
}

@test "get refuses what it cannot name, find or overwrite" {
  asl put a >/dev/null
  run -4 asl get ffffffffffff
  [ "$output" = "asl: no artifact starts so: ffffffffffff" ]
  run -8 asl get xyz
  run -2 asl get
  run -2 asl get "$hash_a" --json
  [[ $output == *"--json needs --to"* ]]
  run -0 asl get "$hash_a" --to out
  [ "$output" = "sha256:$hash_a  out" ]
  echo mine >out
  run -7 asl get "$hash_a" --to out
  [[ $output == *"asl: a file of this name exists: out"* ]]
  [ "$(cat out)" = mine ]
  run -0 asl get "$hash_a" --to out --overwrite --json
  [ "$(field artifacts 0 length)" = 6 ]
  cmp a out
  ln -s nowhere link
  run -7 asl get "$hash_a" --to link
  [ -L link ]
}

@test "get into a directory gets what it can and exits as the first failure" {
  asl put a b >list
  sed -i '1i sha256:00000000000000000000000000000000000000000000000000000000000000ff  gone' list
  run -4 --separate-stderr asl get --files-from list --to back
  [ "${#lines[@]}" -eq 2 ]
  [[ $stderr == *"not written: no such artifact: sha256:0000"* ]]
  cmp b "back/$hash_b"
}

@test "a long run of zeros is a hole in the file that get writes" {
  truncate -s 20M sparse
  echo end >>sparse
  ref=$(asl put sparse | cut -d' ' -f1)
  asl get "$ref" --to back
  cmp sparse back
  [ "$(du -k back | cut -f1)" -lt 100 ]
  asl get "$ref" | cmp - sparse
}

@test "damage is an error that names block and offset, and leaves no file" {
  asl put a >/dev/null
  block=$(find root -name '*.bin')
  printf X | dd of="$block" bs=1 seek=1 conv=notrunc status=none
  run -5 --separate-stderr asl get "$hash_a" --to out
  [[ $stderr == *"$block at offset 0"* ]]
  [ ! -e out ]
  run -0 find . -name 'out*'
  [ -z "$output" ]
  asl put a
  asl get "$hash_a" | cmp - a
}

@test "put pins, unpin takes the pin away, and put pins again" {
  asl put a b >list
  run -0 asl unpin "$hash_a"
  [ "$output" = "sha256:$hash_a  unpinned" ]
  run -0 asl stat "$hash_a" --json
  [ "$(field artifact pinned)" = false ]
  run -0 asl unpin --files-from list --json
  [ "$(field unpinned_count)" = 1 ]
  run -0 asl log
  [[ $output == *"ARTIFACT_UNPIN"*"sha256:$hash_a unpinned"* ]]
  asl put a >/dev/null
  run -0 asl stat "$hash_a" --json
  [ "$(field artifact pinned)" = true ]
  run -4 asl unpin "$hash_a" 00000000ff
  run -0 asl stat "$hash_a" --json
  [ "$(field artifact pinned)" = true ]
  run -2 asl unpin
}

# locked_by_another COMMAND...: while somebody else holds the domain's write lock.
locked_by_another() {
  python3 -c '
import fcntl, struct, subprocess, sys
F_OFD_SETLK = 37
with open(sys.argv[1], "r+b") as lock:
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    sys.exit(subprocess.run(sys.argv[2:]).returncode)
' root/domains/*/store/lock "$@"
}

@test "a store that another writes to is left alone, and can be read" {
  asl put a >/dev/null
  run -3 locked_by_another "$ASL_BIN" put b
  [[ $output == *"try: another asl is writing to this domain; wait for it to finish"* ]]
  run -3 locked_by_another "$ASL_BIN" unpin "$hash_a"
  run -0 locked_by_another "$ASL_BIN" get "$hash_a"
  [ "$output" = hello ]
}

@test "a file that was read in part is refused with its gaps named, or filled, or shown as it is stored" {
  [ "$(id -u)" != 0 ] || skip "root can read everything"
  mkdir src
  head -c 5000 /dev/zero >src/locked
  chmod 0 src/locked
  asl ingest src >/dev/null || [ $? -eq 1 ]
  run -0 asl stat latest:locked --json
  ref=$(field entry content)
  [[ $ref == asl1:* ]]
  run -5 --separate-stderr asl get "$ref"
  [[ $stderr == *"these bytes were never read from the source: 0-4999"*"try: asl get --fill-gaps"* ]]
  [ -z "$output" ]
  asl get "$ref" --fill-gaps | cmp - <(head -c 5000 /dev/zero)
  [[ $(asl get "$ref" --raw | tr -d '\0') == *asl-partial* ]]
  run -2 asl get "$ref" --raw --fill-gaps
}
