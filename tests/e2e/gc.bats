# Getting space back: forget, gc, and what ingest makes of a store that lost something.

load store_support

setup() {
  new_store
  mkdir src
  head -c 400000 /dev/urandom >src/stays
  head -c 600000 /dev/urandom >src/goes
  asl ingest src --label first >/dev/null
  rm src/goes
  echo new >src/new
  asl ingest src --label second >/dev/null
}

block_bytes() { find root -name '*.bin' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

@test "gc frees what only forgotten snapshots needed, and the rest comes back whole" {
  before=$(block_bytes)
  asl snapshot forget first >/dev/null
  run -0 asl gc
  [[ $output == *"snapshot 2 (second)"*"freed "* ]]
  [ "$(block_bytes)" -le $((before - 600000)) ]
  run -0 asl verify --data --artifacts
  asl restore second --to back >/dev/null
  diff -r src back
  run -0 asl gc --json
  [ "$(field schema)" = asl.gc.v1 ]
  [ "$(field blocks_removed)" = 0 ]
}

@test "a dry run says the same and changes nothing" {
  asl snapshot forget first >/dev/null
  before=$(find root -type f -printf '%P %s %T@\n' | sort)
  run -0 asl gc --dry-run
  [[ $output == *"would free "* ]]
  [ "$(find root -type f -printf '%P %s %T@\n' | sort)" = "$before" ]
}

@test "what gc took is read again by the next ingest, and what stayed is not" {
  settle src
  asl ingest src >/dev/null
  cp -p src/stays kept
  asl snapshot forget 1 2 3 >/dev/null
  echo other >other
  asl ingest other >/dev/null
  run -0 asl gc
  run -0 asl ingest src --json
  [ "$(field files_unchanged)" = 0 ]
  asl restore latest --to back >/dev/null
  diff -r src back
  # Nothing of this source went: its rows are believed again once they were looked up.
  run -0 asl gc
  settle src
  asl ingest src >/dev/null
  echo more >more
  asl ingest more >/dev/null
  asl snapshot forget latest >/dev/null
  asl gc >/dev/null
  run -0 asl ingest src --json
  [ "$(field files_unchanged)" = 2 ]
  asl verify --data >/dev/null
}

# The stat cache does not believe files that changed in the last two seconds.
settle() { touch -d '1 hour ago' "$1"/*; until [ "$(($(date +%s) - $(stat -c %Z "$1/stays")))" -gt 3 ]; do :; done; }

@test "a damaged file heals by ingesting it again, although nothing of it changed" {
  settle src
  asl ingest src >/dev/null
  python3 - <<'PY'
import glob
wanted = open('src/stays', 'rb').read()[:4096]
for path in glob.glob('root/domains/*/store/blocks/*/*.bin'):
    data = bytearray(open(path, 'rb').read())
    at = data.find(wanted)
    if at >= 0:
        data[at + 10] ^= 1
        open(path, 'wb').write(data)
PY
  run -5 asl verify --data
  [[ $output == *stays* ]]
  asl ingest src >/dev/null
  asl restore latest --to back >/dev/null
  diff -r src back
}

@test "forget applies keep rules and gc follows" {
  run -2 asl forget
  [[ $output == *"no rule says what to keep"* ]]
  run -0 asl forget --keep-last 1 --dry-run
  [[ $output == *"1 kept, 1 would be forgotten"* ]]
  run -0 asl snapshots --json
  [ "$(field snapshots 1 snapshot_id)" = 2 ]
  asl snapshot hold first >/dev/null
  run -0 asl forget --keep-last 1
  [[ $output == *"keep: on hold"*"2 kept, 0 forgotten"* ]]
  asl snapshot release first >/dev/null
  run -0 asl forget --keep-last 1 --json
  [ "$(field snapshots 0 keep)" = false ]
  run -0 asl snapshots --json
  [ "$(field snapshots 0 snapshot_id)" = 2 ]
  run -7 asl forget --keep-tag none
  [[ $output == *"would keep no snapshot at all"* ]]
}

@test "gc waits for nobody and does nothing while another process writes" {
  mkfifo pipe
  asl ingest --stdin held <pipe >/dev/null 2>&1 &
  exec 7>pipe
  echo data >&7
  until [ -e root/domains/*/store/tmp/session ]; do :; done
  run -3 asl gc
  exec 7>&-
  wait
  run -0 asl gc
}
