# What the mounted view shows, compared with what was ingested.

load ../e2e/store_support
load mount_support

setup() {
  new_store
  need_fuse
}

teardown() {
  clean_mounts
}

@test "a mounted snapshot is equal to its source, whatever asks" {
  command -v rsync >/dev/null || skip "rsync is not installed"
  "$BATS_TEST_DIRNAME/../e2e/torture-tree" src
  asl ingest src >/dev/null
  mount_it
  run -0 rsync -aHAXS --numeric-ids --delete -n -i --checksum src/ "$mnt/local/snapshots/1/"
  [ -z "$output" ]
  run -0 diff <(described src) <(described "$mnt/local/latest/")
  run -0 diff <(attributes_of src) <(attributes_of "$mnt/local/latest/")
  [ "$(archived src)" = "$(archived "$mnt/local/latest/")" ]
  # Nothing of all this met anything wrong.
  [ ! -s "$log" ]
  asl umount "$mnt"
  ! mountpoint -q "$mnt"
}

@test "hard links share an inode number, and numbers are the same in the next mount" {
  strange_tree
  asl ingest src >/dev/null
  mount_it latest
  [ "$(stat -c %i "$mnt/plain")" = "$(stat -c %i "$mnt/sub/hard")" ]
  [ "$(stat -c %i "$mnt/plain")" != "$(stat -c %i "$mnt/-n")" ]
  (cd "$mnt" && find . -printf '%i %P\n') >first
  # Numbers of listings are those of stat.
  (cd "$mnt" && ls -1Ui sub) >listed
  (cd "$mnt/sub" && stat -c '%i %n' ./* | sed 's|\./||') >asked
  diff <(sed 's/^ *//' listed | sort) <(sort asked)
  asl umount "$mnt"
  mount_it latest
  # Asked by path, not by walking: from the root down, without what a listing would have brought.
  (cd "$mnt" && stat -c '%i %n' sub/deep/file sub/large) >second
  while read -r inode name; do grep -qxF "$inode $name" first; done <second
  diff first <(cd "$mnt" && find . -printf '%i %P\n')
}

@test "holes are holes, and sparse files of more than 4 GiB read right" {
  mkdir src
  printf 'begin' >src/big
  truncate -s 5G src/big
  printf 'end' >>src/big
  truncate -s 3M src/holes
  printf 'x' | dd of=src/holes bs=1 seek=2000000 conv=notrunc status=none
  asl ingest src >/dev/null
  mount_it latest
  [ "$(stat -c %s "$mnt/big")" -eq $((5 * 1024 * 1024 * 1024 + 3)) ]
  [ "$(stat -c %b "$mnt/big")" -lt 100 ]
  [ "$(tail -c 3 "$mnt/big")" = end ]
  [ "$(head -c 5 "$mnt/big")" = begin ]
  run -0 python3 - src/holes "$mnt/holes" <<'PY'
import errno, os, sys
def layout(path):
    file, at, found = os.open(path, os.O_RDONLY), 0, []
    try:
        while True:
            data = os.lseek(file, at, os.SEEK_DATA)
            at = os.lseek(file, data, os.SEEK_HOLE)
            found.append((data, at))
    except OSError as error:
        assert error.errno == errno.ENXIO
    return found
source, shown = layout(sys.argv[1]), layout(sys.argv[2])
assert len(source) == 1 and source == shown, (source, shown)
PY
  cmp src/holes "$mnt/holes"
}

@test "our own attributes answer, and are not listed" {
  strange_tree
  setfattr -n user.mine -v yes src/plain || skip "no user attributes here"
  asl ingest src >/dev/null
  mount_it latest
  [ "$(getfattr --only-values -n user.asl.sha256 "$mnt/plain")" = "$(sha256sum <src/plain | cut -c1-64)" ]
  [ "$(getfattr --only-values -n user.asl.ref "$mnt/plain")" = "sha256:$(sha256sum <src/plain | cut -c1-64)" ]
  [ "$(getfattr --only-values -n user.asl.snapshot "$mnt")" = 1 ]
  [ "$(getfattr --only-values -n user.asl.partial "$mnt")" = 0 ]
  run -0 getfattr -d -m - "$mnt/plain"
  [[ $output == *user.mine* && $output != *user.asl* ]]
  run -1 getfattr -n user.asl.bad_ranges "$mnt/plain"
  run -1 getfattr -n user.other "$mnt/plain"
}

@test "every call that would change something answers EROFS" {
  strange_tree
  asl ingest src >/dev/null
  mount_it latest
  python3 - "$mnt" <<'PY'
import errno, os, sys
os.chdir(sys.argv[1])
calls = {
    "open for writing": lambda: os.open("plain", os.O_WRONLY),
    "open for both": lambda: os.open("plain", os.O_RDWR),
    "create": lambda: os.open("new", os.O_CREAT | os.O_WRONLY),
    "truncate": lambda: os.truncate("plain", 0),
    "mkdir": lambda: os.mkdir("new"),
    "rmdir": lambda: os.rmdir("empty"),
    "unlink": lambda: os.unlink("plain"),
    "rename": lambda: os.rename("plain", "new"),
    "link": lambda: os.link("plain", "new"),
    "symlink": lambda: os.symlink("plain", "new"),
    "mknod": lambda: os.mknod("new", 0o010600),
    "chmod": lambda: os.chmod("plain", 0),
    "chown": lambda: os.chown("plain", 1, 1),
    "utime": lambda: os.utime("plain"),
    "setxattr": lambda: os.setxattr("plain", "user.new", b"1"),
    "removexattr": lambda: os.removexattr("plain", "user.new"),
}
for name, call in calls.items():
    try:
        call()
    except OSError as error:
        assert error.errno == errno.EROFS, (name, error)
    else:
        raise AssertionError(name)
PY
  # And from the process itself, should the mount be made writable.
  mount -i -o remount,rw "$mnt"
  run ! touch "$mnt/plain"
  [[ $output == *"Read-only file system"* ]]
  run ! mkdir "$mnt/new"
  [[ $output == *"Read-only file system"* ]]
}

@test "special files are shown and do nothing" {
  mkdir src
  mknod src/null c 1 3 || skip "devices cannot be made here"
  mkfifo src/fifo
  asl ingest src >/dev/null
  mount_it latest
  [ "$(stat -c '%F %t %T' "$mnt/null")" = "character special file 1 3" ]
  [ "$(stat -c %F "$mnt/fifo")" = fifo ]
  run -1 head -c 1 "$mnt/null"
  [[ $output == *"Permission denied"* ]]
  [[ $(findmnt -no OPTIONS "$mnt") == *nosuid*nodev* ]]
}

@test "the kernel checks access, and root's mount is open to others" {
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
  mkdir src
  echo open >src/open && echo closed >src/closed && echo listed >src/listed
  chmod 644 src/open && chmod 600 src/closed src/listed
  setfacl -m u:65534:r src/listed || skip "no ACLs here"
  asl ingest src >/dev/null
  mnt=$(mktemp -d)
  chmod 755 "$mnt"
  mount_it latest
  [ "$(as_nobody cat "$mnt/open")" = open ]
  run -1 as_nobody cat "$mnt/closed"
  [[ $output == *"Permission denied"* ]]
  [ "$(as_nobody cat "$mnt/listed")" = listed ]
  asl umount "$mnt"
  mount_it
  # Who knows a digest does not get the bytes by it.
  run -1 as_nobody cat "$mnt/local/blobs/$(sha256sum <src/closed | cut -c1-64)"
  [[ $output == *"Permission denied"* ]]
  asl umount "$mnt"
  rmdir "$mnt"
}

@test "a directory of very many names lists whole, and can be gone on with anywhere" {
  local count=60000
  if [ -n "${ASL_LONG_TESTS-}" ]; then count=1000000; fi
  mkdir -p src/many
  python3 - src/many "$count" <<'PY'
import os, sys
os.chdir(sys.argv[1])
for number in range(int(sys.argv[2])):
    os.close(os.open("name-%07d" % number, os.O_CREAT | os.O_WRONLY))
PY
  asl ingest src >/dev/null
  mount_it latest
  [ "$(find "$mnt/many" -type f | wc -l)" -eq "$count" ]
  diff <(ls -1U src/many | sort) <(ls -1U "$mnt/many")
  python3 - "$mnt/many" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = ctypes.c_void_p
libc.telldir.argtypes = [ctypes.c_void_p]
libc.telldir.restype = ctypes.c_long
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
libc.readdir.argtypes = [ctypes.c_void_p]
libc.readdir.restype = ctypes.c_void_p
def name(directory):
    entry = libc.readdir(directory)
    return ctypes.string_at(entry + 19) if entry else None
directory = libc.opendir(os.fsencode(sys.argv[1]))
places = []
while True:
    place = libc.telldir(directory)
    entry = name(directory)
    if entry is None:
        break
    places.append((place, entry))
for place, entry in places[::4999][::-1]:
    libc.seekdir(directory, place)
    assert name(directory) == entry, (place, entry)
PY
}

@test "the tree around the snapshots: names, labels, blobs, facts" {
  mkdir src
  echo one >src/file
  asl ingest src --label first >/dev/null
  mount_it
  [ "$(ls "$mnt")" = local ]
  [ "$(ls -A "$mnt/local" | tr '\n' ' ')" = ".asl blobs by-label latest snapshots " ]
  [ "$(readlink "$mnt/local/by-label/first")" = ../snapshots/1 ]
  [ "$(readlink "$mnt/local/latest")" = snapshots/1 ]
  [ "$(cat "$mnt/local/by-label/first/file")" = one ]
  id=$(basename "$ASL_ROOT"/domains/*)
  [ "$(readlink "$mnt/$id")" = local ]
  [ "$(cat "$mnt/$id/latest/file")" = one ]
  digest=$(sha256sum <src/file | cut -c1-64)
  [ -z "$(ls "$mnt/local/blobs")" ]
  [ "$(cat "$mnt/local/blobs/$digest")" = one ]
  [ "$(getfattr --absolute-names --only-values -n user.asl.ref "$mnt/local/blobs/$digest")" = "sha256:$digest" ]
  run ! cat "$mnt/local/blobs/${digest/?/x}"
  [[ $output == *"No such file"* ]]
  diff "$ASL_ROOT/domains/$id/domain.json" "$mnt/local/.asl/domain.json"
  diff <(asl log) "$mnt/local/.asl/log.txt"
  run ! ls "$mnt/local/snapshots/2"
  run ! ls "$mnt/local/snapshots/01"
  run ! ls "$mnt/nothing"
}

is_listed() { ls "$2" | grep -qxF -- "$1"; }
isnt_listed() { ! is_listed "$@"; }

@test "directories say where they are" {
  mkdir -p src/a/b
  touch src/a/b/file
  asl ingest src >/dev/null
  mount_it
  /usr/bin/python3 - "$mnt" <<'PY'
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = ctypes.c_void_p
libc.readdir.argtypes = [ctypes.c_void_p]
libc.readdir.restype = ctypes.c_void_p

def numbers(path):
    found, directory = {}, ctypes.c_void_p(libc.opendir(path.encode()))
    while entry := libc.readdir(directory):
        found[ctypes.string_at(entry + 19)] = ctypes.c_uint64.from_address(entry).value
    return found

top = sys.argv[1]
for path in ('', '/local', '/local/snapshots', '/local/.asl', '/local/.asl/dam', '/local/snapshots/1',
             '/local/snapshots/1/a', '/local/snapshots/1/a/b'):
    found = numbers(top + path)
    assert found[b'.'] == os.stat(top + path).st_ino, path
    if path:
        assert found[b'..'] == os.stat(os.path.dirname(top + path)).st_ino, path
assert {b'.', b'..', b'file'} == set(numbers(top + '/local/snapshots/1/a/b'))
PY
}

@test "new snapshots and labels appear, forgotten ones go, while it is mounted" {
  mkdir src
  echo one >src/file
  asl ingest src >/dev/null
  mount_it
  [ "$(cat "$mnt/local/latest/file")" = one ]
  run ! ls "$mnt/local/snapshots/2"
  # Listings that the kernel keeps.
  is_listed local "$mnt"
  is_listed 1 "$mnt/local/snapshots"
  [ -z "$(ls "$mnt/local/by-label")" ]
  echo two, and longer >src/file
  asl ingest src --label second >/dev/null
  [ "$(cat "$mnt/local/snapshots/2/file")" = "two, and longer" ]
  [ "$(cat "$mnt/local/by-label/second/file")" = "two, and longer" ]
  eventually grep -q two "$mnt/local/latest/file"
  [ "$(cat "$mnt/local/snapshots/1/file")" = one ]
  diff <(asl log) "$mnt/local/.asl/log.txt"
  eventually is_listed 2 "$mnt/local/snapshots"
  eventually is_listed second "$mnt/local/by-label"
  asl domain create other >/dev/null
  eventually is_listed other "$mnt"
  asl ingest src -d other >/dev/null
  [ "$(cat "$mnt/other/latest/file")" = "two, and longer" ]
  exec 9<"$mnt/local/snapshots/1"
  asl snapshot forget 1 -d local >/dev/null
  eventually test ! -e "$mnt/local/snapshots/1"
  eventually isnt_listed 1 "$mnt/local/snapshots"
  run ! ls -l /proc/self/fd/9/
  exec 9<&-
  [ "$(cat "$mnt/local/snapshots/2/file")" = "two, and longer" ]
}

@test "a damaged extent fails alone, and the log says where it lies" {
  mkdir src
  head -c 6000000 /dev/urandom >src/large
  echo small >src/small
  asl ingest src >/dev/null
  damage_stored src/large 3000000
  mount_it latest
  run ! cmp src/large "$mnt/large"
  [[ $output == *"Input/output error"* ]]
  grep -q 'do not match its digest: .*\.bin at offset [0-9]' "$log"
  [ "$(cat "$mnt/small")" = small ]
  # What fails is the pages that the extent touches; everything else is there and right.
  asl stat 1:large --extents --json >facts
  python3 - src/large "$mnt/large" facts <<'PY'
import json, os, sys
source = open(sys.argv[1], "rb").read()
page = 4096
damaged = []
file = os.open(sys.argv[2], os.O_RDONLY)
for offset in range(0, len(source), page):
    try:
        assert os.pread(file, page, offset) == source[offset:offset + page]
    except OSError:
        damaged.append(offset)
extents = json.load(open(sys.argv[3]))["artifact"]["extents"]
held = [e for e in extents if e["offset"] <= 3000000 < e["offset"] + e["length"]][0]
first = held["offset"] // page * page
end = held["offset"] + held["length"]
assert damaged == list(range(first, end, page)), (damaged[0], damaged[-1], held)
PY
}

@test "a withdrawn file answers EACCES, also where the kernel had its pages, until it is lifted" {
  mkdir src
  echo secret >src/key
  echo other >src/other
  asl ingest src >/dev/null
  mount_it latest
  [ "$(cat "$mnt/key" "$mnt/other")" = $'secret\nother' ]
  asl -q tombstone latest:key
  refused() { ! cat "$mnt/key" >/dev/null 2>error; }
  eventually refused
  grep -q 'Permission denied' error
  [ "$(cat "$mnt/other")" = other ]
  [ "$(stat -c %s "$mnt/key")" = 7 ]
  asl -q tombstone --lift latest:key
  readable() { [ "$(cat "$mnt/key" 2>/dev/null)" = secret ]; }
  eventually readable
}

@test "standalone domain directories and read-only media can be mounted, with nothing writable" {
  strange_tree
  asl ingest src >/dev/null
  id=$(basename "$ASL_ROOT"/domains/*)
  cp -a "$ASL_ROOT/domains/$id" copy
  rm -rf copy/store/cache copy/store/tmp copy/store/lost copy/store/lock
  mkdir medium
  mount --bind copy medium
  mount -o remount,bind,ro medium
  unset ASL_ROOT
  mount_it --media medium
  diff -r --no-dereference -x pipe src "$mnt/local/latest/"
  asl umount "$mnt"
  umount medium
}

@test "what cannot be mounted is said before anything is left behind" {
  mkdir src full
  echo x >src/file && cp src/file full/
  asl ingest src >/dev/null
  run -2 asl mount full
  [[ $output == *"not empty"* ]]
  run -2 asl mount src/file
  [[ $output == *"not a directory"* ]]
  run -4 asl mount nowhere
  [[ $output == *"try: mkdir"* ]]
  run -4 asl mount "$mnt" 7
  [[ $output == *"no such snapshot"* ]]
  run -4 asl mount "$mnt" latest:/missing
  run -2 asl mount "$mnt" latest:/file
  run -4 asl --root "$BATS_TEST_TMPDIR" mount "$mnt"
  run -2 asl mount "$mnt" -o nonsense
  [[ $output == *nonsense* ]]
  mount_it
  run -3 asl mount "$mnt"
  [[ $output == *"mounted there already"* ]]
  exec 9<"$mnt/local/latest/file"
  run -3 asl umount "$mnt"
  [[ $output == *"in use"* ]]
  exec 9<&-
  asl umount "$mnt"
  run -4 asl umount "$mnt"
}

@test "it ends cleanly on SIGTERM, and umount clears it when it was killed" {
  mkdir src
  echo x >src/file
  asl ingest src >/dev/null
  mount_it latest
  [ "$(cat "$mnt/file")" = x ]
  kill -TERM "$(daemon_pid)"
  eventually not_mounted
  mount_it latest
  kill -KILL "$(daemon_pid)"
  eventually dead
  asl umount "$mnt"
  not_mounted
  mount_it latest
  [ "$(cat "$mnt/file")" = x ]
}

not_mounted() {
  ! mountpoint -q "$mnt" && ! grep -qF " $mnt " /proc/self/mountinfo
}

dead() {
  ! stat "$mnt" >/dev/null 2>&1
}

@test "it stays right while another process ingests and merges segments" {
  mkdir src
  head -c 3000000 /dev/urandom >src/fixed
  asl ingest src >/dev/null
  mount_it
  # More than eight segments of one size class: they are merged.
  for number in $(seq 12); do
    echo "$number" >"src/file-$number"
    asl ingest src >/dev/null
    cmp src/fixed "$mnt/local/snapshots/1/fixed"
    [ "$(cat "$mnt/local/snapshots/$((number + 1))/file-$number")" = "$number" ]
    echo 3 >/proc/sys/vm/drop_caches
  done
  [ "$(ls "$mnt/local/snapshots" | wc -l)" -eq 13 ]
  [ ! -s "$log" ]
}

@test "files stay readable while gc moves what they are made of" {
  mkdir src
  for number in $(seq 60); do head -c 300000 /dev/urandom >"src/file-$number"; done
  asl ingest src >/dev/null
  mkdir kept
  mv src/file-*7 kept/
  asl ingest kept >/dev/null
  mount_it
  exec 8<"$mnt/local/snapshots/2/file-17"  # opened before, read afterwards
  ls -lR "$mnt/local/snapshots/2" >/dev/null
  asl snapshot forget 1 >/dev/null
  run -0 asl gc --json
  [ "$(field blocks_repacked)" -gt 0 ]
  [ "$(field artifacts_dropped)" -gt 0 ]
  cmp kept/file-17 - <&8
  exec 8<&-
  run -0 diff -r kept "$mnt/local/snapshots/2"
  eventually test ! -e "$mnt/local/snapshots/1"
  [ ! -s "$log" ]
}
