# Ctrl-C and SIGTERM: the run ends at once and cleanly, and what was read is kept.

load store_support

setup() {
  new_store
}

# Waits until a file has something in it; bounded by its tries.
wait_for() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [[ -s $1 ]] && return 0
    read -r -t 0.05 <>"$BATS_TEST_TMPDIR/clock" || true
  done
  return 1
}

# An ingest of a pipe that said something and then says nothing more, in the background as $pid.
start_on_idle_pipe() {
  mkfifo pipe clock
  head -c 40000000 /dev/urandom >said
  exec 7<>pipe
  env --default-signal=INT,TERM "$ASL_BIN" ingest --stdin name --progress json <pipe >out 2>err 7>&- &
  pid=$!
  cat said >&7
  # It has read all that there is once the progress says so.
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    grep -q '"bytes_done":40000000' err && return 0
    read -r -t 0.05 <>clock || true
  done
  cat err
  return 1
}

@test "an ingest that waits for an idle pipe ends at the first signal" {
  for signal in INT TERM; do
    rm -f pipe clock
    start_on_idle_pipe
    kill -$signal $pid
    status=0
    wait $pid || status=$?
    exec 7>&-
    [ "$status" -eq 130 ]
    [[ $(cat err) == *interrupted* ]]
  done
  run -0 asl verify --data
  # What it had read and stored is found by the next run; up to 12 MiB wait in memory to be hashed together.
  run -0 asl ingest --stdin name --json <said
  [ "$(field bytes_new)" -lt 25000000 ]
}

@test "an ingest of a command that says nothing ends at the first signal, and the command with it" {
  mkfifo clock
  env --default-signal=INT,TERM "$ASL_BIN" ingest --stdin name \
    --stdin-from-command 'echo $$ >child; exec sleep 1000' >out 2>err &
  pid=$!
  wait_for child
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ "$status" -eq 130 ]
  [[ $(cat err) == *interrupted* ]]
  run ! kill -0 "$(cat child)"
  run -0 asl verify
}

@test "a fifo named as a source is refused and not waited for" {
  mkfifo pipe
  run -10 asl ingest pipe
  [[ $output == *pipe* ]]
}
