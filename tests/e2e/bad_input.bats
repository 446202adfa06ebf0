# What is broken, foreign, full, locked or gone: every case has its exit code, a message that names the object and the
# reason, and a next step where one is known. Afterwards the store verifies and gives back what was committed.

load store_support

setup() {
  new_store
  domain=$(echo "$ASL_ROOT"/domains/*)
  mkdir -p src/d
  echo hello >src/hello
  head -c 300000 /dev/urandom >src/d/large
  asl ingest src --label first >/dev/null
  cleanup=()
}

teardown() {
  local command
  for command in "${cleanup[@]}"; do $command; done
}

# Changes the bytes at an offset of a file; a negative offset counts from its end.
change() {
  python3 - "$@" <<'PYTHON'
import sys
path, offset = sys.argv[1], int(sys.argv[2])
with open(path, 'r+b') as file:
    file.seek(offset, 0 if offset >= 0 else 2)
    old = file.read(1)
    file.seek(-1, 1)
    file.write(bytes([old[0] ^ 0x40]))
PYTHON
}

block_of() {
  asl stat --json --extents "latest:$1" | python3 -c '
import json, sys
print(next(extent["block"] for extent in json.load(sys.stdin)["artifact"]["extents"] if not extent["hole"]))'
}

path_of_block() {
  echo "$domain/store/blocks/${1:0:2}/$1.$2"
}

# refused CODE TEXT... : what the last `run` must have said.
refused() {
  local code=$1 text
  shift
  echo "$output"
  [ "$status" -eq "$code" ]
  for text; do [[ $output == *"$text"* ]]; done
}

# Everything of the first snapshot comes back, and nothing is wrong with the store.
whole_again() {
  run -0 asl verify --data --artifacts
  gives_back
}

gives_back() {
  rm -rf back
  run -0 asl restore first --to back
  diff -r src back
}

need_root() {
  [ "$(id -u)" -eq 0 ] || skip "needs root: $1"
}

as_nobody() {
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  setpriv --reuid=65534 --regid=65534 --clear-groups "$ASL_BIN" "$@"
}

# mount_new SIZE DIRECTORY: a new small file system there.
mount_new() {
  need_root "a loop mount"
  command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
  truncate -s "$1" "$2.image"
  mkfs.ext4 -q "$2.image"
  mkdir -p "$2"
  mount -o loop "$2.image" "$2" || skip "no loop device can be mounted here"
  cleanup+=("umount -l $BATS_TEST_TMPDIR/$2")
}

# ---- the store's own files ----

@test "a layout of an unknown major version is refused, one of a higher minor version is read-only" {
  for layout in "$ASL_ROOT/host/layout" "$domain/layout"; do
    echo 'asl-layout 2.0' >"$layout"
    for command in "ls latest" "ingest src" "verify"; do
      run asl $command
      refused 10 "2.0" "$layout" "try: "
    done
    echo 'asl-layout 1.9' >"$layout"
    run -0 asl ls latest
    run -0 asl verify --data
    gives_back
    if [[ $layout == "$domain/layout" ]]; then
      run asl ingest src
      refused 7 "$domain"
      run asl snapshot label 1 other
      refused 7 "$domain"
    else
      run asl domain create other
      refused 7 "$ASL_ROOT"
    fi
    for broken in '' 'something else' 'asl-layout 1'; do
      echo "$broken" >"$layout"
      run asl ls latest
      refused 5 "$layout"
    done
    echo 'asl-layout 1.0' >"$layout"
  done
  whole_again
}

@test "a domain without its layout or directory is missed, and never taken for another" {
  asl domain create other
  mv "$domain" away
  for command in "ls latest" "ingest src" "verify"; do
    run asl $command
    refused 5 "$domain/layout" "try: "
  done
  run -0 asl snapshots --domain other
  mv away "$domain"
  rm "$domain/layout"
  run asl snapshots
  refused 5 "$domain/layout" "try: "
  echo 'asl-layout 1.0' >"$domain/layout"
  asl verify --domain local
}

@test "a root without its layout line, or an empty one, is no store" {
  mv "$ASL_ROOT/host/layout" away
  run asl ls latest
  refused 4 "$ASL_ROOT" "try: asl init"
  run asl --root nowhere ls latest
  refused 4 nowhere "try: asl init"
  mv away "$ASL_ROOT/host/layout"
  echo junk >"$ASL_ROOT/host/domains"
  run asl ls latest
  refused 5 "$ASL_ROOT/host/domains"
  : >"$ASL_ROOT/host/domains"
  whole_again
}

@test "derived files may be damaged, truncated or gone" {
  asl ingest src >/dev/null
  cp -a "$ASL_ROOT" kept
  derived=(domain.json log/head snapshots/snapshot-1.meta store/index/bloom-1.bf store/lock store/reserve)
  for file in "${derived[@]}"; do
    for harm in flip cut remove; do
      case $harm in
        flip) [ ! -s "$domain/$file" ] || change "$domain/$file" 5 ;;
        cut) [ ! -s "$domain/$file" ] || truncate -s 3 "$domain/$file" ;;
        remove) rm "$domain/$file" ;;
      esac
      run asl verify --data
      [ "$status" -eq 0 ] || { echo "$file: $harm"; echo "$output"; false; }
      gives_back
      run -0 asl ingest src
      whole_again
      rm -rf "$ASL_ROOT"
      cp -a kept "$ASL_ROOT"
    done
  done
}

@test "a damaged or lost index cache is made again, the stat cache in it too" {
  cache=$domain/store/cache
  for harm in current table manifest foreign files directory; do
    case $harm in
      current) echo junk >"$cache/index/CURRENT" ;;
      table) for table in "$cache"/index/*.sst; do change "$table" 50; done ;;
      manifest) for manifest in "$cache"/index/MANIFEST-*; do truncate -s 10 "$manifest"; done ;;
      foreign) rm -r "$cache/index" && echo "not a directory" >"$cache/index" ;;
      files) rm "$cache"/index/* ;;
      directory) rm -r "$cache" ;;
    esac
    run -0 asl ls latest
    run asl ingest src --json --quiet
    [ "$status" -eq 0 ] || { echo "$harm"; echo "$output"; false; }
    whole_again
    # And the stat cache works again. These files are older than what it takes for still changing.
    run -0 asl ingest "$BATS_TEST_DIRNAME" --quiet
    run -0 --separate-stderr asl ingest "$BATS_TEST_DIRNAME" --json
    [ "$(field files_unchanged)" -gt 3 ]
  done
}

@test "a log that is cut, changed, foreign or gone makes the store read-only, and what verifies is shown" {
  log=$(echo "$domain"/log/*.aol)
  asl ingest src --label second >/dev/null
  cp "$log" kept
  # The newest group, which head vouches for.
  change "$log" -10
  run --separate-stderr asl snapshots
  [ "$status" -eq 0 ]
  [[ $stderr == *"$log"* ]]
  [[ $output == *first* && $output != *second* ]]
  gives_back
  for command in "ingest src" "snapshot label 1 other"; do
    run asl $command
    refused 5 "$log" "try: "
  done
  run asl verify
  refused 5 "log: " "$log" "try: "
  cp kept "$log"
  truncate -s 5000 "$log"
  run asl ls latest
  refused 5 "$log" "try: "
  asl --root other init >/dev/null
  cp other/domains/*/log/*.aol "$log"
  run asl ls latest
  refused 5 "$domain/log"
  rm "$log"
  run asl ls latest
  refused 5 "$domain/log"
  cp kept "$log"
  whole_again
}

@test "a segment that is cut, changed, of another version or gone costs nothing that is ingested again" {
  segment=$domain/store/index/segment-1.idx
  cp -a "$ASL_ROOT" kept
  for harm in magic version record sums footer cut empty gone; do
    case $harm in
      magic) change "$segment" 0 ;;
      version) change "$segment" 8 ;;
      record) change "$segment" 150 ;;
      sums) change "$segment" -56 ;;
      footer) change "$segment" -5 ;;
      cut) truncate -s 1000 "$segment" ;;
      empty) : >"$segment" ;;
      gone) rm "$segment" ;;
    esac
    # The footer is there for verify; every page of it reads back right.
    if [[ $harm != footer ]]; then
      run asl restore first --to nowhere
      refused 5 "$segment" "try: "
    fi
    run asl verify
    refused 5 "segment: " "$segment" "try: " "ingest the originals again"
    run -0 asl ingest src --label again
    [[ $output == *"segment 1"* ]]
    rm -rf back
    run -0 asl restore again --to back
    diff -r src back
    # Now only the segment itself is missed, and once it is back nothing is.
    run asl verify --data --artifacts --json
    [ "$status" -eq 5 ]
    run -0 python3 -c '
import json, sys
kinds = {(finding["kind"], bool(finding["files"])) for finding in json.load(sys.stdin)["findings"]}
assert ("segment", False) in kinds, kinds
assert all(kind in ("segment", "missing") for kind, _ in kinds), kinds' <<<"$output"
    cp "kept/domains/${domain##*/}/store/index/segment-1.idx" "$segment"
    whole_again
    rm -rf "$ASL_ROOT"
    cp -a kept "$ASL_ROOT"
  done
}

@test "a block that is cut, changed or gone is named with its files and healed by ingesting the original" {
  id=$(block_of d/large)
  block=$(path_of_block "$id" bin)
  for harm in flip cut gone directory; do
    case $harm in
      flip) change "$block" 70000 ;;
      cut) truncate -s 4096 "$block" ;;
      gone) rm "$block" ;;
      directory) rm -r "${block%/*}" ;;
    esac
    run asl cat first:d/large
    if [[ $harm == flip || $harm == cut ]]; then refused 5 "$block" "try: "; else refused 4 "$block" "try: "; fi
    run asl verify --data
    refused 5 "$id" "file 1:/d/large" "try: " "ingest the original again"
    run -0 asl ingest src
    whole_again
  done
}

@test "an unchanged file is not taken from the stat cache when the store has lost it" {
  run -0 asl ingest "$BATS_TEST_DIRNAME" --label own
  run -0 --separate-stderr asl ingest "$BATS_TEST_DIRNAME" --json
  [ "$(field files_unchanged)" -gt 3 ]
  for harm in flip gone; do
    block=$(path_of_block "$(block_of bad_input.bats)" bin)
    case $harm in
      flip) change "$block" 1000; run -5 asl verify --data ;;
      gone) rm "$block"; run -4 asl cat own:bad_input.bats ;;
    esac
    run -0 --separate-stderr asl ingest "$BATS_TEST_DIRNAME" --json
    for file in "$BATS_TEST_DIRNAME"/*; do asl cat "own:${file##*/}" | cmp - "$file"; done
    # Healed, it is taken for unchanged again.
    asl ingest "$BATS_TEST_DIRNAME" >/dev/null
    run -0 --separate-stderr asl ingest "$BATS_TEST_DIRNAME" --json
    [ "$(field files_unchanged)" -gt 3 ]
  done
}

@test "a block's metadata is derived" {
  meta=$(path_of_block "$(block_of d/large)" meta)
  cp "$meta" kept
  for harm in flip cut gone; do
    case $harm in
      flip) change "$meta" 30 ;;
      cut) truncate -s 20 "$meta" ;;
      gone) rm "$meta" ;;
    esac
    gives_back
    run asl verify
    refused 5 "metadata: " "$meta" "nothing is lost"
    cp kept "$meta"
  done
  whole_again
}

@test "junk in the list of damage, and directories that somebody removed" {
  echo junk >"$domain/store/damaged"
  run -0 asl ingest src
  rm -r "$domain/store/tmp" "$domain/store/lost" "$domain/snapshots"
  run -0 asl ingest src
  whole_again
  mv "$domain/store" away
  run asl ingest src
  refused 5 "$domain/store" "try: "
  mv away "$domain/store"
  whole_again
}

# ---- a store that cannot be written ----

@test "a full disk is told as such, and what was committed stays" {
  mount_new 40M small
  export ASL_ROOT=$BATS_TEST_TMPDIR/small/root
  asl init >/dev/null
  asl ingest src --label first >/dev/null
  head -c 60000000 /dev/urandom >much
  run asl ingest much
  refused 9 "No space left on device" "$ASL_ROOT" "try: free space"
  whole_again
  run -0 asl ingest src
}

@test "a store that is mounted read-only can be looked at, verified and restored" {
  need_root "a bind mount"
  mkdir view
  mount --bind root view || skip "nothing can be mounted here"
  cleanup+=("umount -l $BATS_TEST_TMPDIR/view")
  mount -o remount,ro,bind view
  export ASL_ROOT=$BATS_TEST_TMPDIR/view
  run -0 asl ls latest
  run asl ingest src
  refused 6 "$ASL_ROOT" "Read-only file system" "try: "
  run asl snapshot label 1 other
  refused 6 "$ASL_ROOT" "Read-only file system" "try: "
  whole_again
  # Damage found cannot be noted, and is told all the same.
  change "root/${domain#"$BATS_TEST_TMPDIR/root/"}/store/index/segment-1.idx" 150
  run asl verify
  refused 5 "segment: " "try: "
}

@test "a store that is locked says by whom" {
  mkfifo pipe
  exec 7<>pipe
  "$ASL_BIN" ingest --stdin name <pipe >/dev/null 2>&1 7>&- &
  pid=$!
  # The writer's own name in the lock file, or the lock would not be there yet.
  for ((tries = 0; tries < 200; tries++)); do
    [[ $(cat "$domain/store/lock") == "process $pid on "* ]] && break
    read -r -t 0.05 <>"$BATS_TEST_TMPDIR/pipe.clock" || true
  done
  for command in "ingest src" "snapshot label 1 other"; do
    run asl $command
    refused 3 "process $pid on" "$domain/store/lock" "try: "
  done
  run -0 asl verify
  exec 7>&-
  wait "$pid" || true
  run -0 asl snapshot label 1 other
  run -0 asl snapshot label 1 first
  whole_again
}

# ---- sources ----

@test "what may not be read is listed, and a source that may not be read at all is an error" {
  need_root "another user"
  mkdir -p open/closed public
  echo a >open/a
  echo secret >open/secret
  chmod 600 open/secret
  chmod 700 open/closed
  chmod 777 public
  chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" open
  export ASL_ROOT=$BATS_TEST_TMPDIR/public/root
  as_nobody init >/dev/null 2>&1 || skip "the program cannot be run by another user here"
  run as_nobody ingest open
  refused 1 "open/closed: open: Permission denied" "open/secret: open: Permission denied"
  run -0 as_nobody ls -l latest
  [[ $output == *closed*not-fully-listed* && $output == *secret*partial* ]]
  run as_nobody ingest open/secret
  refused 6 "open/secret" "Permission denied"
  run as_nobody ingest open/closed
  refused 6 "open/closed" "Permission denied"
  export ASL_ROOT=$BATS_TEST_TMPDIR/root
  chmod 700 "$ASL_ROOT"
  run as_nobody ls latest
  refused 6 "$ASL_ROOT" "Permission denied"
  export ASL_ROOT=$BATS_TEST_TMPDIR/public/root
  run -0 as_nobody verify --data
}

@test "a device with unreadable sectors becomes a partial with a gap there" {
  need_root "a loop device"
  head -c 8388608 /dev/urandom >disk
  loop=$(losetup --show -f disk) || skip "there is no loop device"
  cleanup+=("losetup -d $loop")
  # Sectors of the device that no longer have a file behind them fail with EIO.
  truncate -s 5M disk
  run asl ingest "$loop"
  refused 1 "$loop" "Input/output error"
  name=${loop##*/}
  run -0 asl ls -l latest
  [[ $output == *8388608*partial* ]]
  run asl cat "latest:$name"
  [ "$status" -ne 0 ]
  run -0 asl verify --data --artifacts
  run asl restore latest --to back
  cmp -n 5242880 disk "back/$name"
}

@test "a source that is changed while it is read is read again, then kept, flagged and listed" {
  mkdir changing
  head -c 60000000 /dev/urandom >changing/file
  (while [ ! -e stop ]; do printf x >>changing/file; done) &
  writer=$!
  run asl ingest changing
  touch stop
  wait "$writer"
  refused 1 "changing/file: changed while read"
  run -0 asl ls -l latest
  [[ $output == *file*changed* ]]
  whole_again
}

@test "a source that vanishes midway is listed and left out" {
  mkdir -p going/dir
  for ((k = 0; k < 2000; k++)); do echo "$k" >"going/dir/$k"; done
  head -c 30000000 /dev/urandom >going/a
  # It takes names away until the ingest is over, and puts them back for the next round.
  (while [ ! -e stop ]; do mv going/dir away; mv away going/dir; rm -f going/dir/1*; for k in 1 10 100 1000; do echo "$k" >"going/dir/$k"; done; done) &
  mover=$!
  for ((k = 0; k < 5; k++)); do
    run asl ingest going
    [ "$status" -eq 0 ] || [ "$status" -eq 1 ] || { echo "$output"; break; }
  done
  touch stop
  wait "$mover"
  [ "$status" -le 1 ]
  run -0 asl verify --data
  run asl ingest going/none
  refused 4 "going/none" "No such file"
  gives_back
}

@test "symlink loops are kept as links, and refused as a source" {
  mkdir -p loops/x
  ln -s . loops/self
  ln -s ../../loops loops/x/up
  ln -s two loops/one
  ln -s one loops/two
  run -0 asl ingest loops
  run -0 asl restore latest --to back2
  diff -r --no-dereference loops back2
  run asl ingest loops/one
  refused 6 "loops/one" "Too many levels of symbolic links"
}

@test "a store never holds itself" {
  mkdir outer
  cp -a src outer/src
  mv root outer/root
  export ASL_ROOT=$BATS_TEST_TMPDIR/outer/root
  run -0 asl ingest outer --json
  [ "$(field excluded)" = 1 ]
  run -0 asl find --snapshot latest '*' || true
  run -0 asl tree latest
  [[ $output == *root* && $output != *segment* ]]
  for inside in outer/root outer/root/domains outer/root/host/host-id; do
    run asl ingest "$inside"
    refused 7 "$inside" "inside the store" "try: "
  done
  # By another name too.
  ln -s outer/root link
  run asl ingest link/domains
  refused 7 "link/domains"
  whole_again
}

@test "an empty directory, and names of every byte there may be, come back" {
  mkdir empty
  run -0 asl ingest empty
  run -0 asl restore latest --to back-empty
  [ -z "$(ls -A back-empty)" ]
  python3 - <<'PYTHON'
import os
os.mkdir(b'names')
for byte in range(1, 256):
    if byte != ord('/') and byte != ord('.'):
        open(b'names/' + bytes([byte]), 'wb').close()
open(b'names/two\nlines\n', 'wb').close()
open(b'names/' + b'\xff' * 255, 'wb').close()
os.mkdir(b'names/\xc3\x28')
PYTHON
  run -0 asl ingest names
  run -0 asl restore latest --to back-names
  diff <(cd names && find . -print0 | sort -z | xxd) <(cd back-names && find . -print0 | sort -z | xxd)
  run -0 asl ingest $'names/two\nlines\n' --label $'odd'
  run -0 asl cat $'odd:two\nlines\n'
}
