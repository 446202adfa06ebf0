# asl-auth-host: keyed domains, their authority in the log, publications, log heads, audits.
# ASL_BIN and ASL_BUILD_DIR are where the programs under test are.

bats_require_minimum_version 1.5.0

setup_file() {
  # A ceremony costs some seconds: made once, copied for every test.
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cd "$BATS_FILE_TMPDIR"
  printf 'pass phrase of the tests\n' >pass
  for key in new:domain-root ann:operational a:offline-root b:offline-root; do
    "$host" key new "${key%:*}" --class "${key#*:}" --kdf moderate --pass-file pass >/dev/null
  done
  "$host" --root root genesis archive --kdf moderate --pass-file pass --date 2026-11-21 >made 2>warnings
}

setup() {
  source_dir=${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cp -R "$BATS_FILE_TMPDIR"/. "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR"
  export ASL_ROOT=$PWD/root
  domain=$(echo root/domains/*)
}

asl_host() { "$host" "$@"; }
asl() { "$ASL_BIN" "$@"; }
words() { "$host" show "$1" | awk '$1 == "words" { $1 = ""; print substr($0, 2) }'; }
key_id() { "$host" key show "$1" | awk '$1 " " $2 == "key id" { print $3 }'; }
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

@test "genesis makes keys, store, manifest, tree and card, in one command" {
  grep -q "^words        " made
  grep -q "root key is on this host: copy .*/certs/root.priv.enc" warnings
  [ "$(stat -c %a "$domain/certs/root.priv.enc")" = 600 ]
  asl_host key check "$domain/certs/root.priv.enc" --public "$domain/certs/root.pub" --pass-file pass
  asl_host key check "$domain/certs/dam-signer.priv.enc" --public "$domain/certs/dam-signer.pub" --pass-file pass
  for file in domain.card dam/dam-1.json dam/dam-1.json.sig policies/policy-f22a*.json; do [ -s "$domain"/$file ]; done
  ls root/env-claims/*.claim
  asl sums 1 >sums
  for file in domain.id domain.pubkey attestations/dam.chain; do grep -q "  $file\$" sums; done
  asl restore 1 --to tree
  asl_host dam verify tree/attestations/dam.chain
  [ "$(cat tree/domain.id)" = "$(basename "$domain")" ]
  [ "$(asl_host key show tree/domain.pubkey | grep 'key id')" = "$(asl_host key show "$domain/certs/root.pub" | grep 'key id')" ]
  asl_host audit
}

@test "the page of Python agrees with what genesis signed" {
  for pub in root dam-signer; do cp "$domain/certs/$pub.pub" .; done
  run -0 /usr/bin/python3 "$source_dir/doc/check_envelope.py" "$domain/dam/dam-1.json.sig" root/env-claims/*.claim root.pub \
    dam-signer.pub
  [ "$(grep -c ' good$' <<<"$output")" = 2 ]
}

@test "a name is used once, a bad one makes nothing, and every option that is wrong is told before keys are made" {
  run -7 --separate-stderr asl_host genesis archive --kdf moderate --pass-file pass --date 2026-11-21
  [[ $stderr == *"there is such a domain already: archive"* ]]
  run -2 asl_host genesis 'no name' --kdf moderate --pass-file pass --date 2026-11-21
  run -2 --separate-stderr asl_host genesis other --kdf moderate --pass-file pass --date 21.11.2026
  [[ $stderr == *"a date is YYYY-MM-DD: 21.11.2026"* ]]
  run -2 --separate-stderr setsid "$host" genesis other --kdf moderate --pass-file pass
  [[ $stderr == *"try: --date YYYY-MM-DD"* ]]
  run -7 --separate-stderr asl_host genesis other --root-key ann.priv.enc --kdf moderate --pass-file pass --date 2026-11-21
  [[ $stderr == *"(rule signer-class)"* ]]
  ls root/host >left
  ! grep -q ceremony left
  [ "$(ls root/domains | wc -l)" = 1 ]
}

@test "keys may stay elsewhere: nothing private comes to the host" {
  asl_host genesis second --root-key new.priv.enc --key ann.priv.enc --pass-file pass --date 2026-11-21
  other=$(dirname "$(grep -l . root/domains/*/domain.card | grep -v "$domain")")
  [ "$(find "$other" -name '*.priv.enc' | wc -l)" = 0 ]
  run -4 --separate-stderr asl_host -d second publish 1
  [[ $stderr == *"the domain's key is not on this host"*"try: --key FILE"* ]]
  asl_host -d second publish 1 --key ann.priv.enc --pass-file pass
  asl_host -d second audit
}

@test "a ceremony that was interrupted goes on with its keys" {
  # As a crash leaves it: the domain has its first record, its keys are in the ceremony's directory.
  cp -R root half-root
  export ASL_ROOT=$PWD/half-root
  id=$(basename "$domain")
  mkdir "half-root/host/ceremony-$id"
  mv half-root/domains/"$id"/certs/* "half-root/host/ceremony-$id/"
  # Its log ends after the first commit: header, one group.
  truncate -s 8192 half-root/domains/"$id"/log/log-*.aol
  rm half-root/domains/"$id"/log/head half-root/domains/"$id"/store/index/*
  rm -rf half-root/domains/"$id"/store/cache
  run -7 --separate-stderr asl_host log head --to h --key ann.priv.enc --pass-file pass
  [[ $stderr == *"(rule authority-unbound)"* ]]
  asl_host genesis archive --pass-file pass --date 2026-11-22
  asl_host audit
  [ ! -e "half-root/host/ceremony-$id" ]
  asl_host key check half-root/domains/"$id"/certs/root.priv.enc --pass-file pass
}

@test "a local domain's snapshots are imported, published, attested" {
  mkdir src && printf 'hello\n' >src/file
  "$ASL_BIN" --root local init
  "$ASL_BIN" --root local ingest src
  run -7 --separate-stderr asl_host --root local attest 1 --key ann.priv.enc --pass-file pass
  [[ $stderr == *"(rule authority-unbound)"* ]]
  asl import local
  [ "$(asl cat 2:/file)" = hello ]
  asl_host publish 2 --pass-file pass
  asl_host attest 2 --pass-file pass --value 'disk of case 17' --to statement.sig
  run asl_host show statement.sig --public "$domain/certs/dam-signer.pub"
  [[ $output == *"value = disk of case 17"*" good"* ]]
  run -7 asl snapshot forget 2
  asl_host attest latest --pass-file pass
  run -4 asl_host publish 9 --pass-file pass
  asl_host audit
  [ "$(asl_host --json audit | json 'd["publications"]')" = 1 ]
  asl verify --data
  asl gc
  asl_host audit
}

@test "the five changes of a manifest, and who may do what after each" {
  issue() { asl_host dam issue --date 2026-11-22 --pass-file pass "$@"; }
  run -7 --separate-stderr asl_host publish 1 --key ann.priv.enc --pass-file pass
  [[ $stderr == *"(rule authority-principal)"* ]]
  issue --principal ann.pub=produce
  run -7 --separate-stderr asl_host publish 1 --key ann.priv.enc --pass-file pass
  [[ $stderr == *"it does not hold the role publish (rule authority-role)"* ]]
  issue --principal ann.pub=publish
  asl_host publish 1 --key ann.priv.enc --pass-file pass
  issue --remove "$(key_id "$domain/certs/dam-signer.pub")" --principal ann.pub=all
  run -7 asl_host publish 1 --pass-file pass
  run -7 --separate-stderr issue --new-root new.pub
  [[ $stderr == *"(rule dam-signed)"* ]]
  issue --new-root new.pub --root-key "$domain/certs/root.priv.enc" --root-key new.priv.enc --key ann.priv.enc
  run -7 issue --principal ann.pub=all
  issue --principal ann.pub=all --root-key new.priv.enc
  [ "$(asl_host --json domain show | json 'd["dam_version"]')" = 6 ]
  run -7 --separate-stderr asl_host dam issue --date 2026-11-21 --pass-file pass --principal ann.pub=audit --root-key new.priv.enc
  [[ $stderr == *"(rule date-order)"* ]]
  asl_host audit
}

@test "a manifest made on another machine is bound here" {
  asl cat authority:/attestations/dam.chain >dam.chain
  asl_host dam new --chain dam.chain --principal ann.pub=audit --key "$domain/certs/root.priv.enc" --pass-file pass
  run -0 asl_host bind dam.chain
  [[ $output == *"bound        dam asl1:"*"there        1"* ]]
  [ "$(asl_host --json domain show | json 'd["dam_version"]')" = 2 ]
  # Bound twice is bound once.
  run -0 asl_host bind dam.chain
  [[ $output != *"bound  "* ]]
  [ -s "$domain/dam/dam-2.json.sig" ]
  asl_host audit
}

@test "once a root set is pinned, the domain acts only with a certificate" {
  asl_host root-set new --public a.pub --public b.pub --threshold 2 --key a.priv.enc --pass-file pass --to root-set.sig
  asl_host sign --add root-set.sig --key b.priv.enc --pass-file pass --confirm "$(words root-set.sig)"
  run -7 --separate-stderr asl_host bind root-set.sig
  [[ $stderr == *"(rule root-set-pinned)"* ]]
  asl_host bind root-set.sig --root-words "$(words root-set.sig)"
  run -7 --separate-stderr asl_host publish 1 --pass-file pass
  [[ $stderr == *"(rule authority-certificate)"*"try: "* ]]
  asl cat authority:/attestations/dam.chain >dam.chain
  asl_host cert request --chain dam.chain --key "$domain/certs/root.priv.enc" --pass-file pass --to request.sig
  asl_host cert issue request.sig --chain dam.chain --root-set root-set.sig --key a.priv.enc --pass-file pass \
    --confirm "$(words request.sig)" --to certificate.sig
  run -7 --separate-stderr asl_host bind certificate.sig
  [[ $stderr == *"(rule threshold-reached)"* ]]
  asl_host sign --add certificate.sig --key b.priv.enc --pass-file pass --confirm "$(words certificate.sig)"
  asl_host bind certificate.sig
  asl_host publish 1 --pass-file pass
  run asl_host domain show
  [[ $output == *"; certified"* ]]
  # Deleting files does not weaken it: the log remembers.
  rm "$domain"/certs/*.sig
  run asl_host domain show
  [[ $output == *"; certified"* ]]
  asl_host audit
}

@test "two manifests of one version are kept, and end the domain" {
  asl cat authority:/attestations/dam.chain >one.chain
  cp one.chain two.chain
  for chain in one two; do
    asl_host dam new --chain $chain.chain --principal ann.pub="$([ $chain = one ] && echo audit || echo all)" \
      --key "$domain/certs/root.priv.enc" --pass-file pass
  done
  asl_host bind one.chain
  run -7 --separate-stderr asl_host bind two.chain
  [[ $stderr == *"two valid manifests of version 2"*"(rule dam-fork)"* ]]
  run -7 --separate-stderr asl_host publish 1 --pass-file pass
  [[ $stderr == *"(rule dam-fork)"* ]]
  run -5 asl_host audit
  [[ $output == *"objects      3 dam"* ]]
}

@test "a log head shows later whether the log was rolled back" {
  asl_host log head --to old.head --pass-file pass
  cp -R root rolled-back
  asl_host date --date 2026-11-22
  asl_host log head --to new.head --pass-file pass
  run -0 asl_host log check old.head
  [[ $output == *"is in the log, 2 records came after it"* ]]
  run -5 --separate-stderr asl_host --root rolled-back log check new.head
  [[ $stderr == *"it was cut back, or is another copy"*"(rule head-continues)"* ]]
  # Another history, as long as this one.
  asl_host --root rolled-back date --date 2026-11-23
  run -5 --separate-stderr asl_host --root rolled-back log check new.head
  [[ $stderr == *"its history was exchanged (rule head-continues)"* ]]
  run -8 asl_host log check "$domain/dam/dam-1.json.sig"
  run -7 asl_host log head --to x --key ann.priv.enc --pass-file pass
}

@test "dates do not go back without a reason" {
  run -7 --separate-stderr asl_host date --date 2026-11-20
  [[ $stderr == *"(rule date-order)"* ]]
  asl_host date --date 2026-11-20 --reason 'the clock was a day ahead'
  run asl log
  [[ $output == *'"the clock was a day ahead"'* ]]
  run -7 --separate-stderr asl_host date --date 2028-01-01
  [[ $stderr == *"(rule date-leap)"* ]]
  asl_host date --date 2028-01-01 --date 2028-01-01
  asl_host audit
}

@test "the card is whole, and says so to whoever gets it" {
  asl_host card --to card --pass-file pass
  run asl_host show card
  [[ $output == *"object       domain card"*"$(basename "$domain")"* ]]
  sed 's/"snapshot_required\\":true/"snapshot_required\\":false/' card >bad
  run -5 --separate-stderr asl_host show bad
  [[ $stderr == *"(rule card-whole)"* ]]
  head -c 100 card >short
  run -8 asl_host show short
}

@test "JSON says the same" {
  [ "$(asl_host --json domain show | json '(d["schema"], d["acts"], d["certified"], d["dam_version"])')" = "('asl.domain-show.v1', True, False, 1)" ]
  [ "$(asl_host --json audit | json '(d["schema"], d["objects"]["dam"], d["problems"])')" = "('asl.audit.v1', 1, [])" ]
  asl_host --json publish 1 --pass-file pass | json 'd["kind"]'
  asl_host --json log head --to h --pass-file pass | json 'd["schema"]'
  [ "$(asl_host --json log check h | json '(d["key_is_current"], d["records_since"])')" = "(True, 0)" ]
}
