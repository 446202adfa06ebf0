# Restore: everything back, again and again, into whatever is there already.

load store_support

setup() {
  new_store
}

# Everything that rsync can tell of two trees.
same() {
  command -v rsync >/dev/null || skip "rsync is not installed"
  run -0 rsync -aHAXS --numeric-ids --delete -n -i --checksum "$1/" "$2/"
  [ -z "$output" ]
}

small_tree() {
  mkdir -p src/a/b src/c
  echo one >src/one
  echo two >src/a/two
  echo three >src/a/b/three
  echo four >src/c/four.txt
  ln -s one src/link
  head -c 3000000 /dev/urandom >src/large
  touch -d '2001-02-03T04:05:06.123456789Z' src/one src/a src
}

# Runs asl as somebody without privilege: this user, or nobody if that is root.
as_nobody() {
  if [ "$(id -u)" -ne 0 ]; then
    asl "$@"
  else
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$ASL_BIN" "$@"
  fi
}

open_to_nobody() {
  chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" 2>/dev/null || true
  as_nobody --version >/dev/null 2>&1 || skip "the program cannot be run by another user here"
}

@test "a tree with everything a file system holds comes back as it was" {
  "$BATS_TEST_DIRNAME/torture-tree" src
  asl ingest src >/dev/null
  run -0 asl restore latest --to out --numeric-ids --verify
  same src out
  [ "$(stat -c %b out/sparse/only-hole)" -eq 0 ]
  # And again: nothing is left to write.
  run -0 asl restore latest --to out --numeric-ids --json
  [ "$(field files_written)" = 0 ]
  same src out
  run -0 find out -name '.asl-restore-*' -path '*[0-9a-f]' -not -path 'out/names/*'
  [ -z "$output" ]
}

@test "a directory, a file and a symlink inside a snapshot can be restored alone" {
  small_tree
  asl ingest src >/dev/null
  run -0 asl restore 1:/a --to dir
  same src/a dir
  run -0 asl restore 1:one --to file
  cmp src/one file/one
  [ "$(ls file)" = one ]
  [ "$(stat -c %y file/one)" = "$(stat -c %y src/one)" ]
  run -0 asl restore latest:link --to file
  [ "$(readlink file/link)" = one ]
}

@test "several sources come back side by side" {
  small_tree
  mkdir other
  echo other >other/file
  asl ingest src other src/one >/dev/null
  run -0 asl restore latest --to out
  same src out/src
  same other out/other
  cmp src/one out/one
}

@test "include and exclude choose what comes back, with the directories above" {
  small_tree
  asl ingest src >/dev/null
  run -0 asl restore latest --to out --include 'three' --include '*.txt'
  [ "$(cd out && find . -type f | sort | tr '\n' ' ')" = "./a/b/three ./c/four.txt " ]
  [ "$(stat -c %y out/a)" = "$(stat -c %y src/a)" ]
  run -0 asl restore latest --to out2 --exclude /a --exclude large
  [ "$(cd out2 && find . -type f | sort | tr '\n' ' ')" = "./c/four.txt ./one " ]
  run -0 asl restore latest --to out3 --include /a --exclude two
  [ "$(cd out3 && find . -type f | sort | tr '\n' ' ')" = "./a/b/three " ]
  run -2 asl restore latest --to out4 --exclude '[bad'
  [[ $output == *"[bad"* ]]
}

@test "what exists is kept, replaced if changed, or always replaced" {
  small_tree
  asl ingest src >/dev/null
  asl restore latest --to out >/dev/null
  echo mine >out/one
  printf 'owt\n' >out/a/two && touch -r src/a/two out/a/two # the same size and mtime
  rm out/c/four.txt
  run -0 asl restore latest --to out --overwrite never --json
  [ "$(field files_written)" = 1 ]
  [ "$(field files_kept)" = 5 ]
  [ "$(cat out/one)" = mine ]
  cmp src/c/four.txt out/c/four.txt
  run -0 asl restore latest --to out --json
  [ "$(field files_written)" = 1 ]
  cmp src/one out/one
  [ "$(cat out/a/two)" = owt ]
  run -0 asl restore latest --to out --overwrite always --json
  [ "$(field files_written)" = 5 ]
  same src out
}

@test "metadata is set again where only that differs" {
  small_tree
  asl ingest src >/dev/null
  asl restore latest --to out >/dev/null
  chmod 600 out/one
  chmod 700 out/a
  setfattr -n user.extra -v x out/large 2>/dev/null || true
  run -0 asl restore latest --to out --json
  [ "$(field files_written)" = 0 ]
  same src out
}

@test "read back, a file with other bytes under the same size and mtime is found" {
  small_tree
  asl ingest src >/dev/null
  asl restore latest --to out >/dev/null
  printf 'owt\n' >out/a/two && touch -r src/a/two out/a/two
  run -5 asl restore latest --to out --verify
  [[ $output == *"a/two"*"does not have its hash"* ]]
  run -0 asl restore latest --to out --verify --overwrite always
}

@test "delete removes what the snapshot does not have, and only that" {
  small_tree
  asl ingest src >/dev/null
  asl restore latest --to out >/dev/null
  mkdir -p out/new/deep out/a/.keep
  touch out/new/deep/file out/a/extra out/a/.keep/it
  ln -s / out/new/root
  run -0 asl restore latest --to out --delete --dry-run --exclude .keep
  [[ $output == *"- new"* ]]
  [[ $output == *"- a/extra"* ]]
  [ -e out/new/deep/file ]
  run -0 asl restore latest --to out --delete --exclude .keep
  [ ! -e out/new ] && [ ! -e out/a/extra ] && [ -e out/a/.keep/it ]
  run -0 asl restore latest --to out --delete
  same src out
}

@test "delete leaves directories alone that the snapshot holds incompletely" {
  open_to_nobody
  mkdir -p src/closed src/open
  touch src/closed/unseen src/open/seen
  chmod 000 src/closed
  mkdir theirs && chmod 777 theirs
  as_nobody --root theirs/root init >/dev/null
  chmod 755 src
  run -1 as_nobody --root theirs/root ingest src
  mkdir -p theirs/out/closed theirs/out/open
  touch theirs/out/closed/precious theirs/out/open/extra
  chmod -R 777 theirs/out
  run as_nobody --root theirs/root restore latest --to theirs/out --delete
  chmod 755 theirs/out/closed src/closed
  [ -e theirs/out/closed/precious ]
  [ ! -e theirs/out/open/extra ]
}

@test "a dry run says what would be done and does nothing" {
  small_tree
  asl ingest src >/dev/null
  run -0 asl restore latest --to out --dry-run
  [[ $output == *"+ a/b/three"* ]]
  [ ! -e out ]
  asl restore latest --to out >/dev/null
  echo changed >out/one
  rm out/large
  run -0 asl restore latest --to out --dry-run
  [[ $output == *"~ one"* ]]
  [[ $output == *"+ large"* ]]
  [[ $output != *"three"* ]]
  [ "$(cat out/one)" = changed ] && [ ! -e out/large ]
}

@test "a symlink in the target never leads out of it" {
  small_tree
  asl ingest src >/dev/null
  mkdir -p out outside
  echo precious >outside/two
  ln -s ../outside out/a
  ln -s ../outside/two out/one
  run -0 asl restore latest --to out
  [ "$(cat outside/two)" = precious ]
  [ "$(ls outside)" = two ]
  same src out
}

@test "things of another type make way, directories only when they are empty or deleted" {
  small_tree
  asl ingest src >/dev/null
  mkdir -p out/one/inside out/large
  echo file >out/c
  run -6 asl restore latest --to out
  [[ $output == *"one"*"not empty"* ]] || [[ $output == *"one"*"in the way"* ]]
  cmp src/large out/large
  cmp src/c/four.txt out/c/four.txt
  run -0 asl restore latest --to out --delete
  same src out
}

@test "a restore that is killed goes on where it stopped" {
  mkdir -p src/many
  for i in $(seq 2000); do echo "$i" >"src/many/$i"; done
  ln src/many/1 src/many/one-again
  head -c 200000000 /dev/urandom >src/large
  asl ingest src >/dev/null
  mkdir out
  echo old >out/large
  for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
    timeout -s KILL "$delay" "$ASL_BIN" restore latest --to out >/dev/null 2>&1 || true
    # What has a name and the right to be read is whole.
    python3 - <<'PYTHON'
import os, stat
for folder, folders, names in os.walk("out"):
    folders[:] = [name for name in folders if name != ".asl-restore-links"]
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith(".asl-restore-") or stat.S_IMODE(os.stat(path).st_mode) == 0o1200:
            continue
        content = open(path, "rb").read()
        assert content in (b"old\n", open("src" + path[3:], "rb").read()), path
PYTHON
  done
  run -0 asl restore latest --to out
  same src out
}

@test "an unfinished file is taken up again even if what exists is to be kept" {
  small_tree
  asl ingest src >/dev/null
  asl restore latest --to out >/dev/null
  head -c 1000 src/large >out/large.part
  mv out/large.part out/large
  chmod 1200 out/large
  run -0 asl restore latest --to out --overwrite never --json
  [ "$(field files_written)" = 1 ]
  same src out
}

@test "what the store has lost is a hole that is named, and comes with the next restore" {
  small_tree
  asl ingest src >/dev/null
  block=$(find root/domains -name '*.bin' -size +100k | head -n 1)
  printf 'damage' | dd of="$block" bs=1 seek=70000 conv=notrunc status=none
  run -5 asl restore latest --to out
  [[ $output == *"large"*"could not be read from the store"* ]]
  [ "$(stat -c %s out/large)" -eq 3000000 ]
  if getfattr -n user.asl.bad_ranges out/large >/dev/null 2>&1; then
    [[ $(getfattr --only-values -n user.asl.bad_ranges out/large) == 0x*-* ]]
  fi
  cmp src/one out/one
  asl ingest src --reread >/dev/null
  run -0 asl restore latest --to out --verify
  same src out
}

@test "a file that was never read is all hole, and said to be" {
  open_to_nobody
  mkdir -p src
  echo secret >src/closed
  echo open >src/open
  chmod 000 src/closed
  chmod 755 src
  mkdir theirs && chmod 777 theirs
  as_nobody --root theirs/root init >/dev/null
  run -1 as_nobody --root theirs/root ingest src
  run -1 as_nobody --root theirs/root restore latest --to theirs/out --json
  [[ $output == *'"partial": 1'* ]]
  [ "$(stat -c %s theirs/out/closed)" -eq 7 ]
  cmp src/open theirs/out/open
}

@test "without privilege owners and devices are reported, and the rest is done" {
  [ "$(id -u)" -eq 0 ] || skip "only root can make the source"
  open_to_nobody
  small_tree
  mkdir theirs && chmod 777 theirs
  mknod src/device c 1 3 || skip "no device can be made here"
  chmod 4755 src/one
  as_nobody --root theirs/root init >/dev/null
  as_nobody --root theirs/root ingest src >/dev/null
  run -6 as_nobody --root theirs/root restore latest --to theirs/out
  [[ $output == *"device"* ]]
  [[ $output == *"cannot set the owner"* ]]
  cmp src/large theirs/out/large
  # Not another user's setuid program.
  [ "$(stat -c %a theirs/out/one)" = 755 ]
  [ "$(stat -c %y theirs/out/one)" = "$(stat -c %y src/one)" ]
}

@test "restoring into the store, or removing from /, is refused" {
  small_tree
  asl ingest src >/dev/null
  run -7 asl restore latest --to root/domains
  run -7 asl restore latest --to root/new
  run -7 asl restore latest --to / --delete --dry-run
}

@test "a missing snapshot, path or target is an error of its own" {
  small_tree
  asl ingest src >/dev/null
  run -4 asl restore 9 --to out
  run -4 asl restore latest:/nothing --to out
  run -2 asl restore latest
  [[ $output == *"--to"* ]]
}

@test "a full disk ends the restore with what to do" {
  [ "$(id -u)" -eq 0 ] || skip "needs a small tmpfs: root"
  small_tree
  asl ingest src >/dev/null
  mkdir small
  mount -t tmpfs -o size=2m none small || skip "no tmpfs can be mounted here"
  run asl restore latest --to small
  umount small
  [ "$status" -eq 9 ]
}
