# asl-auth-host: bundles, and what the stock program sops does with them.
# ASL_BIN and ASL_BUILD_DIR are where the programs under test are. ASL_SOPS names a sops; without it, the one that
# bench/compare/build-peers makes, or one in the path.

bats_require_minimum_version 1.5.0

setup_file() {
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cd "$BATS_FILE_TMPDIR"
  printf 'pass phrase of the tests\n' >pass
  for name in archive guest; do
    "$host" --root $name genesis $name --kdf moderate --pass-file pass --date 2026-11-21 >/dev/null 2>&1
    cp $name/domains/*/domain.card $name.card
  done
  # Identities whose secrets are 32 times 1, 2 and 3.
  /usr/bin/python3 - <<'PY'
import sys
CHARS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
def polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1ffffff) << 5 ^ value
        for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= g if top >> i & 1 else 0
    return check
def bech32(name, data):
    bits = ''.join(f'{b:08b}' for b in data)
    bits += '0' * (-len(bits) % 5)
    words = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    head = [ord(c) >> 5 for c in name] + [0] + [ord(c) & 31 for c in name]
    sum_ = polymod(head + words + [0] * 6) ^ 1
    return name + '1' + ''.join(CHARS[w] for w in words + [sum_ >> 5 * (5 - i) & 31 for i in range(6)])
from nacl.bindings import crypto_scalarmult_base
for n in (1, 2, 3):
    secret = bytes([n]) * 32
    open(f'id{n}', 'w').write('# of the tests\n' + bech32('age-secret-key-', secret).upper() + '\n')
    open(f'to{n}', 'w').write(bech32('age', crypto_scalarmult_base(secret)))
PY
}

setup() {
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cp -R "$BATS_FILE_TMPDIR"/. "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR"
  unset ASL_ROOT
  sops=${ASL_SOPS:-${ASL_PEERS:-$HOME/.cache/asl-peers}/bin/sops}
  [[ -x $sops ]] || sops=$(command -v sops || true)
  guest=$(basename guest/domains/*)
}

asl_host() { "$host" "$@"; }
create() { # PURPOSE OPTION...
  asl_host --root guest bundle create --purpose "$@" --recipient "$(<to1)" --recipient "$(<to2)" --pass-file pass
}
words_of() { awk '$1 == "words" { $1 = ""; print substr($0, 2) }'; }
need_sops() {
  [[ -n $sops ]] || skip "no sops here: bench/compare/build-peers sops makes one"
  export SOPS_AGE_KEY_FILE=$PWD/id1
}

@test "a bundle for rescue is made, verified, opened by its words" {
  create rescue --notes 'for the tests' --to r.sops.yaml >made
  sha256sum -c r.sops.yaml.sha256
  [ "$(stat -c %a r.sops.yaml)" = 600 ]
  run ! grep -q 'for the tests' r.sops.yaml
  run -0 asl_host --root guest bundle verify r.sops.yaml --identity id2
  [[ $output == *"domain       $guest"*"notes        for the tests"* ]]
  run -7 --separate-stderr asl_host --root guest bundle verify r.sops.yaml --identity id3
  [[ $stderr == *"no identity opens"* ]]
  run -7 --separate-stderr asl_host --root guest bundle open r.sops.yaml --identity id1 --to out --confirm "nobody"
  [[ $stderr == *"not opened: "* ]]
  [ ! -e out ]
  run -0 --separate-stderr asl_host --root nowhere bundle open r.sops.yaml --identity id1 --to out --confirm "$(words_of <made)"
  [[ $stderr == *"destroy it now"* && $output == *"host         does not know this domain"* ]]
  asl_host dam verify out/dam.chain
  cmp <(cut -d' ' -f3 out/root.pub) <(cut -d' ' -f3 guest/domains/*/certs/root.pub)
}

@test "a bundle for admission is used once" {
  asl_host --root guest admission request archive.card --lease-bytes 1G --pass-file pass --to request.sig >/dev/null
  create admission --request request.sig --to a.sops.yaml
  words=$(asl_host show request.sig | words_of)
  run -0 asl_host --root archive admit a.sops.yaml --identity id1 --pass-file pass --date 2026-11-21 --confirm "$words"
  [[ $output == *"ACCEPTED_LIMITED"* ]]
  run -7 --separate-stderr asl_host --root archive admit a.sops.yaml --identity id1 --pass-file pass --date 2026-11-21 --confirm "$words"
  [[ $stderr == *"(rule bundle-once)"* ]]
  asl_host --root archive audit
  create rescue --to r.sops.yaml
  run -7 --separate-stderr asl_host --root archive admit r.sops.yaml --identity id1 --pass-file pass --date 2026-11-21
  [[ $stderr == *"not for admission"* ]]
}

@test "a root key comes back from a bundle for recovery" {
  run -4 --separate-stderr create recovery --to k.sops.yaml
  [[ $stderr == *"no host policy that lists custody recipients"* ]]
  printf '{"custody_recipients":["%s"],"kind":"host-policy","v":1}\n' "$(<to1)" >guest/host/host-policy.json
  run -7 --separate-stderr create recovery --to k.sops.yaml
  [[ $stderr == *"(rule bundle-custody)"* && $stderr == *"$(<to2)"* ]]
  printf '{"custody_recipients":["%s","%s"],"kind":"host-policy","v":1}\n' "$(<to1)" "$(<to2)" >guest/host/host-policy.json
  create recovery --to k.sops.yaml >made
  reinstall() {
    asl_host --root guest bundle open k.sops.yaml --identity id1 --confirm "$(words_of <made)" --reinstall-root --kdf moderate \
      --new-pass-file pass
  }
  run -7 --separate-stderr reinstall # the key is still there
  rm guest/domains/*/certs/root.priv.enc
  run -0 --separate-stderr reinstall
  asl_host key check guest/domains/*/certs/root.priv.enc --public guest/domains/*/certs/root.pub --pass-file pass
  rm guest/domains/*/certs/root.priv.enc
  run -7 --separate-stderr reinstall
  [[ $stderr == *"(rule bundle-once)"* ]]
  asl_host --root guest audit
}

@test "stock sops opens a bundle, and what it rotates is still one" {
  need_sops
  create rescue --notes 'for the tests' --to r.sops.yaml >made
  run -0 --separate-stderr "$sops" decrypt --extract '["asl_sops_bundle"]["contents"]["optional"]["notes"]' r.sops.yaml
  [ "$output" = 'for the tests' ]
  cp r.sops.yaml rotated.sops.yaml
  "$sops" rotate -i rotated.sops.yaml
  run ! cmp -s r.sops.yaml rotated.sops.yaml
  run -0 asl_host --root guest bundle verify rotated.sops.yaml --identity id2
  [ "$(words_of <<<"$output")" = "$(words_of <made)" ]
  "$sops" decrypt r.sops.yaml >plain.yaml
  "$sops" encrypt --age "$(<to2),$(<to1)" --encrypted-regex '^contents$' --output-type json plain.yaml >again.json
  asl_host --root guest bundle verify again.json --identity id1
}

@test "what sops sets or seals to a stranger is refused by name" {
  need_sops
  create rescue --notes 'for the tests' --to r.sops.yaml >made
  cp r.sops.yaml set.sops.yaml
  "$sops" set set.sops.yaml '["asl_sops_bundle"]["contents"]["optional"]["notes"]' '"other"'
  run -5 --separate-stderr asl_host --root guest bundle verify set.sops.yaml --identity id1
  [[ $stderr == *"(rule bundle-signed)"* ]]
  cp r.sops.yaml stranger.sops.yaml
  "$sops" rotate -i --add-age "$(<to3)" stranger.sops.yaml
  run -7 --separate-stderr asl_host --root guest bundle verify stranger.sops.yaml --identity id1
  [[ $stderr == *"$(<to3)"*"(rule bundle-envelope)"* ]]
  "$sops" decrypt r.sops.yaml >plain.yaml
  "$sops" encrypt --age "$(<to1),$(<to2)" plain.yaml >all.sops.yaml
  run -8 --separate-stderr asl_host --root guest bundle verify all.sops.yaml --identity id1
  [[ $stderr == *"unencrypted_suffix"* ]]
}

@test "a recipient that is no X25519 key is exit 10" {
  plugin=age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t
  run -10 --separate-stderr create rescue --to r.sops.yaml --recipient $plugin
  [[ $stderr == *"no X25519 key"*"$plugin"*"try: "* && ! -e r.sops.yaml ]]
  printf '{"custody_recipients":["%s"],"kind":"host-policy","v":1}\n' $plugin >guest/host/host-policy.json
  run -10 --separate-stderr create recovery --to r.sops.yaml
  [[ $stderr == *host-policy.json* && ! -e r.sops.yaml ]]
  create rescue --to r.sops.yaml
  sed "s/$(<to2)/$plugin/" r.sops.yaml >p.sops.yaml
  run -10 --separate-stderr asl_host --root guest bundle verify p.sops.yaml --identity id1
  [[ $stderr == *"no X25519 key"*"try: open it with sops"* ]]
  printf 'AGE-PLUGIN-YUBIKEY-1QQQQ\n' >plugin-id
  run -10 --separate-stderr asl_host --root guest bundle verify r.sops.yaml --identity plugin-id
  [[ $stderr == *"identity of a plugin"* && $stderr != *QQQQ* ]]
}

@test "a request of another domain is not put into a bundle" {
  asl_host --root archive admission request guest.card --pass-file pass --to other.sig >/dev/null
  run -5 --separate-stderr create admission --request other.sig --to a.sops.yaml
  [[ $stderr == *"(rule bundle-admission)"* && ! -e a.sops.yaml ]]
}

@test "JSON says the same" {
  create rescue --to r.sops.yaml >made
  run -0 asl_host --json --root guest bundle verify r.sops.yaml --identity id1
  python3 -c '
import json, sys
d = json.loads(sys.argv[1])
assert d["schema"] == "asl.bundle-verify.v1" and d["purpose"] == "rescue" and d["checked_by_host"] and d["written"] == []
assert len(d["recipients"]) == 2 and d["words"] == sys.argv[2]' "$output" "$(words_of <made)"
}
