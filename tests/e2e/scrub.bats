# Proving a store in parts: verify with --sample, --max-age and --rate.

load store_support

# Every ingest leaves a block of its own.
setup() {
  new_store
  mkdir src
  for number in 1 2 3 4; do
    head -c 400000 /dev/urandom >src/file$number
    asl ingest src --label "state$number" >/dev/null
  done
  blocks=$(find root -name '*.bin' | wc -l)
}

@test "what was read is left out until it is too old" {
  run -0 asl verify --sample 0.01% --json
  [ "$(field schema)" = asl.verify.v1 ]
  [ "$(field blocks_read)" = 1 ]
  [ "$(field blocks_never_read)" = $((blocks - 1)) ]
  run -0 asl verify --max-age 1 --json
  [ "$(field blocks_read)" = $((blocks - 1)) ]
  [ "$(field blocks_left_out)" = 1 ]
  [ "$(field blocks_never_read)" = 0 ]
  [[ "$(field oldest_check)" == 20*T*Z ]]
  run -0 asl verify --max-age 1
  [[ $output == *"read 0 B in 0 blocks"*"every block was read since 20"*"no damage found"* ]]
  run -0 asl verify --max-age 0 --json
  [ "$(field blocks_read)" = "$blocks" ]
  run -0 asl verify --data --json
  [ "$(field blocks_read)" = "$blocks" ]
}

@test "a memory that is damaged, of another file or gone is none" {
  asl verify --data >/dev/null
  memory=$(echo root/domains/*/store/cache/scrub)
  printf X | dd of="$memory" bs=1 seek=40 conv=notrunc status=none
  run -0 asl verify --max-age 1 --json

  [ "$(field blocks_read)" = 1 ]
  cp -a root copy
  run -0 asl --root copy verify --max-age 1 --json
  [ "$(field blocks_read)" = "$blocks" ]
  rm "$memory"
  run -0 asl verify --max-age 1 --json
  [ "$(field blocks_read)" = "$blocks" ]
}

@test "a store without a place for the memory is verified all the same" {
  rm -rf root/domains/*/store/cache
  run -0 asl verify --data
  [ ! -e "$(echo root/domains/*)/store/cache" ]
}

@test "findings name files, artifacts, snapshots and the next step" {
  # Two in one block.
  head -c 30000 /dev/urandom >src/hurt
  head -c 30000 /dev/urandom >src/kept
  asl ingest src >/dev/null
  asl ingest src >/dev/null
  digest=$(sha256sum <src/hurt | cut -d' ' -f1)
  run -0 asl stat "$digest" --extents --json
  block=$(find root -name "$(field artifact extents 0 block).bin")
  printf X | dd of="$block" bs=1 seek="$(field artifact extents 0 block_offset)" conv=notrunc status=none
  run -5 asl verify --data
  [[ $output == *"extent: "*"file 5:/hurt"*"file 6:/hurt"*"in snapshots 5, 6"*"try: asl repair --from"* ]]
  run -5 asl verify --max-age 7 --json
  [ "$(field blocks_read)" = 1 ]
  [ "$(field findings 0 snapshots)" = "[5, 6]" ]
  [ "$(field findings 0 artifacts 0)" = "sha256:$digest" ]
  # The original comes back; its old place stays damaged, and nothing needs it.
  touch src/hurt
  asl ingest src >/dev/null
  run -0 asl verify --data
  [[ $output == *"superseded: "*"try: asl gc drops it"*"no damage found"* ]]
  run -0 asl verify --data --json
  [ "$(field superseded_count)" = 1 ]
  asl gc >/dev/null
  run -0 asl verify --data --json
  [ "$(field superseded_count)" = 0 ]
}

@test "an interrupted run is gone on with" {
  # Slow enough to be stopped in the middle.
  env --default-signal=INT "$ASL_BIN" verify --rate 200K 2>/dev/null &
  verifying=$!
  until [ -s "$(echo root/domains/*)/store/cache/scrub" ] || ! kill -0 $verifying; do :; done
  kill -INT $verifying
  status=0
  wait $verifying || status=$?
  [ $status = 130 ]
  read_before=$(($(stat -c %s root/domains/*/store/cache/scrub) / 64))
  [ "$read_before" -ge 1 ]
  run -0 asl verify --max-age 1 --json
  [ "$(field blocks_read)" = $((blocks - read_before)) ]
}

@test "shares, rates and ages that make no sense are refused" {
  for arguments in "--sample 0%" "--sample 101%" "--rate 0" "--max-age -1" "--max-age soon" "--max-age 999999"; do
    # shellcheck disable=SC2086
    run -2 asl verify $arguments
  done
}
