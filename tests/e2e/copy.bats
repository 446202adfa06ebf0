# A second store: asl copy and asl import.

load store_support

setup() {
  new_store
  export TMPDIR=$BATS_TEST_TMPDIR
  second=$BATS_TEST_TMPDIR/second
}

there() {  # the program on the second store
  "$ASL_BIN" --root "$second" "$@"
}

same() {  # [rsync options...] A B: prints what differs
  run rsync -aHAXS --numeric-ids --delete -n -i --checksum "${@:1:$#-2}" "${@: -2:1}/" "${@: -1}/"
  [ "$status" -eq 0 ]
  echo "$output"
  [ -z "$output" ]
}

make_source() {
  strange_tree
  head -c 8000000 /dev/urandom >src/longer
  truncate -s 30M src/sparse
  printf data | dd of=src/sparse bs=1 seek=20000000 conv=notrunc status=none
  setfattr -n user.short -v value src/plain 2>/dev/null || true
  setfattr -n user.long -v "$(head -c 6000 /dev/zero | tr '\0' v)" src/plain 2>/dev/null || true
}

@test "a copy has everything: trees, contents, labels, tags, holds, origin" {
  make_source
  asl -q ingest src --label first --tag kept --tag twice
  printf 'more\n' >src/more
  asl -q ingest src --label second
  asl -q snapshot hold 1 --reason "a reason"
  run asl --json copy --init "$second"
  [ "$status" -eq 0 ]
  [ "$(field copied 0 snapshot_id)$(field copied 1 snapshot_id)" = 12 ]
  [ "$(field problem_count)" = 0 ]
  there verify --data --artifacts
  there -q restore second --to out --numeric-ids
  same src out
  rm src/more
  there -q restore first --to out --numeric-ids --delete
  same --omit-dir-times src out
  run there --json snapshot show first
  [ "$(field tags)" = '["kept", "twice"]' ]
  [ "$(field held)" = true ]
  [ "$(field hold_reason)" = "a reason" ]
  local origin
  origin=$(field origin snapshot)
  run there --json snapshot show second
  [ "$(field parent_id)" = 1 ]
  run asl --json snapshot show first
  [ "$(field reference)" = "$origin" ]
}

@test "the same trees have the same references in both stores" {
  make_source
  asl -q ingest src
  asl -q copy --init "$second"
  run asl --json stat latest:sub
  local here
  here=$(field entry content)
  run there --json stat latest:sub
  [ "$(field entry content)" = "$here" ]
}

@test "a second run copies nothing and says so, a third only what is new" {
  make_source
  asl -q ingest src
  asl -q copy --init "$second"
  run asl copy "$second"
  [ "$status" -eq 0 ]
  [[ $output == *"nothing to copy"* ]]
  local before
  before=$(there log | wc -l)
  run asl --json copy "$second"
  [ "$(field copied)" = "[]" ]
  [ "$(field artifacts_copied)" = 0 ]
  [ "$(there log | wc -l)" = "$before" ]
  printf 'new\n' >src/sub/new
  asl -q ingest src
  run asl --json copy "$second"
  [ "$(field copied 0 from_snapshot)" = 2 ]
  # Only the directory that changed was looked into.
  [ "$(field artifacts_copied)" = 1 ]
  [ "$(field artifacts_present)" = 0 ]
  there verify --data --artifacts
}

@test "only the snapshots that are named" {
  make_source
  asl -q ingest src --label one
  asl -q ingest src/sub --label two
  asl -q ingest src --label three
  run asl --json copy --init "$second" two
  [ "$(field copied 0 from_snapshot) $(field copied 0 snapshot_id) $(field copied 0 complete)" = '2 1 true' ]
  there -q cat two:large | cmp - src/sub/large
  run -4 asl copy "$second" 9
  run -2 asl copy "$second" two:sub
  # The parent of 3 is not there.
  run asl --json copy "$second" three
  [ "$(field copied 0 snapshot_id)" = 2 ]
  run there --json snapshot show three
  [ "$(field parent_id)" = 0 ]
}

@test "import takes them the other way, also from a domain of the same root" {
  make_source
  asl -q ingest src --label mine
  "$ASL_BIN" -q init "$second"
  run there --json import "$ASL_ROOT"
  [ "$(field copied 0 snapshot_id)" = 1 ]
  there -q restore mine --to out --numeric-ids
  same src out
  asl -q domain create other
  run asl --json --domain other import "$ASL_ROOT" --from-domain local
  [ "$(field copied 0 snapshot_id)" = 1 ]
  asl -q --domain other cat mine:longer | cmp - src/longer
  # Back again: it is the snapshot that it was made from.
  run asl --domain local import "$second"
  [[ $output == *"nothing to copy"* ]]
}

@test "a domain's directory is a store too" {
  make_source
  asl -q ingest src
  "$ASL_BIN" -q init "$second"
  asl -q copy "$second"/domains/*
  there -q cat latest:longer | cmp - src/longer
}

@test "copies of several stores go into one, and a label stays with whom it is" {
  make_source
  asl -q ingest src --label daily
  "$ASL_BIN" -q init "$second"
  there -q ingest src/sub --label daily
  run asl copy "$second"
  [ "$status" -eq 0 ]
  [[ $output == *"label 'daily' stays with snapshot 1"* ]]
  there -q cat daily:large | cmp - src/sub/large
  there -q cat 2:sub/large | cmp - src/sub/large
}

@test "what is not a store is refused" {
  make_source
  asl -q ingest src
  run -4 asl copy "$second"
  [[ $output == *"--init"* ]]
  [ ! -e "$second" ]
  run -2 asl copy "$ASL_ROOT"
  cp -a "$ASL_ROOT" "$second"
  run -7 asl copy "$second"
  [[ $output == *"same domain"* ]]
  mkdir foreign
  : >foreign/file
  run -4 asl copy --init foreign
}

@test "a damaged file: the rest is copied, its snapshot is left out and said so, and healing brings it" {
  make_source
  asl -q ingest src/sub --label sound
  asl -q ingest src --label hurt
  damage_block_with src/longer
  run -5 --separate-stderr asl --json copy --init "$second"
  [ "$(field left_out)" = "[2]" ]
  [ "$(field copied 0 from_snapshot)" = 1 ]
  [[ $stderr == *"2:/longer"* ]]
  there -q cat sound:large | cmp - src/sub/large
  run there --json snapshots
  [ "$(field snapshots 0 snapshot_id)" = 1 ]
  run -4 there snapshot show 2
  # The original heals the first store; the copy then needs only what it lacks.
  asl -q ingest --reread src
  run asl --json copy "$second"
  [ "$status" -eq 0 ]
  [ "$(field left_out)" = "[]" ]
  [ "$(field artifacts_present)" -gt 5 ]
  there -q cat hurt:longer | cmp - src/longer
  there verify --data --artifacts
}

@test "with --salvage the snapshot is there without what is damaged, once, until it can be had whole" {
  make_source
  asl -q ingest src --label hurt
  damage_block_with src/longer
  run -5 --separate-stderr asl --json copy --init --salvage "$second"
  [ "$(field copied 0 complete)" = false ]
  there -q cat hurt:sub/large | cmp - src/sub/large
  run -4 there cat hurt:longer
  run -5 there verify
  run there --json snapshot show hurt
  [ "$(field tags)" = '["incomplete-copy"]' ]
  run -5 --separate-stderr asl --json copy --salvage "$second"
  [ "$(field copied)" = "[]" ]
  asl -q ingest --reread src
  run asl --json copy --salvage "$second" 1
  [ "$(field copied 0 complete)" = true ]
  there -q cat hurt:longer | cmp - src/longer
  there verify --data --artifacts
}

@test "a broken log: what verifies is copied" {
  make_source
  asl -q ingest src --label one
  local bytes
  bytes=$(stat -c %s "$ASL_ROOT"/domains/*/log/log-*.aol)
  asl -q ingest src/sub --label two
  asl -q ingest src/sub --label three
  # A byte of the group between the first and the last snapshot.
  printf X | dd of="$(echo "$ASL_ROOT"/domains/*/log/log-*.aol)" bs=1 seek=$((bytes + 100)) conv=notrunc status=none
  run -5 asl ingest src
  run asl --json copy --init "$second"
  there -q restore one --to out --numeric-ids
  same src out
}

@test "killed and run again, it goes on" {
  mkdir -p src
  for n in {1..40}; do head -c 3000000 /dev/urandom >src/$n; done
  asl -q ingest src
  "$ASL_BIN" -q init "$second"
  asl -q copy "$second" &
  local pid=$!
  # Once it has begun to write.
  until [ "$(find "$second"/domains/*/store -name '*.open' -size +4M | wc -l)" -gt 0 ] || ! kill -0 $pid 2>/dev/null; do :; done
  kill -9 $pid 2>/dev/null || true
  wait $pid || true
  asl -q copy "$second"
  there verify --data --artifacts
  there -q restore latest --to out
  same src out
}
