# Snapshots and domains as lists: snapshots, snapshot show/label/forget/hold/release, domain, log.

load store_support

setup() {
  new_store
  mkdir src
  echo one >src/file
  asl ingest src --label first --tag red --tag blue --host left >/dev/null
  echo two >>src/file
  asl ingest src --host right >/dev/null
}

@test "snapshots are listed oldest first with host, label, tags and sources" {
  run -0 asl snapshots
  [ "${#lines[@]}" -eq 3 ]
  [[ ${lines[1]} == *1*left*"first #blue #red"*"$PWD/src"*4\ B ]]
  [[ ${lines[2]} == *2*right*8\ B ]]
}

@test "snapshots can be chosen by host, tag, source and number" {
  run -0 asl snapshots --json --host left
  [ "$(field snapshots 0 snapshot_id)" = 1 ]
  run -0 asl snapshots --json --tag red --tag blue
  [ "$(field snapshots 0 snapshot_id)" = 1 ]
  run -0 asl snapshots --json --tag red --tag green
  [ "$(field snapshots)" = "[]" ]
  run -0 asl snapshots --json --source "$PWD/src/" -n 1
  [ "$(field snapshots 0 snapshot_id)" = 2 ]
  [ "$(field complete)" = true ]
  run -0 asl snapshots --source /elsewhere
  [ -z "$output" ]
}

@test "one snapshot is shown with its reference, counts and parent" {
  run -0 asl snapshot show latest --json
  [ "$(field schema)" = asl.snapshot-show.v1 ]
  [ "$(field snapshot_id)" = 2 ]
  [ "$(field parent_id)" = 0 ]
  [ "$(field files)" = 1 ]
  [ "$(field error_list)" = "[]" ]
  [[ $(field reference) == asl1:* ]]
  run -0 asl snapshot show first
  [[ $output == *"label       first"*"1 files, "* ]]
  run -4 asl snapshot show 9
  [[ $output == *"asl: no such snapshot: 9"*"try: asl snapshots"* ]]
}

@test "what could not be read is shown with the snapshot" {
  [ "$(id -u)" -ne 0 ] || skip "root can read everything"
  echo secret >src/locked
  chmod 0 src/locked
  run -1 asl ingest src
  run -0 asl snapshot show latest
  [[ $output == *"errors      1"*"src/locked: open: Permission denied"* ]]
}

@test "a label moves to the snapshot that gets it last, and an empty one goes away" {
  run -0 asl snapshot label 2 first
  [ "$output" = "snapshot 2 labelled first, which was snapshot 1's" ]
  run -0 asl snapshot show first --json
  [ "$(field snapshot_id)" = 2 ]
  asl snapshot label 2 '' >/dev/null
  run -4 asl snapshot show first
}

@test "labels that could be mistaken for something else are refused" {
  for label in 12 latest a:b a/b .. $'a\nb' $'\xff'; do
    run -2 asl snapshot label 1 "$label"
    run -2 asl ingest src --label "$label"
  done
  run -0 asl snapshot show 1 --json
  [ "$(field label)" = first ]
}

@test "a held snapshot cannot be forgotten until it is released" {
  run -0 asl snapshot hold 1 --reason 'case 7'
  [ "$output" = "snapshot 1 on hold" ]
  run -0 asl snapshots
  [[ ${lines[1]} == *held ]]
  run -7 asl snapshot forget 2 1
  [[ $output == *"the snapshot is on hold: 1"*"try: asl snapshot release 1"* ]]
  run -0 asl snapshots --json
  [ "$(field snapshots 1 snapshot_id)" = 2 ]
  asl snapshot release 1 >/dev/null
  run -0 asl snapshot forget -n 1
  run -0 asl snapshot forget 1 2 2
  run -0 asl snapshots
  [ -z "$output" ]
  run -4 asl snapshot forget 1
}

@test "the log says in words what happened, and counts commits from its end" {
  asl snapshot hold 1 --reason $'a "quoted"\nreason' >/dev/null
  run -0 asl log
  [[ ${lines[0]} == *"1  GENESIS "* ]]
  [[ $output == *"SNAPSHOT_ANCHOR  snapshot 1 is asl1:"* ]]
  [[ $output == *'snapshot 1 held: "a \"quoted\"\u000areason"'* ]]
  run -0 asl log -n 1 --json
  [ "$(field records 0 type)" = SNAPSHOT_HOLD ]
  [ "$(field records 0 facts on)" = true ]
  [ "$(field damage)" = "[]" ]
  local last
  last=$(field records 1 logseq)
  run -0 asl log --since "$last" --hashes
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[1]} =~ ^\ +[0-9a-f]{64}$ ]]
}

@test "a flipped bit in the log is found, and what verifies is still shown" {
  local file
  file=$(echo root/domains/*/log/log-*.aol)
  printf 'X' | dd of=$file bs=1 seek=8200 conv=notrunc status=none
  run -5 asl log
  [[ $output == *GENESIS* ]]
  [[ $output == *"asl: warning: "*".aol"* ]]
  run -5 asl log --json
}

@test "domains are made, listed and shown" {
  run -0 asl domain create archive
  run -0 asl domain list --json
  [ "$(field domains 0 alias)" = local ]
  [ "$(field domains 0 snapshots)" = 2 ]
  [ "$(field domains 1 alias)" = archive ]
  [ "$(field domains 1 snapshots)" = 0 ]
  run -2 asl snapshots
  run -0 asl -d archive snapshots
  run -0 asl domain show local
  [[ $output == *"alias      local"*"2, the latest is 2"* ]]
  run -0 asl domain show archive --json
  [ "$(field snapshots)" = 0 ]
  run -7 asl domain create archive
  run -4 asl domain show nothing
}
