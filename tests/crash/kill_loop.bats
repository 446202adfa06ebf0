# kill -9 of the real program under load, beside a reader and a file of what was reported done.

@test "what was reported done survives kill -9 of every command at any moment" {
  rounds=16
  [ -z "${ASL_LONG_TESTS:-}" ] || rounds=400
  run "$ASL_SOURCE_DIR/tests/crash/kill-loop" "$BATS_TEST_TMPDIR" "$rounds" "${ASL_TEST_SEED:-1}"
  echo "$output"
  [ "$status" -eq 0 ]
  echo "# $output" >&3
}
