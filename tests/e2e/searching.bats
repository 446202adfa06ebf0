# Comparing and searching snapshots: diff, find.

load store_support

setup_file() {
  export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  new_store
  strange_tree
  mkdir src/same
  echo same >src/same/file
  asl ingest src --label before >/dev/null
  echo more >>$'src/new\nline'
  chmod 700 src/empty
  rm src/sub/deep/file
  echo new >$'src/sub/deep/caf\xe9'
  rm src/link
  mkdir src/link
  echo below >src/link/below
  ln -sf elsewhere src/sub/link
  asl ingest src >/dev/null
}

setup() {
  export ASL_ROOT=$BATS_FILE_TMPDIR/root
  cd "$BATS_FILE_TMPDIR"
}

@test "a snapshot does not differ from itself" {
  run -0 asl diff latest latest
  [ -z "$output" ]
}

@test "diff tells added, removed, changed in content and in metadata" {
  asl diff before latest >out
  cat >expected <<'END'
m ./
m empty/
- link
+ link/
+ link/below
M new\nline
m sub/
m sub/deep/
+ sub/deep/caf\xe9
- sub/deep/file
+ sub/link
END
  diff expected out
}

@test "diff the other way round is the opposite" {
  asl diff before latest --content-only | tr '+-' '-+' | sort >there
  asl diff latest before --content-only | sort >back
  cmp there back
}

@test "diff --json names the fields that differ" {
  run -0 asl diff before:empty latest:empty --json
  [ "$(field differences 0 change)" = metadata ]
  [ "$(field differences 0 path)" = empty ]
  [ "$(field differences 0 fields)" = '["mode"]' ]
  [ "$(field differences 0 before mode)" = 0755 ]
  [ "$(field metadata)" = 1 ]
  [ "$(field complete)" = true ]
}

@test "diff -0 escapes nothing" {
  asl diff -0 --content-only before:sub latest:sub | tr '\0' '\n' >out
  printf '%s\n' $'+ deep/caf\xe9' '- deep/file' '+ link' | cmp - out
}

@test "two directories of one snapshot can be compared" {
  run -0 asl diff latest:same latest:link --content-only
  [ "$output" = $'+ below\n- file' ]
  run -4 asl diff latest:same latest:gone
}

@test "find matches names and paths" {
  run -0 asl find '*.nothing'
  [ -z "$output" ]
  run -0 asl find plain
  [ "$output" = "2:/plain  (since 1)" ]
  run -0 asl find 'same/f*'
  [ "$output" = "2:/same/file  (since 1)" ]
  run -0 asl find -i PLA?N -s before
  [ "$output" = "1:/plain" ]
  run -0 asl find '/deep'
  [ -z "$output" ]
  run -2 asl find '[a'
}

@test "find shows each state of an entry with the snapshots that hold it" {
  run -0 asl find $'new\nline'
  [ "$output" = $'1:/new\\nline\n2:/new\\nline' ]
  run -0 asl find file
  [ "$output" = $'2:/same/file  (since 1)\n1:/sub/deep/file' ]
}

@test "find follows an unchanged entry through a longer history" {
  cp -a root longer
  for turn in 1 2 3; do
    echo $turn >src/turn
    ASL_ROOT=longer asl ingest src >/dev/null
  done
  rm src/turn
  ASL_ROOT=longer run -0 asl find large --json
  [ "$(field hits 0 first_snapshot)" = 1 ]
  [ "$(field hits 0 last_snapshot)" = 5 ]
  [ "$(field hits 0 snapshots)" = 5 ]
  ASL_ROOT=longer run -0 asl find turn
  [ "${#lines[@]}" -eq 3 ]
  rm -r longer
}

@test "find by hash, size and type" {
  asl find --hash "$(sha256sum <src/plain | cut -c1-16)" -0 -s latest | tr '\0' '\n' >out
  printf '2:/plain\n2:/sub/hard\n' | cmp - out
  run -0 asl find --larger-than 2M
  [ "$output" = "2:/sub/large  (since 1)" ]
  run -0 asl find --smaller-than 1 -s latest
  [ "$output" = "2:/nothing" ]
  run -0 asl find --type fifo
  [ "$output" = "2:/sub/pipe  (since 1)" ]
  run -0 asl find -s latest:sub --type directory
  [ "$output" = $'2:/sub/\n2:/sub/deep/' ]
  run -8 asl find --hash xyz
}

@test "find tells damaged files once the damage was met" {
  cp -a root broken
  local block
  block=$(find broken -name '*.bin' -size +1M)
  printf 'XXXX' | dd of="$block" bs=1 seek=1000000 conv=notrunc status=none
  run -0 asl --root broken find --damaged
  [ -z "$output" ]
  run -5 asl --root broken cat 1:sub/large
  run -0 asl --root broken find --damaged
  [ "$output" = "2:/sub/large  (since 1)" ]
  rm -r broken
}
