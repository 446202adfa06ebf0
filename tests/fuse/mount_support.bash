# For tests that mount: load it after ../e2e/store_support, call need_fuse in setup and clean_mounts in teardown.

need_fuse() {
  [ "$(id -u)" -eq 0 ] || skip "mounting in tests needs root"
  [ -c /dev/fuse ] || skip "there is no /dev/fuse"
  mkdir "$BATS_TEST_TMPDIR/mnt"
  mnt=$BATS_TEST_TMPDIR/mnt
  log=$BATS_TEST_TMPDIR/mount.log
}

clean_mounts() {
  if [ -n "${mnt-}" ] && mountpoint -q "$mnt"; then umount -l "$mnt"; fi
}

mount_it() {
  # No descriptor of bats may live on in the process in the background.
  asl mount "$mnt" --log "$log" "$@" 3>&- 4>&-
}

# Waits until a command succeeds; fails after ten seconds.
eventually() {
  local deadline=$((SECONDS + 10))
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    read -rt 0.05 <><(:) || true
  done
}

# The process that serves $mnt.
daemon_pid() {
  local directory
  for directory in /proc/[0-9]*; do
    if tr '\0' '\n' <"$directory/cmdline" 2>/dev/null | grep -qxF -- "$mnt"; then
      [ "$(readlink "$directory/exe")" = "$(realpath "$ASL_BIN")" ] && basename "$directory" && return
    fi
  done
  return 1
}

# Everything that find can tell of a tree and that ingest keeps, a line for each entry. The size of a directory is the
# file system's own affair.
described() {
  (cd "$1" && find . -type d -printf '%P\t%y\t%m\t%U\t%G\t%T@\t%n\n' \
    -o -printf '%P\t%y\t%m\t%U\t%G\t%s\t%T@\t%l\t%n\n' | LC_ALL=C sort)
}

attributes_of() {
  (cd "$1" && find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - --)
}

archived() {
  (cd "$1" && tar --sort=name --acls --format=pax \
    --pax-option=exthdr.name=%d/%f,delete=atime,delete=ctime -cf - . 2>/dev/null | sha256sum)
}

# Changes one byte of the stored block that holds what lies at OFFSET of FILE.
damage_stored() {
  python3 - "$ASL_ROOT" "$1" "$2" <<'PY'
import glob, sys
root, path, offset = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, "rb") as file:
    file.seek(offset)
    needle = file.read(64)
for block in glob.glob(root + "/domains/*/store/blocks/*/*.bin"):
    with open(block, "r+b") as file:
        at = file.read().find(needle)
        if at >= 0:
            file.seek(at)
            first = file.read(1)[0]
            file.seek(at)
            file.write(bytes([first ^ 1]))
            sys.exit(0)
sys.exit("the bytes are in no block")
PY
}
