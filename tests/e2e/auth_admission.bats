# asl-auth-host: one domain asks another to be admitted; guest, member, suspended, resumed, revoked.
# ASL_BIN and ASL_BUILD_DIR are where the programs under test are.

bats_require_minimum_version 1.5.0

setup_file() {
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cd "$BATS_FILE_TMPDIR"
  printf 'pass phrase of the tests\n' >pass
  for name in archive guest; do
    "$host" --root $name genesis $name --kdf moderate --pass-file pass --date 2026-11-21 >/dev/null 2>&1
    cp $name/domains/*/domain.card $name.card
    cp $name/domains/*/certs/root.pub $name.pub
  done
}

setup() {
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cp -R "$BATS_FILE_TMPDIR"/. "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR"
  unset ASL_ROOT
  guest=$(basename guest/domains/*)
}

asl_host() { "$host" "$@"; }
words() { "$host" show "$1" | awk '$1 == "words" { $1 = ""; print substr($0, 2) }'; }
ask() { # FILE OPTION...
  asl_host --root guest admission request archive.card --pass-file pass --to "$@" >/dev/null
}
admit() { # FILE
  asl_host --root archive admit "$1" --pass-file pass --date 2026-11-21 --confirm "$(words "$1")"
}
state() { asl_host --root archive domain state "${guest:0:12}" "$@" --pass-file pass; }

@test "guest, suspended, resumed, member, revoked" {
  ask one.sig --lease-bytes 10G --lease-days 7
  run -0 admit one.sig
  [[ $output == *"decision     ACCEPTED_LIMITED"*"because      trust-pin: "*"state        COURTESY"* ]]
  run asl_host --root archive domain show
  [[ $output == *"peer         $guest COURTESY, lease until 2026-11-28"* ]]
  run -0 state suspend --reason key-lost
  run -0 state resume
  [[ $output == *"state        COURTESY"* ]]
  run -7 --separate-stderr asl_host --root archive pin guest.card --pin-words "$(words archive.pub)"
  [[ $stderr == *"not pinned: "* ]]
  asl_host --root archive pin guest.card --pin-words "$(words guest.pub)"
  ask two.sig --scope produce,publish
  run -0 admit two.sig
  [[ $output == *"decision     ACCEPTED"*"state        FULL"* ]]
  run -0 state revoke
  run -7 --separate-stderr state resume
  [[ $stderr == *"(rule admission-state)"* ]]
  ask three.sig
  run -7 admit three.sig
  [[ $output == *"decision     REJECTED"*"because      revoked: "*"state        REVOKED"* ]]
  asl_host --root archive audit
  ls archive/domains/*/admission/*.admission-decision.sig archive/domains/*/leases/*.lease.sig
}

@test "a request is decided once, by a key that may, after its words were compared" {
  ask one.sig --lease-bytes 1G
  run -7 --separate-stderr asl_host --root archive admit one.sig --pass-file pass --date 2026-11-21 --confirm "$(words guest.pub)"
  [[ $stderr == *"not confirmed, nothing was signed"* ]]
  run -7 --separate-stderr asl_host --root archive admit one.sig --pass-file pass --date 2026-11-21 \
    --confirm "$(words one.sig)" --key guest/domains/*/certs/dam-signer.priv.enc
  [[ $stderr == *"(rule authority-principal)"* ]]
  admit one.sig
  run -7 --separate-stderr admit one.sig
  [[ $stderr == *"(rule admission-replay)"* ]]
  run -8 admit guest.card
  run -4 --separate-stderr asl_host --root archive domain state 00000000 revoke --pass-file pass
  run -2 --separate-stderr state forgive
}

@test "a request to somebody else is rejected, and the refusal is signed" {
  asl_host --root other genesis other --kdf moderate --pass-file pass --date 2026-11-21
  ask one.sig
  run -7 asl_host --root other admit one.sig --pass-file pass --date 2026-11-21 --confirm "$(words one.sig)" --to no.sig
  [[ $output == *"REJECTED"*"because      audience: "* ]]
  run -0 asl_host show no.sig --public other/domains/*/certs/dam-signer.pub
  [[ $output == *"reasons[0] = audience"*" good"* ]]
  asl_host --root other audit
  # A request is never to its own domain.
  run -8 --separate-stderr asl_host --root guest admission request guest.card --pass-file pass --to own.sig
  [[ $stderr == *"asks its own domain"* ]]
}

@test "JSON says the same" {
  ask one.sig --lease-bytes 1G
  run -0 asl_host --json --root archive admit one.sig --pass-file pass --date 2026-11-21 --confirm "$(words one.sig)"
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert d["schema"] == "asl.admit.v1" and d["decision"] == "ACCEPTED_LIMITED" and d["reasons"] == ["trust-pin"]
assert d["state"] == "COURTESY" and "lease_hash" in d' "$output"
  run -0 asl_host --json --root archive domain show
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert [p["state"] for p in d["peers"]] == ["COURTESY"] and d["pins"] == []' "$output"
}
