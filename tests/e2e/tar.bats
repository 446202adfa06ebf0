# Tar archives in and out, compared with GNU tar in both directions.

load store_support

setup() {
  : "${ASL_BIN:?the program to test}"
  cd "$BATS_TEST_TMPDIR"
  export ASL_ROOT=$BATS_TEST_TMPDIR/root
  export TMPDIR=$BATS_TEST_TMPDIR
  "$ASL_BIN" -q init
}

# What tar can hold, as far as this user and file system can make it.
make_source() {
  mkdir -p src/d/sub src/e
  printf 'content\n' >src/d/file
  ln src/d/file src/e/link
  ln -s ../nowhere src/d/symlink
  mkfifo src/d/fifo
  head -c 3000000 /dev/urandom >src/d/long
  head -c 20000000 /dev/urandom >src/d/longer
  truncate -s 20M src/d/sparse
  printf data | dd of=src/d/sparse bs=1 seek=5000000 conv=notrunc status=none
  truncate -s 4M src/d/only-hole
  : >src/d/empty
  : >"src/d/$(printf 'not\xffutf8 new\nline \xc3\xa9')"
  : >"src/$(printf 'x%.0s' {1..250})"
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
  touch -d '2001-02-03 04:05:06' src/d/sub src/e
}

same() {  # prints what differs
  run rsync -aHAXS --numeric-ids --delete -n -i --checksum "$1/" "$2/"
  [ "$status" -eq 0 ]
  echo "$output"
  [ -z "$output" ]
}

@test "GNU tar unpacks an exported archive to what was ingested" {
  make_source
  "$ASL_BIN" -q ingest src
  "$ASL_BIN" -q export-tar latest -o x.tar
  mkdir out
  tar -xf x.tar --xattrs --xattrs-include='*' --acls -p --numeric-owner -C out
  same src out
  [ "$(stat -c %b out/d/sparse)" -le "$(stat -c %b src/d/sparse)" ]
}

@test "the same snapshot gives the same bytes, to a pipe as to a file" {
  make_source
  "$ASL_BIN" -q ingest src
  "$ASL_BIN" -q export-tar latest -o x.tar
  "$ASL_BIN" -q export-tar latest | cmp - x.tar
  [ ! -e x.tar.partial ]
}

@test "a dense archive is read by programs that know no sparse files" {
  make_source
  "$ASL_BIN" -q ingest src
  "$ASL_BIN" -q export-tar --dense latest:d/sparse | tar -xO | cmp - src/d/sparse
  ! "$ASL_BIN" -q export-tar --dense latest:d | grep -aq GNU.sparse
}

@test "a subtree and a single file are exported by themselves" {
  make_source
  "$ASL_BIN" -q ingest src
  mkdir out
  "$ASL_BIN" -q export-tar latest:/d | tar -xf - --xattrs --acls -p --numeric-owner -C out
  cmp src/d/long out/long
  [ "$("$ASL_BIN" -q export-tar latest:e/link | tar -t)" = link ]
  run -4 "$ASL_BIN" export-tar latest:no/such -o y.tar
  [ ! -e y.tar ]
}

@test "a file with gaps is left out and listed, or has zeros where it was asked for" {
  [ "$(id -u)" != 0 ] || skip "root can read everything"
  make_source
  chmod 0 src/d/long
  "$ASL_BIN" -q ingest src || [ $? -eq 1 ]
  run -1 --separate-stderr "$ASL_BIN" -q export-tar latest -o x.tar
  [[ $stderr == *"d/long: parts of it were never read"* ]]
  ! tar -tf x.tar | grep -q 'd/long$'
  run -1 --separate-stderr "$ASL_BIN" -q export-tar --fill-gaps latest -o y.tar
  [[ $stderr == *"d/long"*"zeros"* ]]
  tar -xOf y.tar d/long | cmp - <(head -c 3000000 /dev/zero)
}

@test "a damaged file is left out, never written wrong, and the exit status says so" {
  make_source
  ln src/d/long src/e/long-link
  "$ASL_BIN" -q ingest src
  damage_block_with src/d/long
  run -5 --separate-stderr "$ASL_BIN" -q export-tar latest -o x.tar
  [[ $stderr == *"d/long"* ]]
  tar -tf x.tar >names
  ! grep -q long$ names
  ! grep -q long-link names
  grep -q longer names
}

@test "damage in a long file that has begun ends the export, and no file appears" {
  make_source
  "$ASL_BIN" -q ingest src
  damage_block_with src/d/longer
  run -5 --separate-stderr "$ASL_BIN" -q export-tar latest -o x.tar
  [[ $stderr == *"the archive is not whole"* ]]
  [ ! -e x.tar ]
  [ ! -e x.tar.partial ]
}
