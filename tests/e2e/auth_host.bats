# asl-auth-host: keys, manifests, root sets and certificates, from files alone.
# ASL_BUILD_DIR is where the program under test is built.

bats_require_minimum_version 1.5.0

setup_file() {
  # Every key costs 256 MiB and a moment: made once.
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cd "$BATS_FILE_TMPDIR"
  printf 'pass phrase of the tests\n' >pass
  for key in root:domain-root new:domain-root a:offline-root b:offline-root c:offline-root worker:operational; do
    "$host" key new "${key%:*}" --class "${key#*:}" --kdf moderate --pass-file pass --comment "key ${key%:*}" >/dev/null
  done
  "$host" policy new . >/dev/null
}

setup() {
  source_dir=${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}
  host=${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host
  cp -R "$BATS_FILE_TMPDIR"/. "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR"
  unset ASL_ROOT
  policy=policy-f22a0e3df9cf6b102c33d1906aeced8fabc5e3918217935146671504add1eab2.json
}

asl_host() { "$host" "$@"; }

# words FILE: the sixteen words of the object in an envelope.
words() { "$host" show "$1" | awk '$1 == "words" { $1 = ""; print substr($0, 2) }'; }

# other_words WORDS: the same but for the first, which any word may be.
other_words() {
  local first=zulu
  if [[ ${1,,} == zulu\ * ]]; then first=aardvark; fi
  echo "$first ${1#* }"
}

key_id() { "$host" key show "$1" | awk '$1 " " $2 == "key id" { print $3 }'; }

new_chain() {
  asl_host dam new --policy "$policy" --principal worker.pub=execute,publish --key root.priv.enc --pass-file pass \
    --to dam.chain
}

two_of_three() {
  asl_host root-set new --public a.pub --public b.pub --public c.pub --threshold 2 --key a.priv.enc --pass-file pass \
    --to root-set.sig
  asl_host sign --add root-set.sig --key b.priv.enc --pass-file pass --confirm "$(words root-set.sig)"
}

@test "every command explains itself, and the man pages and completion are what the table says" {
  for page in "$source_dir"/doc/man/asl-auth-host-*.1; do
    word=$(basename "$page" .1)
    word=${word#asl-auth-host-}
    asl_host "$word" --help >help
    grep -q "^Usage: asl-auth-host $word " help
    run groff -man -ww -z -Tutf8 "$page"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
  done
  "$source_dir"/tools/generate-docs --check "$ASL_BUILD_DIR"
}

@test "a key is two files, the private one for its owner only, and neither is ever overwritten" {
  [ "$(stat -c %a root.priv.enc)" = 600 ]
  [[ $(cat root.pub) =~ ^asl-public-key-v1\ ed25519\ [0-9a-f]{64}\ key\ root$ ]]
  run -7 --separate-stderr asl_host key new root --class domain-root --kdf moderate --pass-file pass
  [[ $stderr == *"a file of this name exists: root.priv.enc"* ]]
}

@test "key show needs no pass phrase; key check proves the file and the pair" {
  run asl_host key show root.priv.enc
  [[ $output == *"domain-root"* && $output == *"256 MiB, 3 passes"* ]]
  asl_host key check root.priv.enc --public root.pub --pass-file pass
  run -5 --separate-stderr asl_host key check root.priv.enc --public new.pub --pass-file pass
  [[ $stderr == *"not the one of this public key"* ]]
  printf 'wrong' >wrong
  run -7 --separate-stderr asl_host key check root.priv.enc --pass-file wrong
  [[ $stderr == *"wrong pass phrase"*"root.priv.enc"* ]]
}

@test "a private key file that others can read is warned about, and still opens" {
  chmod 640 root.priv.enc
  run --separate-stderr asl_host key check root.priv.enc --pass-file pass
  [ "$status" -eq 0 ]
  [[ $stderr == *"warning: others may read this private key file, mode 0640: root.priv.enc"* ]]
}

@test "pass phrases come from a descriptor, line by line" {
  asl_host key check root.priv.enc --pass-fd 3 3<pass
  run -7 asl_host key check root.priv.enc --pass-fd 3 3<<<'another'
}

@test "without a terminal nothing asks" {
  run -2 --separate-stderr setsid "$host" key check root.priv.enc
  [[ $stderr == *"there is no terminal"*"try: --pass-file FILE or --pass-fd N"* ]]
}

@test "a terminal asks without echo, and --generate shows its phrase there only" {
  command -v script >/dev/null || skip "no script(1)"
  run script -qec "'$host' key new typed --class operational --kdf moderate --generate --words 8 >out" /dev/null
  [[ $output == *"shown only this once"* ]]
  phrase=$(sed -n 's/^    //p' <<<"$output" | tr -d '\r')
  [ "$(wc -w <<<"$phrase")" = 8 ]
  ! grep -q "${phrase%% *}" out
  printf '%s\n' "$phrase" >typed-pass
  asl_host key check typed.priv.enc --pass-file typed-pass
  # The phrase is typed once the prompt is there and the echo is off.
  run -0 /usr/bin/python3 - "$host" "$phrase" <<'PY'
import os, pty, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'key', 'check', 'typed.priv.enc'])
seen = b''
while not seen.endswith(b': '):
    seen += os.read(fd, 1)
assert not termios.tcgetattr(fd)[3] & termios.ECHO, 'echo is on'
os.write(fd, sys.argv[2].encode() + b'\n')
try:
    while chunk := os.read(fd, 4096):
        seen += chunk
except OSError:
    pass
assert sys.argv[2].encode() not in seen, 'the phrase was echoed'
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
  [[ $output == *"Pass phrase for typed.priv.enc: "*"works"* ]]
}

@test "Ctrl-C at the prompt turns the echo on again" {
  run -130 /usr/bin/python3 - "$host" <<'PY'
import os, pty, signal, sys, termios
pid, fd = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
    os.execv(sys.argv[1], [sys.argv[1], 'key', 'check', 'root.priv.enc'])
seen = b''
while not seen.endswith(b': '):
    seen += os.read(fd, 1)
held = os.open(os.readlink(f'/proc/{pid}/fd/0'), os.O_RDWR | os.O_NOCTTY)
os.write(fd, b'\x03')
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert termios.tcgetattr(held)[3] & termios.ECHO, 'echo is still off'
sys.exit(status)
PY
}

@test "dice and files are mixed into a new key" {
  run -0 /usr/bin/python3 - "$host" <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'key', 'new', 'diced', '--class', 'operational', '--kdf', 'moderate', '--dice',
                           '--pass-file', 'pass'])
seen = b''
while not seen.endswith(b'form: '):
    seen += os.read(fd, 1)
os.write(fd, b'6 3 5 1 2 6\n')
try:
    while chunk := os.read(fd, 4096):
        seen += chunk
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
  asl_host key check diced.priv.enc --pass-file pass --public diced.pub
  : >empty
  run -2 asl_host key new mixed --class operational --kdf moderate --pass-file pass --mix-file empty
  asl_host key new mixed --class operational --kdf moderate --pass-file pass --mix-file <(head -c 100 /dev/urandom)
  # An existing public key file is found before a key is made.
  rm mixed.priv.enc
  run -7 asl_host key new mixed --class operational --kdf moderate --pass-file pass
  [ ! -e mixed.priv.enc ]
}

@test "passwd replaces the pass phrase of the file" {
  printf 'the next one' >next
  asl_host key passwd root.priv.enc --pass-file pass --new-pass-file next --kdf moderate
  asl_host key check root.priv.enc --pass-file next
  run -7 asl_host key check root.priv.enc --pass-file pass
  [ "$(stat -c %a root.priv.enc)" = 600 ]
  [ ! -e root.priv.enc.next ]
}

@test "a policy has the published hash, and a file is checked against its name" {
  [ "$(asl_host policy hash "$policy")" = f22a0e3df9cf6b102c33d1906aeced8fabc5e3918217935146671504add1eab2 ]
  asl_host policy check "$policy"
  asl_host policy new --keep-snapshots 8
  mv "$policy" old
  cp policy-*.json "$policy"
  run -5 --separate-stderr asl_host policy check "$policy"
  [[ $stderr == *"(rule policy-hash)"* ]]
}

@test "a domain's manifest: issue, add, change, remove, new root" {
  new_chain
  run asl_host dam verify dam.chain
  [[ $output == *"version      1"* ]]
  asl_host dam new --chain dam.chain --principal c.pub=audit --key root.priv.enc --pass-file pass
  asl_host dam new --chain dam.chain --principal c.pub=produce --key root.priv.enc --pass-file pass
  asl_host dam new --chain dam.chain --remove "$(key_id c.pub)" --key root.priv.enc --pass-file pass
  cp dam.chain before
  run -7 --separate-stderr asl_host dam new --chain dam.chain --new-root new.pub --key root.priv.enc --pass-file pass
  [[ $stderr == *"(rule dam-signed)"* ]]
  cmp dam.chain before
  asl_host dam new --chain dam.chain --new-root new.pub --key root.priv.enc --key new.priv.enc --pass-file pass
  run -7 asl_host dam new --chain dam.chain --principal c.pub=audit --key root.priv.enc --pass-file pass
  run asl_host show dam.chain
  [[ $output == *"signatures   1 of 1 by its own root key"*"signatures   1 of 1 by the root key before it"* ]]
  asl_host dam new --chain dam.chain --principal c.pub=audit --key new.priv.enc --pass-file pass
  run asl_host dam show dam.chain
  [ "$(grep -c '^version ' <<<"$output")" = 6 ]
  run asl_host --json dam verify dam.chain
  python3 -c 'import json,sys; d=json.loads(sys.argv[1]); assert d["schema"] == "asl.dam-verify.v1" and d["versions"][0]["version"] == 6' "$output"
}

@test "a dry run shows what would be signed, and its words bind the signing" {
  make() {
    asl_host dam new --policy "$policy" --principal worker.pub=execute --key root.priv.enc --to dam.chain "$@"
  }
  run make --dry-run
  [ "$status" -eq 0 ]
  [ ! -e dam.chain ]
  [[ $output == *"principals[0].roles[0] = execute"* ]]
  words=$(awk '$1 == "words" { $1 = ""; print substr($0, 2) }' <<<"$output")
  run -7 --separate-stderr make --pass-file pass --confirm "$(other_words "$words")"
  [[ $stderr == *"not confirmed, nothing was signed"* ]]
  [ ! -e dam.chain ]
  make --pass-file pass --confirm "$words"
  [ "$(words dam.chain)" = "$words" ]
}

@test "keys sign only what their class signs" {
  run -7 --separate-stderr asl_host dam new --policy "$policy" --principal worker.pub=all --key worker.priv.enc \
    --pass-file pass --to dam.chain
  [[ $stderr == *"a key of class operational does not sign a dam (rule signer-class)"*"try: a key of class domain-root"* ]]
  [ ! -e dam.chain ]
  two_of_three
  run -7 --separate-stderr asl_host sign --add root-set.sig --key root.priv.enc --pass-file pass \
    --confirm "$(words root-set.sig)"
  [[ $stderr == *"(rule signer-class)"* ]]
}

@test "a root set below its threshold counts for nothing, and signatures are only ever added" {
  asl_host root-set new --public a.pub --public b.pub --public c.pub --threshold 2 --key a.priv.enc --pass-file pass \
    --to root-set.sig
  run asl_host show root-set.sig
  [[ $output == *"signatures   1 of 2"* ]]
  run -7 --separate-stderr asl_host root-set verify root-set.sig
  [[ $stderr == *"(rule root-set-signed)"* ]]
  words=$(words root-set.sig)
  run -7 --separate-stderr asl_host sign --add root-set.sig --key b.priv.enc --pass-file pass --confirm "${words/ / x }"
  [[ $stderr == *"not confirmed, nothing was signed"* ]]
  run -2 setsid "$host" sign --add root-set.sig --key b.priv.enc --pass-file pass
  asl_host sign --add root-set.sig --key b.priv.enc --pass-file pass --confirm "$words"
  run -7 --separate-stderr asl_host sign --add root-set.sig --key b.priv.enc --pass-file pass --confirm "$words"
  [[ $stderr == *"(rule signature-once)"* ]]
  asl_host root-set verify root-set.sig --words "$words"
  run -7 asl_host root-set verify root-set.sig --words "$(other_words "$words")"
  # The next version, by the old keys and the new.
  run asl_host root-set new --after root-set.sig --public b.pub --threshold 1 --key b.priv.enc --pass-file pass \
    --to root-set-2.sig
  [[ $output == *"signatures   1 of 1 by its own keys"*"signatures   1 of 2 by the root set before it"* ]]
  run -7 asl_host root-set verify root-set.sig root-set-2.sig
  run asl_host sign --add root-set-2.sig --root-set root-set.sig --key a.priv.enc --pass-file pass \
    --confirm "$(words root-set-2.sig)"
  [[ $output == *"signatures   2 of 2 by the root set before it"* ]]
  run asl_host root-set verify root-set.sig root-set-2.sig
  [[ $output == *"version 2, 1 of 1"*"first words  $words"* ]]
}

@test "from a certificate request to a certificate" {
  new_chain
  two_of_three
  asl_host cert request --chain dam.chain --key root.priv.enc --pass-file pass --to request.sig
  asl_host cert issue request.sig --chain dam.chain --root-set root-set.sig --key a.priv.enc --pass-file pass \
    --confirm "$(words request.sig)" --to certificate.sig
  run asl_host show certificate.sig --root-set root-set.sig
  [[ $output == *"signatures   1 of 2"* ]]
  run -7 --separate-stderr asl_host cert verify certificate.sig --root-set root-set.sig
  [[ $stderr == *"(rule threshold-reached)"* ]]
  asl_host sign --add certificate.sig --key c.priv.enc --pass-file pass --confirm "$(words certificate.sig)"
  run asl_host cert verify certificate.sig --root-set root-set.sig --chain dam.chain
  [[ $output == *"signatures   2 of 2"* ]]
  # A request by somebody else's key is refused, even for the right subject.
  run -7 --separate-stderr asl_host cert request --chain dam.chain --key new.priv.enc --pass-file pass --to other.sig
  [[ $stderr == *"(rule certificate-possession)"* ]]
  [ ! -e other.sig ]
  asl_host policy ratify "$policy" "$(asl_host dam verify dam.chain | awk '$1 == "domain" { print $2 }')" \
    --key a.priv.enc --key b.priv.enc --pass-file pass --to ratification.sig
  asl_host policy check "$policy" --ratification ratification.sig --root-set root-set.sig
}

@test "a page of Python agrees about hashes and signatures" {
  new_chain
  two_of_three
  run -0 /usr/bin/python3 "$source_dir/doc/check_envelope.py" dam.chain root-set.sig root.pub a.pub b.pub
  [ "$(grep -c ' good$' <<<"$output")" = 3 ]
  for file in dam.chain root-set.sig; do
    hash=$(asl_host show "$file" | awk '$1 == "hash" { print $2 }')
    grep -q " $hash$" <<<"$output"
  done
  # One bit of a signature.
  /usr/bin/python3 - <<'PY'
text = open('root-set.sig').read()
at = text.index('"sig":"') + 20
open('bad.sig', 'w').write(text[:at] + ('A' if text[at] != 'A' else 'B') + text[at + 1:])
PY
  run -1 /usr/bin/python3 "$source_dir/doc/check_envelope.py" bad.sig a.pub b.pub
  run -5 asl_host show bad.sig
  run -1 /usr/bin/python3 "$source_dir/doc/check_envelope.py" "$policy"
  run -2 /usr/bin/python3 "$source_dir/doc/check_envelope.py"
}

@test "text from a file cannot drive the terminal, and strange files are refused" {
  printf '{"payload":"\e]0;owned\a"}' >bad
  run -8 --separate-stderr asl_host show bad
  [[ $stderr != *$'\e'* ]]
  run -8 asl_host show "$BATS_TEST_FILENAME"
  run -4 asl_host show nothing
  : >empty
  run -8 asl_host show empty
}
