# asl rewrite: snapshots without what should never have been ingested.

load store_support

setup() {
  new_store
  export LC_ALL=C.UTF-8
  mkdir -p home/docs home/.ssh etc
  head -c 300000 /dev/urandom >home/docs/plan
  ln home/docs/plan home/docs/same
  head -c 50000 /dev/urandom >home/.ssh/id_rsa
  ln -s id_rsa home/.ssh/current
  echo config >etc/config
  touch -d '2001-02-03 04:05:06.789' home/docs home
  asl ingest --label first --tag kept home etc >/dev/null
}

# fact ID KEY...: what `snapshot show` says.
fact() {
  local output
  output=$(asl --json snapshot show "$1")
  field "${@:2}"
}

@test "what is taken out is gone from the copy, and everything else is as it was" {
  run -0 asl rewrite first --exclude .ssh/
  [[ ${lines[0]} == "snapshot 2 is snapshot 1 without 1 file, 1 directory, 1 other entry (48.8 KiB)" ]]
  [[ ${lines[1]} == *"asl snapshot forget 1"* ]]
  asl restore 1 --to one >/dev/null
  asl restore 2 --to two >/dev/null
  [ -e one/home/.ssh/id_rsa ]
  rm -r one/home/.ssh
  touch -d '2001-02-03 04:05:06.789' one/home
  run -0 rsync -aHAXS --delete -n -i --checksum one/ two/
  [ -z "$output" ]
  [ "$(fact 2 files)" = 3 ]
  [ "$(fact 2 parent_id)" = 1 ]
  [ "$(fact 2 created)" = "$(fact 1 created)" ]
  [ "$(fact 2 tags 0)" = kept ]
  [ "$(fact 1 label)" = first ]
  asl verify --data >/dev/null
  run -0 asl diff 1 2
  [ "$(grep -c . <<<"$output")" -ge 3 ]
  [[ $output != *plan* ]]
}

@test "--forget puts the copy in the original's place, and gc frees the bytes" {
  key=$(sha256sum <home/.ssh/id_rsa | cut -d ' ' -f 1)
  run -0 asl rewrite --all --exclude id_rsa --forget
  [[ ${lines[1]} == *"asl gc"* ]]
  run -4 asl snapshot show 1
  [ "$(fact first snapshot_id)" = 2 ]
  asl gc >/dev/null
  run -4 asl get "sha256:$key"
  asl verify --data >/dev/null
  run -0 asl rewrite --all --exclude id_rsa
  [ "$output" = "snapshot 2: has nothing of it" ]
}

@test "a dry run says the same and changes nothing" {
  find root -name '*.aol' -o -name '*.bin' | sort | xargs sha256sum >before
  run -0 asl --json rewrite 1 --exclude '**/id_*' --exclude-larger-than 200000 --dry-run
  [ "$(field dry_run)" = true ]
  [ "$(field snapshots 0 new_snapshot_id)" = None ]
  [ "$(field snapshots 0 removed files)" = 3 ]
  [ "$(field snapshots 0 removed bytes)" = 650000 ]
  find root -name '*.aol' -o -name '*.bin' | sort | xargs sha256sum >after
  cmp before after
}

@test "a source can go whole, but never the last one" {
  run -0 asl rewrite 1 --exclude-source "$PWD/home"
  run -0 asl tree 2
  [[ $output != *plan* ]]
  [[ $output == *config* ]]
  run -2 asl rewrite 1 2 --exclude-source "$PWD/home" --exclude-source "$PWD/etc" --forget
  [[ $output == *"nothing would be left"* ]]
  [ "$(asl snapshots | wc -l)" -eq 3 ]
}

@test "a snapshot on hold is not forgotten, and nothing is done then" {
  asl ingest etc >/dev/null
  asl snapshot hold 2 >/dev/null
  run -7 asl rewrite 1 2 --exclude config --forget
  [[ $output == *"on hold"* ]]
  [ "$(asl snapshots | wc -l)" -eq 3 ]
  run -2 asl rewrite 1
  run -2 asl rewrite --exclude x
  run -2 asl rewrite 1 --exclude '['
}

@test "lines of the errors go with what they name" {
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  mkdir -p bad/open bad/secret
  echo x | tee bad/open/unreadable >bad/secret/unreadable
  chmod 000 bad/*/unreadable
  # Root can read everything.
  mkdir public
  export ASL_ROOT=$BATS_TEST_TMPDIR/public/root
  as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$ASL_BIN" "$@"; }
  chmod 777 public
  chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
  as_nobody init >/dev/null 2>&1 || skip "the program cannot be run by another user here"
  run -1 as_nobody ingest bad
  [ "$(fact 1 errors)" = 2 ]
  run -0 as_nobody rewrite 1 --exclude secret
  [ "$(fact 2 errors)" = 1 ]
  run -0 asl snapshot show 2 --errors
  [[ $output == *bad/open/unreadable* ]]
  [[ $output != *secret* ]]
}

@test "a withdrawn directory stays as it is, or goes, unread" {
  asl tombstone --reached 1:/home/.ssh >/dev/null
  run -0 asl rewrite 1 --exclude plan
  run -7 asl ls 2:/home/.ssh
  run -0 asl rewrite 1 --exclude .ssh
  run -4 asl stat 3:/home/.ssh
}

@test "a directory of several leaves keeps those that did not change" {
  mkdir many
  (cd many && seq -f 'name-%06g' 20000 | xargs touch)
  asl ingest many >/dev/null
  run -0 asl rewrite 2 --exclude name-000777
  run -0 asl ls 3:/
  [ "$(wc -l <<<"$output")" -eq 19999 ]
  rm many/name-000777
  # An ingest of what is left gives the same tree.
  asl ingest many >/dev/null
  [ "$(fact 3 sources 0 content)" = "$(fact 4 sources 0 content)" ]
}
