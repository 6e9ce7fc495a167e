# shellcheck shell=bash
# Running the tests, plain and under sanitizers. Sourced by tools/dev.sh.

# Names that --filter takes: suites that also read other files of the same layout (HEARTH_GOLDEN, HEARTH_TEMPLATES, HEARTH_TOKENIZER_VECTORS).
run_filter() {
  local dir=$1 filter=$2
  shift 2
  case $filter in
    golden) "$dir/tests/models_test" --gtest_filter='*GoldenCheckpoints*' "$@" ;;
    templates) "$dir/tests/chat_template_test" --gtest_filter='*TemplateGoldens*' "$@" ;;
    tokenizers) "$dir/tests/loaders_tokenizer_test" --gtest_filter='*TokenizerVectors*' "$@" ;;
    *) ctest --test-dir "$dir" --output-on-failure -R "$filter" "$@" ;;
  esac
}

# run_tests DIR [--filter NAME]
run_tests() {
  local dir=$1
  shift
  if [ "${1:-}" = --filter ]; then
    [ $# -ge 2 ] || die "--filter wants golden, templates, tokenizers, or a part of a test program's name"
    shift
    run_filter "$dir" "$@"
    return
  fi
  ctest --test-dir "$dir" --output-on-failure "$@"
}

test_all() {
  setup
  configure release
  cmake --build build/release -j "$jobs"
  run_tests build/release "$@"
}

# sanitized NAME FLAGS [--filter NAME]: the tests in build/NAME
sanitized() {
  local name=$1 flags=$2
  shift 2
  setup
  configure "$name" -DHEARTH_SANITIZE="$flags" -DHEARTH_BUILD_PERF=OFF
  cmake --build "build/$name" -j "$jobs"
  ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1 \
    run_tests "build/$name" "$@"
}

asan() { sanitized asan address,undefined "$@"; }
tsan() { sanitized tsan thread "$@"; }
