# Tar archives of other programs become snapshots, compared after a restore with what they were made of.

load store_support

setup() {
  new_store
  export TMPDIR=$BATS_TEST_TMPDIR
}

# What tar can hold, as far as this user and file system can make it.
make_source() {
  mkdir -p src/d/sub src/e
  printf 'content\n' >src/d/file
  ln src/d/file src/e/link
  ln src/d/file src/a-first-name
  ln -s ../nowhere src/d/symlink
  mkfifo src/d/fifo
  head -c 3000000 /dev/urandom >src/d/long
  head -c 20000000 /dev/urandom >src/d/longer
  truncate -s 20M src/d/sparse
  printf data | dd of=src/d/sparse bs=1 seek=5000000 conv=notrunc status=none
  python3 -c '
with open("src/d/ragged", "wb") as file:
    for k in range(60):
        file.seek(k * 200000)
        file.write(b"run %d" % k)
    file.truncate(60 * 200000)'
  truncate -s 4M src/d/only-hole
  : >src/d/empty
  : >"src/d/$(printf 'not\xffutf8 new\nline \xc3\xa9 e\xcc\x81')"
  : >"src/$(printf 'x%.0s' {1..250})"
  : >'src/back\slash *star'
  local deep=src
  for n in {1..30}; do deep+=/directory$n; done
  mkdir -p "$deep"
  : >"$deep/leaf"
  chmod 4711 src/d/long
  chmod 1777 src/e
  if [ "$(id -u)" = 0 ]; then
    mknod src/d/null c 1 3
    chown 12345678:23456789 src/d/fifo
  fi
  setfattr -n 'user.a=b%c' -v $'value\nwith a line' src/d/file 2>/dev/null || true
  setfacl -m u:1001:rw,g:1002:r src/d/file 2>/dev/null || true
  setfacl -d -m u:1003:rx src/d/sub 2>/dev/null || true
  touch -d '1965-03-04 05:06:07.123456789' src/d/empty
  touch -d '2020-01-01 00:00:00.000000001' src/d/file
  touch -d '2001-02-03 04:05:06' src/d/sub src/e src/d src
}

same() {  # [rsync options...] A B: prints what differs
  run rsync -aHAXS --numeric-ids --delete -n -i --checksum "${@:1:$#-2}" "${@: -2:1}/" "${@: -1}/"
  [ "$status" -eq 0 ]
  echo "$output"
  [ -z "$output" ]
}

restored() {  # restores the latest snapshot to ./out
  rm -rf out
  asl -q restore latest --to out --numeric-ids
}

@test "an exported snapshot comes back as the same snapshot" {
  make_source
  asl -q ingest src
  asl -q export-tar latest | asl -q import-tar --label back
  restored
  same src out
  # Nothing but inode numbers and birth times can tell the two apart.
  run asl --json diff 1 2
  [ "$(field added)$(field removed)$(field content)$(field metadata)" = 0000 ]
}

@test "an archive of an imported snapshot is the archive it was imported from, and gives the same tree" {
  make_source
  asl -q ingest src
  asl -q export-tar latest -o one.tar
  run asl --json import-tar one.tar
  local root
  root=$(field root)
  [ "$(field problem_count)" = 0 ]
  [ "$(field bytes_new)" -lt 100000 ]
  asl -q export-tar latest -o two.tar
  cmp one.tar two.tar
  run asl --json import-tar two.tar
  [ "$(field root)" = "$root" ]
}

@test "a tree without links and birth times has the same reference by either way" {
  mkdir -p src/sub
  printf 'one\n' >src/one
  printf 'two\n' >src/sub/two
  asl -q ingest src
  asl -q export-tar latest | asl -q import-tar
  run asl --json stat 1:one
  local before
  before=$(field entry content)
  run asl --json stat 2:one
  [ "$(field entry content)" = "$before" ]
}

@test "GNU tar's pax archives, with attributes, ACLs and sparse files" {
  make_source
  tar -C src --format=posix --xattrs --xattrs-include='*' --acls --sparse -cf x.tar .
  asl -q import-tar x.tar
  restored
  same src out
}

@test "every version of GNU tar's sparse format gives the same file" {
  make_source
  local reference=
  for version in 0.0 0.1 1.0; do
    tar -C src/d --format=posix --sparse --sparse-version=$version -cf x.tar ragged sparse only-hole
    asl -q import-tar x.tar
    asl cat latest:ragged | cmp - src/d/ragged
    asl cat latest:sparse | cmp - src/d/sparse
    asl cat latest:only-hole | cmp - src/d/only-hole
    run asl --json stat latest:ragged
    [ -z "$reference" ] || [ "$(field artifact)" = "$reference" ]
    reference=$(field artifact)
  done
  tar -C src/d --format=gnu --sparse -cf x.tar ragged sparse only-hole
  asl -q import-tar x.tar
  run asl --json stat latest:ragged
  [ "$(field artifact)" = "$reference" ]
  asl cat latest:only-hole | cmp - src/d/only-hole
}

@test "GNU tar's own format, long names and all" {
  make_source
  # It has whole seconds and no attributes: the source is made to have neither.
  setfattr -x 'user.a=b%c' src/d/file 2>/dev/null || true
  setfacl -R -b src 2>/dev/null || true
  find src -exec touch -h -d '2011-12-13 14:15:16' {} +
  touch -h -d '1960-01-01 00:00:00' src/d/empty
  find src -type d -exec touch -d '2011-12-13 14:15:16' {} +
  tar -C src --format=gnu --sparse -cf x.tar .
  asl -q import-tar x.tar
  restored
  same src out
}

@test "ustar and the oldest form" {
  mkdir -p src/d
  printf 'one\n' >src/d/one
  ln -s one src/d/link
  ln src/d/one src/d/two
  find src -exec touch -h -d '2011-12-13 14:15:16' {} +
  for format in ustar v7; do
    tar -C src --format=$format -cf x.tar .
    asl -q import-tar x.tar
    restored
    same src out
  done
}

@test "compressed archives, from a file and from a pipe" {
  make_source
  tar -C src --format=posix --xattrs --acls --sparse -cf x.tar .
  run asl --json import-tar x.tar
  local root program
  root=$(field root)
  for program in gzip bzip2 xz zstd lz4; do
    command -v $program >/dev/null || continue
    $program -c <x.tar >x.packed
    run asl --json import-tar x.packed
    [ "$(field root)" = "$root" ]
    run asl --json import-tar < x.packed
    [ "$(field root)" = "$root" ]
    # Cut short it is refused, and there is no snapshot more.
    local before
    before=$(asl snapshots | wc -l)
    head -c 2000000 x.packed >x.cut
    run -8 asl import-tar x.cut
    [ "$(asl snapshots | wc -l)" = "$before" ]
  done
}

@test "an archive that is cut short, garbage or empty makes no snapshot" {
  make_source
  tar -C src --format=posix -cf x.tar .
  for bytes in 1 511 512 700 5000 4000000; do
    head -c $bytes x.tar >cut.tar
    run -8 asl import-tar cut.tar
    [[ $output == *cut.tar* ]]
  done
  # Without its end mark it may have been cut between two members.
  python3 -c '
data = open("x.tar", "rb").read().rstrip(b"\0")
open("cut.tar", "wb").write(data + bytes(-len(data) % 512))'
  run -8 asl import-tar cut.tar
  [[ $output == *"no end mark"* ]]
  head -c 100000 /dev/urandom >garbage
  run -8 asl import-tar garbage
  [[ $output == *"no tar archive"* ]]
  : >empty
  run -8 asl import-tar empty
  run -4 asl import-tar missing.tar
  run asl --json snapshots
  [ "$(field snapshots)" = "[]" ]
}

@test "paths that would lead out are refused, leading slashes are taken off" {
  printf 'x' >x
  python3 - <<'PY'
import io, tarfile
with tarfile.open("x.tar", "w") as tar:
    def add(name, text=b"", **fields):
        info = tarfile.TarInfo(name)
        info.size = len(text)
        for key, value in fields.items():
            setattr(info, key, value)
        tar.addfile(info, io.BytesIO(text))
    add("../out", b"bad")
    add("a/../../out", b"bad")
    add("/absolute/path", b"good")
    add("././dotted//twice", b"good")
    add("link", type=tarfile.LNKTYPE, linkname="../out")
    add("lost", type=tarfile.LNKTYPE, linkname="not/there")
PY
  run -1 --separate-stderr asl --json import-tar x.tar
  [ "$(field problem_count)" = 4 ]
  [[ $stderr == *"leading '/'"* ]]
  [ "$(asl cat latest:absolute/path)" = good ]
  [ "$(asl cat latest:dotted/twice)" = good ]
  run asl --json stat latest:absolute
  [[ $output == *metadata-incomplete* ]]
  run asl snapshot show latest --errors
  [[ $output == *"../out"* && $output == *"not/there"* || $output == *lost* ]]
  run -4 asl stat latest:link
}

@test "the last of several members with one path counts, links keep what they were made to" {
  python3 - <<'PY'
import io, tarfile
with tarfile.open("x.tar", "w") as tar:
    def add(name, text=b"", **fields):
        info = tarfile.TarInfo(name)
        info.size = len(text)
        for key, value in fields.items():
            setattr(info, key, value)
        tar.addfile(info, io.BytesIO(text))
    add("z/late", b"late")
    add("a", b"first")
    add("b", type=tarfile.LNKTYPE, linkname="a")
    add("c", type=tarfile.LNKTYPE, linkname="b")
    add("a", b"second")
    add("d", type=tarfile.LNKTYPE, linkname="a")
    add("z", type=tarfile.DIRTYPE, mode=0o700)
    add("f", b"a file")
    add("f/below", b"below a file")
PY
  run -1 --separate-stderr asl --json import-tar x.tar
  [ "$(field replaced)" = 1 ]
  [ "$(field problem_count)" = 1 ]
  [ "$(asl cat latest:a)" = second ]
  [ "$(asl cat latest:b)" = first ]
  [ "$(asl cat latest:c)" = first ]
  [ "$(asl cat latest:d)" = second ]
  [ "$(asl cat latest:f/below)" = "below a file" ]
  run asl --json stat latest:c
  [ "$(field entry nlink)" = 2 ]
  local id
  id=$(field entry hardlink_id)
  run asl --json stat latest:b
  [ "$(field entry hardlink_id)" = "$id" ]
  run asl --json stat latest:a
  [ "$(field entry hardlink_id)" != "$id" ]
  run asl --json stat latest:z
  [ "$(field entry mode)" = 0700 ]
}

@test "another archive behind the end mark is not lost in silence" {
  mkdir -p one two
  : >one/a
  : >two/b
  tar -C one -cf x.tar .
  tar -C two -c . >>x.tar
  run -1 asl import-tar x.tar
  [[ $output == *"behind the end"* ]]
}

@test "other writers: python and bsdtar" {
  make_source
  python3 -c '
import tarfile
with tarfile.open("x.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    tar.add("src", arcname=".")'
  asl -q import-tar x.tar
  restored
  same --no-acls --no-xattrs src out
  command -v bsdtar >/dev/null || skip "bsdtar is not installed (python's archive was checked)"
  bsdtar -C src --format pax -cf x.tar .
  asl -q import-tar x.tar
  restored
  same src out
}
