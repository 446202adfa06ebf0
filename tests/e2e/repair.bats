# Putting back what is damaged: repair.

load store_support

setup() {
  new_store
  strange_tree
  rm src/sub/pipe
  head -c 30000 /dev/urandom >src/hurt
  head -c 30000 /dev/urandom >src/kept
  asl ingest src --label first >/dev/null
  cp -a root copy
}

# Changes a byte of the file's stored bytes.
damage() {
  run -0 asl stat "$(sha256sum <"$1" | cut -d' ' -f1)" --extents --json
  printf X | dd of="$(find root -name "$(field artifact extents 0 block).bin")" bs=1 conv=notrunc status=none \
    seek=$(($(field artifact extents 0 block_offset) + 1000))
}

whole() {
  run -0 asl verify --data --artifacts
  [[ $output == *"no damage found"* && $output != *superseded* ]]
  rm -rf back
  asl restore first --to back >/dev/null
  diff -r --no-dereference src/sub back/sub
  cmp src/hurt back/hurt
}

@test "damage that verify noted is healed from a copy of the store, another store, the source and a restored directory" {
  asl copy --init other >/dev/null
  asl restore first --to restored >/dev/null
  for place in copy other src restored; do
    damage src/hurt
    damage src/sub/large
    run -5 asl verify --data
    run -0 asl repair --from "$place"
    [[ $output == *"healed: block block "*" from $place"*"0 still wrong"* ]]
    whole
    run -0 asl repair --from "$place"
    [[ $output == *"nothing to repair"* ]]
  done
}

@test "a damaged log is mended from a copy, and with it whatever else is damaged" {
  echo later >src/later
  asl ingest src --label second >/dev/null
  cp -a root newer
  log=$(echo root/domains/*/log/log-*.aol)
  good=$(sha256sum <"$log")
  for at in 100 9000 $(($(stat -c %s "$log") - 100)); do
    damage src/hurt
    printf X | dd of="$log" bs=1 seek="$at" conv=notrunc status=none
    run -5 asl ingest src
    asl copy --init "other$at" >/dev/null || true
    [ "$at" = 100 ] || run -5 asl repair --from "other$at"
    run -0 asl repair --from newer --dry-run
    [[ $output == *"could be healed: log "* ]]
    run -0 asl repair --from newer --data
    [[ $output == *"healed: log "*"healed: block "*"0 still wrong"* ]]
    [ "$(sha256sum <"$log")" = "$good" ]
    whole
    asl ls second | grep -q later
  done
  # The older copy has the first records, and the later ones are still here.
  printf X | dd of="$log" bs=1 seek=9000 conv=notrunc status=none
  run -0 asl repair --from copy
  [ "$(sha256sum <"$log")" = "$good" ]
  # It does not have the last ones.
  printf X | dd of="$log" bs=1 seek=$(($(stat -c %s "$log") - 100)) conv=notrunc status=none
  bad=$(sha256sum <"$log")
  run -5 asl repair --from copy
  [[ $output == *"cannot be mended"*"try: "* ]]
  [ "$(sha256sum <"$log")" = "$bad" ]
}

@test "damage that nobody has noticed is found with --data" {
  damage src/hurt
  run -0 asl repair --from src
  [[ $output == *"nothing to repair"* ]]
  run -0 asl repair --from src --data --dry-run
  [[ $output == *"could be healed: block "*"0 still wrong"* ]]
  run -5 asl verify --data
  run -0 asl repair --from src --data --json
  [ "$(field schema)" = asl.repair.v1 ]
  [ "$(field healed_count)" = 1 ]
  [ "$(field healed 0 kind)" = block ]
  [ "$(field bytes_healed)" = 30000 ]
  [ "$(field finding_count)" = 0 ]
  whole
}

@test "an image that was ingested gives bytes too" {
  truncate -s 3M disk.img
  dd if=/dev/urandom of=disk.img bs=1M count=2 conv=notrunc status=none
  asl ingest disk.img --label disk >/dev/null
  rm -r "$(dirname "$(find root -path '*blocks*' -name '*.bin' -size +1000k | sort | tail -n 1)")"
  run -0 asl repair --from disk.img --from src --data
  whole
}

@test "a file that was moved is found by searching" {
  damage src/hurt
  mkdir elsewhere
  cp src/hurt elsewhere/another-name
  run -5 asl repair --from elsewhere --data
  [[ $output == *"still wrong:"*"file 1:/hurt"*"in snapshots 1"*"try: asl repair"* ]]
  run -0 asl repair --from elsewhere --search
  whole
}

@test "what no place has stays as it was and is named" {
  damage src/hurt
  mkdir wrong
  head -c 30000 /dev/urandom >wrong/hurt
  before=$(find root -name '*.bin' -exec sha256sum {} +)
  run -5 asl repair --from wrong --search --data
  [[ $output == *"still wrong:"*"file 1:/hurt"* ]]
  [ "$(find root -name '*.bin' -exec sha256sum {} +)" = "$before" ]
}

@test "a lost segment comes back from a copy, and what it named from another store or the source" {
  asl copy --init other >/dev/null
  segment=$(echo root/domains/*/store/index/segment-1.idx)
  rm "$segment"
  run -0 asl repair --from copy
  whole
  rm "$segment"
  run -5 asl repair --from other
  [[ $output == *"healed: artifact "* && $output == *"segment: "*"still wrong"* ]]
  rm -rf back
  asl restore first --to back >/dev/null
  diff -r --no-dereference src/sub back/sub
}

@test "metadata of blocks need no source" {
  mkdir nothing
  find root -name '*.meta' -path '*blocks*' -delete
  run -0 asl repair --from nothing
  [[ $output == *"healed: metadata block "*" from the store itself"* ]]
  whole
}

@test "places that make no sense are refused" {
  run -2 asl repair
  [[ $output == *"--from"* ]]
  run -4 asl repair --from nowhere
  run -2 asl repair --from root
  [[ $output == *"a store cannot be repaired from itself"* ]]
}
