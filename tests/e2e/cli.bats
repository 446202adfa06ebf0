# What every command has in common: help, usage errors, exit codes, generated documents, completion.
# ASL_BIN is the program under test; ASL_SOURCE_DIR and ASL_BUILD_DIR are where it comes from.

bats_require_minimum_version 1.5.0

setup() {
  : "${ASL_BIN:?the program to test}"
  source_dir=${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}
  build_dir=${ASL_BUILD_DIR:-$(dirname "$ASL_BIN")/../..}
  cd "$BATS_TEST_TMPDIR"
  unset ASL_ROOT
}

@test "--version prints one line" {
  run --separate-stderr "$ASL_BIN" --version
  [ "$status" -eq 0 ]
  [[ $output =~ ^asl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
  [ -z "$stderr" ]
}

@test "--help goes to standard output and names every listed command" {
  run --separate-stderr "$ASL_BIN" --help
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "Usage: asl COMMAND [OPTION]... [ARGUMENT]..." ]
  [ -z "$stderr" ]
  for page in "$source_dir"/doc/man/asl-*.1; do
    [[ $page != */asl-auth-host* ]] || continue
    word=$(basename "$page" .1)
    grep -Eq "^  ${word#asl-}( |$)" <<<"$output"
  done
}

@test "every command explains itself by --help and by asl help, in lines of at most 80 columns" {
  for page in "$source_dir"/doc/man/asl-*.1; do
    [[ $page != */asl-auth-host* ]] || continue
    word=$(basename "$page" .1)
    word=${word#asl-}
    "$ASL_BIN" "$word" --help >by-option
    "$ASL_BIN" help "$word" >by-command
    cmp by-option by-command
    grep -q "^Usage: asl $word " by-option
    # Examples are commands and stay whole.
    ! sed '/^Examples:/,/^$/d' by-option | grep -E '^.{81}'
  done
}

@test "no command is a usage error with a next step" {
  run -2 --separate-stderr "$ASL_BIN"
  [ -z "$output" ]
  [ "${stderr_lines[0]}" = "usage: asl COMMAND [OPTION]... [ARGUMENT]..." ]
  [ "${stderr_lines[1]}" = "asl: no command given" ]
  [ "${stderr_lines[2]}" = "try: asl --help" ]
}

@test "a mistyped command or option is a usage error that offers the right one" {
  run -2 --separate-stderr "$ASL_BIN" hlep
  [[ $stderr == *"asl: unknown command: hlep"*"try: asl help"* ]]
  run -2 --separate-stderr "$ASL_BIN" help --jsno
  [[ $stderr == *"usage: asl help [OPTION]"*"asl: unknown option: --jsno"*"try: --json"* ]]
}

@test "control characters in arguments do not reach the terminal" {
  run -2 --separate-stderr "$ASL_BIN" $'\e]0;owned\a'
  [[ $stderr == *'unknown command: \x1b]0;owned\x07'* ]]
  [[ $stderr != *$'\e'* ]]
}

@test "with --json an error is also one object on standard error" {
  run -2 --separate-stderr "$ASL_BIN" --json nonsense
  [[ ${stderr_lines[-1]} == '{"schema":"asl.error.v1","program":"asl","code":"usage","exit":2,'* ]]
}

@test "a reader that goes away ends the program quietly" {
  run -141 bash -c 'exec 3> >(:); wait $!; "$1" --help >&3' bash "$ASL_BIN"
  [ -z "$output" ]
}

@test "a full disk behind standard output is an error" {
  run -9 bash -c '"$1" --help >/dev/full' bash "$ASL_BIN"
  [[ $output == "asl: cannot write standard output: No space left on device" ]]
}

@test "man pages and completion scripts are what the table says" {
  "$source_dir"/tools/generate-docs --check "$build_dir"
}

@test "man pages render without warnings" {
  for page in "$source_dir"/doc/man/*.1; do
    run groff -man -ww -z -Tutf8 "$page"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    if command -v mandoc >/dev/null; then mandoc -T lint -W warning "$page"; fi
  done
}

@test "the program's man page lists every exit code" {
  MANWIDTH=80 man -l "$source_dir/doc/man/asl.1" >page
  for code in 0 1 2 3 4 5 6 7 8 9 10 130; do grep -Eq "^ +$code  +[A-Z]" page; done
}

# complete WORD...: what bash offers when the last word is being typed.
complete_words() {
  bash -c '
    source "$1"
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _asl
    printf "%s\n" "${COMPREPLY[@]}"' bash "$source_dir/tools/completion/asl.bash" "$@"
}

@test "bash completes commands, options, choices and paths" {
  [ "$(complete_words asl hel)" = help ]
  [ "$(complete_words asl --js)" = --json ]
  [ "$(complete_words asl --root /x hel)" = help ]
  [ "$(complete_words asl --root = /x hel)" = help ]
  [ "$(complete_words asl help --pro)" = --progress ]
  [ "$(complete_words asl help --progress j)" = json ]
  [ "$(complete_words asl help --progress = n)" = none ]
  mkdir directory
  touch dirt
  [ "$(complete_words asl --root dir 2>/dev/null)" = directory ]
}

@test "zsh and fish accept their completion scripts" {
  checked=no
  if command -v zsh >/dev/null; then
    zsh -n "$source_dir/tools/completion/_asl"
    checked=yes
  fi
  if command -v fish >/dev/null; then
    fish --no-execute "$source_dir/tools/completion/asl.fish"
    checked=yes
  fi
  [ $checked = yes ] || skip "neither zsh nor fish is installed"
}
