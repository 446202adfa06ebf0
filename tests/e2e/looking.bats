# Looking into snapshots: ls, tree, cat, stat, sums.

load store_support

setup_file() {
  export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  new_store
  strange_tree
  asl ingest src >/dev/null
}

setup() {
  export ASL_ROOT=$BATS_FILE_TMPDIR/root
  cd "$BATS_FILE_TMPDIR"
}

@test "ls lists a directory by name, with nothing that could drive a terminal" {
  run -0 asl ls
  [[ $output == *'new\nline'* ]]
  [[ $output == *'back\\slash'* ]]
  [[ $output == *'caf\xe9'* ]]
  [[ $output == *'\x1b[31mred'* ]]
  [[ $output != *$'\e'* ]]
  [[ $output != *deep* ]]
  run -0 asl ls latest:/sub/
  [ "$output" = $'deep\nhard\nlarge\npipe\nsparse' ]
}

@test "ls -0 gives back the very names that find gives" {
  asl ls -R -0 | sort -z >listed
  find src -mindepth 1 -printf '%P\0' | sort -z >found
  cmp listed found
}

@test "ls -l shows mode, owner, size, time and where links point" {
  run -0 asl ls -l 1:sub/deep/file
  [[ $output =~ ^-rwsr-x---\ +1\ .*\ 5\ 20..-.*Z\ file$ ]]
  run -0 asl ls -l
  [[ $output == *"link -> plain"* ]]
  [[ $output == *"6 2001-02-03T04:05:06Z plain"* ]]
  run -0 asl ls -l --numeric-ids 1:plain
  [[ $output == *" $(stat -c '%u' src/plain) "* ]]
}

@test "ls --references shows what sha256sum says" {
  run -0 asl ls --references 1:plain
  [ "$output" = "sha256:$(sha256sum <src/plain | cut -c1-64)  plain" ]
}

@test "ls --json carries bytes that are no text in base64" {
  run -0 asl ls --json
  [ "$(field schema)" = asl.ls.v1 ]
  [ "$(field complete)" = true ]
  [[ $output == *"\"path_b64\":\"$(printf 'caf\xe9' | base64)\""* ]]
  run -0 asl ls --json 1:plain
  [ "$(field entries 0 mtime)" = 2001-02-03T04:05:06.123456789Z ]
  [ "$(field entries 0 nlink)" = 2 ]
}

@test "what is not there is exit 4" {
  run -4 asl ls 1:/nothing/here
  [[ $output == *"no such file or directory in the snapshot: 1:/nothing/here"* ]]
  run -4 asl ls 8
  run -4 asl ls 1:plain/below
}

@test "tree draws what there is, to the depth asked for" {
  run -0 asl tree 1:sub
  [ "${lines[0]}" = sub ]
  [ "${lines[1]}" = "├── deep/" ]
  [ "${lines[2]}" = "│   └── file" ]
  [ "${lines[6]}" = "└── sparse" ]
  [ "${lines[7]}" = "1 directories, 5 others" ]
  run -0 asl tree 1:sub -L 1
  [[ $output != *"file"* ]]
  run -0 asl tree --directories
  [ "$output" = $'.\n├── empty/\n└── sub/\n    └── deep/\n3 directories, 0 others' ]
  run -0 asl tree 1:sub -s
  [[ $output == *"large  2.86 MiB"* ]]
}

@test "cat gives back every byte, of several files in a row" {
  asl cat 1:sub/large 1:sub/sparse 1:nothing $'1:new\nline' >out
  cat src/sub/large src/sub/sparse src/nothing $'src/new\nline' | cmp - out
}

@test "cat refuses what is not a file" {
  run -2 asl cat 1:sub
  [[ $output == *"not a regular file: 1:/sub"* ]]
  run -2 asl cat 1:link
  run -4 asl cat 1:gone
}

@test "cat of a damaged extent names it, and gives nothing wrong" {
  cp -a root broken
  local block
  block=$(find broken -name '*.bin' -size +1M)
  printf 'XXXX' | dd of="$block" bs=1 seek=1000000 conv=notrunc status=none
  run -5 --separate-stderr bash -c '"$1" --root broken cat 1:sub/large >out' bash "$ASL_BIN"
  [[ $stderr == *"sha256:"*".bin"*"offset"* ]]
  cmp -n "$(stat -c %s out)" out src/sub/large
  run -0 asl --root broken stat 1:sub/large
  [[ $output == *"damaged     1 extents"* ]]
  rm -r broken
}

@test "sums hold in the source directory, whatever the names" {
  asl sums latest >sums
  [ "$(wc -l <sums)" -eq "$(find src -type f -printf x | wc -c)" ]
  (cd src && sha256sum -c --quiet --strict ../sums)
  (cd src && find . -type f -printf '%P\0' | sed -z 's/^-$/.\/-/' | xargs -0 sha256sum -z --) | sort -z >expected
  asl sums -0 latest | sort -z | cmp - expected
  asl sums 1:sub >sums
  (cd src/sub && sha256sum -c --quiet --strict ../../sums)
  asl sums 1:sub/deep/file >sums
  (cd src/sub/deep && sha256sum -c --quiet --strict ../../../sums)
}

@test "sums notice a changed file" {
  asl sums latest >sums
  cp -a src changed
  echo more >>changed/plain
  run -1 bash -c 'cd changed && sha256sum -c --quiet ../sums'
  [[ $output == *"plain: FAILED"* ]]
}

@test "stat shows an entry and what it is made of" {
  run -0 asl stat 1:sub/sparse --json --extents
  [ "$(field entry type)" = file ]
  [ "$(field artifact hole_bytes)" = 1048576 ]
  [ "$(field artifact extents 0 hole)" = true ]
  run -0 asl stat 1:plain
  [[ $output == *"modified    2001-02-03T04:05:06.123456789Z"*"links       2"*"kind        data"*"pinned      no"* ]]
  run -0 asl stat 1:
  [[ $output == *"type        directory"*"kind        tree"* ]]
  run -0 asl stat 1:link
  [[ $output == *"target      plain"* ]]
}

@test "stat takes the start of a hash" {
  local sum
  sum=$(sha256sum <src/plain | cut -c1-64)
  run -0 asl stat "${sum:0:12}"
  [[ ${lines[0]} == "artifact    sha256:$sum" ]]
  run -4 asl stat 0000000000
  run -4 asl stat abc
}

@test "a snapshot of several sources and a single file can be looked into" {
  asl ingest src/sub src/plain src/empty --label many >/dev/null
  run -0 asl ls many
  [ "$output" = $'empty\nplain\nsub' ]
  run -0 asl tree many -L 1
  [ "${lines[1]}" = "├── empty/" ]
  asl sums many >sums
  (cd src && sha256sum -c --quiet --strict ../sums)
  asl cat many:sub/deep/file | cmp - src/sub/deep/file
}
