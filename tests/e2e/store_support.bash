# For tests that need a store: load it, then call new_store in setup.
# ASL_BIN is the program under test.

bats_require_minimum_version 1.5.0

new_store() {
  : "${ASL_BIN:?the program to test}"
  cd "$BATS_TEST_TMPDIR"
  export ASL_ROOT=$BATS_TEST_TMPDIR/root
  "$ASL_BIN" init >/dev/null
}

asl() {
  "$ASL_BIN" "$@"
}

# A small tree in ./src whose names are everything a name may be.
strange_tree() {
  mkdir -p src/sub/deep src/empty
  printf 'hello\n' >src/plain
  printf 'line\n' >$'src/new\nline'
  printf 'back\n' >'src/back\slash'
  printf 'dash\n' >src/-n
  printf 'lone dash\n' >src/-
  printf 'latin\n' >$'src/caf\xe9'
  printf 'escape\n' >$'src/\e[31mred'
  printf 'return\n' >$'src/carriage\rreturn'
  printf 'star\n' >'src/*star'
  printf 'space\n' >'src/ space '
  : >src/nothing
  head -c 3000000 /dev/urandom >src/sub/large
  printf 'deep\n' >src/sub/deep/file
  ln -s plain src/link
  ln src/plain src/sub/hard
  mkfifo src/sub/pipe
  truncate -s 1M src/sub/sparse
  chmod 4750 src/sub/deep/file
  touch -d '2001-02-03T04:05:06.123456789Z' src/plain
}

# field FILTER: a value of the JSON in $output.
field() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[int(key)] if isinstance(value, list) else value[key]
print(json.dumps(value) if isinstance(value, (dict, list, bool)) else value)' "$@" <<<"$output"
}
