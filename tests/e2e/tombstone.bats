# Withdrawing what should never have been ingested.

load store_support

setup() {
  new_store
  mkdir -p src/dir
  echo 'the secret key' >src/dir/key
  cp src/dir/key src/copy
  echo harmless >src/dir/other
  asl ingest src >/dev/null
}

@test "a withdrawn file is refused wherever it stands, and comes back when the tombstone is lifted" {
  run -0 asl tombstone latest:dir/key
  [[ $output == "sha256:$(sha256sum <src/copy | cut -c1-64)  withdrawn" ]]
  run -7 asl cat latest:dir/key
  [[ $output == *"withdrawn by a tombstone"* ]]
  run -7 asl cat latest:copy
  [ "$(asl cat latest:dir/other)" = harmless ]
  # Neither verify nor gc takes it for damage, and gc keeps it.
  run -0 asl gc
  run -0 asl verify --data --artifacts
  run -0 asl tombstone latest:dir/key
  [[ $output == "nothing changed"* ]]
  run -0 asl tombstone --lift latest:copy
  [[ $output == *"can be read again" ]]
  asl cat latest:dir/key | cmp - src/dir/key
}

@test "a restore leaves out what is withdrawn, names it and says so with its status" {
  asl -q tombstone latest:copy
  run -7 asl restore latest --to out
  [[ $output == *"dir/key: withdrawn by a tombstone"* && $output == *"copy: withdrawn by a tombstone"* ]]
  [ "$(cat out/dir/other)" = harmless ]
  [ ! -e out/copy ]
  # A directory that is withdrawn is no damage either.
  asl -q tombstone latest:dir
  run -7 asl restore latest --to again
  [[ $output == *"dir: withdrawn by a tombstone"* ]]
}

@test "a secret leaves the disk with the next gc, and putting it again is refused" {
  run -0 asl tombstone latest:dir/key --reason secret
  [[ $output == *"asl gc takes them away"* ]]
  grep -rqF 'the secret key' "$ASL_ROOT"
  run -0 asl gc
  run ! grep -rqF 'the secret key' "$ASL_ROOT"
  run -0 asl verify --data --artifacts
  run -7 asl cat latest:copy
  run -7 asl put src/copy
  run -0 asl tombstone latest:dir/key --reason secret
  [[ $output == "nothing changed"* ]]
}

@test "--reached takes what a directory names, and --json lists it" {
  run -0 asl tombstone --reached latest:dir --reason policy --json
  [ "$(field schema)" = asl.tombstone.v1 ]
  [ "$(field changed_count)" = 3 ]
  run -7 asl ls latest:dir
  run -7 asl cat latest:copy
  run -0 asl ls latest:
  run -0 asl tombstone --reached --lift latest:dir --json
  [ "$(field changed_count)" = 3 ]
  [ "$(field artifacts 0 withdrawn)" = false ]
  asl cat latest:copy | cmp - src/copy
}

@test "what cannot be withdrawn is said, and nothing is" {
  run -4 asl tombstone latest:missing
  run -4 asl tombstone latest:copy "$(printf '0%.0s' {1..64})"
  run -4 asl tombstone --lift latest:copy
  [[ $output == *"not withdrawn"* ]]
  run -2 asl tombstone --lift latest:copy --reason legal
  run -2 asl tombstone
  [ "$(asl cat latest:copy)" = 'the secret key' ]
}
