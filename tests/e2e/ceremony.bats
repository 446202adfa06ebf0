# The blocks of doc/ceremony.md, run in order as they stand there. Costs some forty keys and pass phrases of 256 MiB each.
# ASL_BIN and ASL_BUILD_DIR are where the programs under test are. ASL_SOPS names a sops; see auth_bundle.bats.

bats_require_minimum_version 1.5.0

setup_file() {
  page=${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}/doc/ceremony.md
  sops=${ASL_SOPS:-${ASL_PEERS:-$HOME/.cache/asl-peers}/bin/sops}
  [[ -x $sops ]] || sops=$(command -v sops || true)
  mkdir "$BATS_FILE_TMPDIR/bin" "$BATS_FILE_TMPDIR/work"
  cd "$BATS_FILE_TMPDIR"
  ln -s "$ASL_BIN" bin/asl
  ln -s "${ASL_BUILD_DIR:?}/tools/auth-host/asl-auth-host" bin/asl-auth-host
  kinds='sh'
  if [[ -n $sops ]]; then
    ln -s "$sops" bin/sops
    kinds='sh|sh sops'
  fi
  {
    echo 'set -euo pipefail'
    # shellcheck disable=SC2016 # for the shell that runs the page
    echo 'trap '\''echo "a step failed: doc/ceremony.md:$((LINENO + at)): $BASH_COMMAND" >&2'\'' ERR; set -E'
    # `at`: what LINENO lacks to be a line of the page.
    awk -v kinds="^\`\`\`($kinds)\$" '
      /^```/ && inside { inside = 0; print "reached=\"$reached " NR "\""; next }
      $0 ~ kinds { inside = 1; print "at=$((" NR " - LINENO))"; next }
      inside { print }' "$page"
    # shellcheck disable=SC2016
    echo 'echo "reached$reached"'
  } >page.sh
  code=0
  (cd work && unset ASL_ROOT && reached= PATH=$BATS_FILE_TMPDIR/bin:$PATH bash ../page.sh </dev/null >../out 2>../err) || code=$?
  echo "$code" >code
}

setup() {
  page=${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}/doc/ceremony.md
  cd "$BATS_FILE_TMPDIR"
}

@test "every block of the page does what it says" {
  tail -5 err
  [ "$(cat code)" = 0 ]
  # Each was reached to its end, so none was left out by a changed fence.
  [ "$(grep -c '^```sh$' "$page")" -ge 7 ]
  wanted=$(awk '/^```/ { if (inside) { if (run) printf " %d", NR; inside = 0 } else { inside = 1; run = ($0 == "```sh") } }' "$page")
  for line in $wanted; do grep -qE "^reached.* $line( |\$)" out; done
}

@test "what its comments say of decisions is what was decided" {
  [ "$(cat code)" = 0 ]
  for text in ACCEPTED_LIMITED COURTESY 'decision     ACCEPTED$' FULL REJECTED REVOKED; do grep -q "$text" out; done
  for rule in authority-certificate authority-principal admission-replay bundle-once admission-state; do
    grep -q "# .*rule $rule" "$page"
    grep -q "(rule $rule)" err
  done
}

@test "the page's steps with the program sops" {
  [ -e bin/sops ] || skip "no sops here: bench/compare/build-peers sops makes one"
  [ "$(cat code)" = 0 ]
  for rule in bundle-signed bundle-envelope; do grep -q "(rule $rule)" err; done
}
