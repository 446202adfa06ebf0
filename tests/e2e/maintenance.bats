# What a store is made of, and its cache: stats, index rebuild.

load store_support

setup() {
  new_store
  mkdir src
  head -c 300000 /dev/urandom >src/random
  yes 'the same line' | head -c 300000 >src/text
  asl ingest src --label first >/dev/null
  echo more >src/more
  asl ingest src >/dev/null
}

@test "stats shows sizes, growth by snapshot and what zstd would save" {
  run -0 asl stats
  [[ $output == *"snapshots "*"5 files in 2 snapshots"* ]]
  [[ $output == *"deduplication: plain copies"*"times the extents"* ]]
  [[ $output == *"zstd would save about"*"measured: level 3 on"* ]]
  run -0 asl stats --compression-sample 0
  [[ $output != *zstd* ]]
}

@test "stats --json holds what the store holds" {
  run -0 asl stats --json
  [ "$(field schema)" = asl.stats.v1 ]
  [ "$(field snapshots count)" = 2 ]
  [ "$(field snapshots bytes)" = 1200005 ]
  [ "$(field growth 0 to_snapshot)" = 1 ]
  [ "$(field growth 1 to_snapshot)" = 2 ]
  [ "$(field blocks missing)" = 0 ]
  [ "$(field compression_sample sampled_bytes)" = "$(field extents raw_bytes)" ]
  [ "$(field disk_bytes total)" -gt 300000 ]
  [ "$(field damaged)" = "[]" ]
}

@test "stats of an empty store is all zeros and no error" {
  "$ASL_BIN" init other >/dev/null
  run -0 asl --root other stats
  [[ $output == *"snapshots "*"0 B"*"0 files in 0 snapshots"* ]]
}

@test "index rebuild says what it did, and what was missing is there again" {
  rm root/domains/*/store/index/*.bf
  rm -r root/domains/*/store/cache/index
  run -0 asl index rebuild
  [[ ${lines[0]} == "the index cache was made anew: "*" artifacts of 2 segments, "* ]]
  [ "${lines[1]}" = "2 bloom files were missing or damaged, and written" ]
  run -0 asl index rebuild --json
  [ "$(field schema)" = asl.index-rebuild.v1 ]
  [ "$(field blooms_written)" = 0 ]
  [ "$(field damaged)" = "[]" ]
  asl verify --data >/dev/null
}

@test "a damaged segment is named by both, and the rest is served" {
  segment=$(echo root/domains/*/store/index/segment-2.idx)
  printf X | dd of="$segment" bs=1 seek=200 conv=notrunc status=none
  run -5 asl index rebuild
  [[ $output == *"damaged: "*"segment 2: "*"/$segment at offset"*"what the other segments hold is served"*"try: asl verify"* ]]
  run -5 asl stats
  [[ $output == *"asl: warning: not counted: "*"segment 2"* ]]
  cmp <(asl cat first:/random) src/random
}

@test "index rebuild waits for no other writer, and stats needs no lock" {
  locked='
import fcntl, struct, subprocess, sys
F_OFD_SETLK = 37
with open(sys.argv[1], "r+b") as lock:
    fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    sys.exit(subprocess.run(sys.argv[2:]).returncode)'
  run -3 python3 -c "$locked" root/domains/*/store/lock "$ASL_BIN" index rebuild
  [[ $output == *"another asl is writing to this domain"* ]]
  run -0 python3 -c "$locked" root/domains/*/store/lock "$ASL_BIN" stats
}
