# Real file systems and devices that fail: one that is full, a disk with bad sectors behind a file and behind a loop device.

load ../e2e/store_support

setup() {
  new_store
  cleanup=()
}

teardown() {
  local command
  for command in "${cleanup[@]}"; do $command; done
}

need_root() {
  [ "$(id -u)" -eq 0 ] || skip "needs root: $1"
}

# A new ext4 of 64 MiB at ./small, with a store on it.
small_store() {
  need_root "a loop mount"
  command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
  truncate -s 64M image
  mkfs.ext4 -q image
  mkdir small
  mount -o loop image small || skip "no loop device can be mounted here"
  cleanup+=("umount -l $BATS_TEST_TMPDIR/small")
  export ASL_ROOT=$BATS_TEST_TMPDIR/small/root
  asl init >/dev/null
}

# serve BACKING RANGES: ./served/disk shows BACKING, with the ranges unreadable.
serve() {
  [ -c /dev/fuse ] || skip "there is no /dev/fuse"
  mkdir served
  "$ASL_BUILD_DIR/tests/fault/bad_disk_fs" "$1" "$2" served || skip "nothing can be mounted by FUSE here"
  cleanup=("fusermount3 -u -z $BATS_TEST_TMPDIR/served" "${cleanup[@]}")
}

# gaps REFERENCE-OR-PATH: "offset+length,..." as `asl stat` tells them, adjacent ones joined.
gaps() {
  asl stat --json "$1" | python3 -c '
import json, sys

def find(value):
    if isinstance(value, dict):
        if "gaps" in value:
            return value["gaps"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        found = find(inner)
        if found is not None:
            return found

joined = []
for gap in find(json.load(sys.stdin)):
    if joined and sum(joined[-1]) == gap["offset"]:
        joined[-1][1] += gap["length"]
    else:
        joined.append([gap["offset"], gap["length"]])
print(",".join(f"{offset}+{length}" for offset, length in joined))'
}

# same_but_for FILE COPY RANGES: equal outside of the ranges.
same_but_for() {
  python3 - "$@" <<'PYTHON'
import sys
first, second = bytearray(open(sys.argv[1], 'rb').read()), bytearray(open(sys.argv[2], 'rb').read())
assert len(first) == len(second), (len(first), len(second))
for text in sys.argv[3].split(','):
    offset, length = map(int, text.split('+'))
    for content in first, second:
        content[offset:offset + length] = bytes(length)
assert first == second
PYTHON
}

@test "a full disk ends an ingest with 9, keeps what was committed, and gc can run on it" {
  small_store
  mkdir src kept
  head -c 10000000 /dev/urandom >src/one
  head -c 3000000 /dev/urandom >kept/two
  run -0 asl ingest src --label doomed
  run -0 asl ingest kept --label kept
  head -c 80000000 /dev/urandom >much
  for attempt in 1 2 3; do
    run asl ingest much
    [ "$status" -eq 9 ]
    [[ $output == *"No space left on device"* && $output == *"try: "* ]]
  done
  run -0 asl verify --data --artifacts
  # Nothing is left: not even for the log, but for the reserve.
  dd if=/dev/zero of=small/filler bs=64K 2>/dev/null || true
  run -0 asl snapshots
  run -0 asl snapshot forget doomed
  run -0 asl gc
  run -0 asl verify --data --artifacts
  rm small/filler
  run -0 asl restore kept --to back
  diff -r kept back
  run -0 asl ingest src
}

@test "a file on a bad disk is kept but for the sectors that cannot be read" {
  head -c 20000000 /dev/urandom >backing
  bad=1048576+4096,4997120+512,12582912+65536
  serve backing "$bad"
  run asl ingest served
  [ "$status" -eq 1 ]
  [[ $output == *"served/disk"* && $output == *"Input/output error"* ]]
  echo "gaps: $(gaps latest:disk)"
  [ "$(gaps latest:disk)" = 1048576+4096,4997120+4096,12582912+65536 ]  # a file is read by pages
  run -0 asl verify --data --artifacts
  run asl restore latest --to back
  same_but_for backing back/disk 1048576+4096,4997120+4096,12582912+65536
  # Not one byte of a gap is given as data.
  run asl cat latest:disk
  [ "$status" -ne 0 ]
}

@test "a disk with bad sectors is kept but for them" {
  need_root "a loop device"
  head -c 16777216 /dev/urandom >backing
  bad=0+4096,5242880+8192,16773120+4096
  serve backing "$bad"
  loop=$(losetup --show -r -f served/disk) || skip "there is no loop device"
  cleanup=("losetup -d $loop" "${cleanup[@]}")
  run asl ingest "$loop"
  [ "$status" -eq 1 ]
  [[ $output == *"$loop"* && $output == *"Input/output error"* ]]
  name=${loop##*/}
  echo "gaps: $(gaps "latest:$name")"
  [ "$(gaps "latest:$name")" = "$bad" ]
  run -0 asl verify --data --artifacts
  run asl restore latest --to back
  same_but_for backing "back/$name" "$bad"
}

@test "a disk that cannot be read at all is one gap" {
  head -c 1048576 /dev/urandom >backing
  serve backing 0+1048576
  run asl ingest served
  [ "$status" -eq 1 ]
  [ "$(gaps latest:disk)" = 0+1048576 ]
  run -0 asl verify --data --artifacts
}
