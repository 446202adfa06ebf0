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

# Overwrites one byte of every copy of a file's bytes, wherever blocks of the first store hold it.
damage_block_with() {
  python3 - "$1" "$ASL_ROOT" <<'PY'
import pathlib, sys
needle = pathlib.Path(sys.argv[1]).read_bytes()[:4096]
found = 0
for block in pathlib.Path(sys.argv[2]).glob("domains/*/store/blocks/*/*.bin"):
    data = block.read_bytes()
    at = data.find(needle)
    if at < 0:
        continue
    found += 1
    with block.open("r+b") as file:
        file.seek(at + 10)
        file.write(bytes([data[at + 10] ^ 1]))
sys.exit(0 if found else 1)
PY
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
