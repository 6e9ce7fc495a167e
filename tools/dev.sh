#!/usr/bin/env bash
# Everything that a developer types. `tools/dev.sh help` lists it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

jobs=$(nproc)
say() { printf '%s\n' "$*" >&2; }
die() { say "dev.sh: $*"; exit 2; }

# What must be there before anything compiles, as Debian packages.
packages=(g++ cmake ninja-build ccache pkg-config libsentencepiece-dev nlohmann-json3-dev libcpp-httplib-dev libpcre2-dev
  libutf8proc-dev libcli11-dev libedit-dev libgtest-dev libgmock-dev libbenchmark-dev)
# What only some verbs need: check (formatting) and test (the page in a browser, golden folders written by numpy scripts).
developer_packages=(clang-format chromium nodejs npm python3-numpy)

missing() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || { provided "$package" || printf '%s ' "$package"; }
  done
}

# A tool that came from elsewhere than Debian (node with its own npm, say) counts as installed.
provided() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | ccache | cmake | clang-format | chromium) command -v "$1" >/dev/null ;;
    g++) command -v g++ >/dev/null ;;
    *) return 1 ;;
  esac
}

install_packages() {
  local need
  need=$(missing "$@")
  [ -n "$need" ] || return 0
  command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get to install them: $need"
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  say "installing: $need"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $need >/dev/null
}

setup() {
  install_packages "${packages[@]}"
  [ "${1:-}" = build-only ] || setup_tests
}

setup_tests() {
  install_packages "${developer_packages[@]}"
  if [ -f tests/chat/web/package-lock.json ] && [ ! -d tests/chat/web/node_modules ]; then
    (cd tests/chat/web && npm ci --ignore-scripts --no-audit --no-fund --silent)
  fi
}

# configure NAME [cmake options]: build/NAME
configure() {
  local name=$1
  shift
  [ -f "build/$name/build.ninja" ] && [ $# -eq 0 ] && return 0
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake -S . -B "build/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEARTH_WERROR=ON "${launcher[@]}" "$@" >/dev/null
}

build() {
  setup build-only
  configure release
  cmake --build build/release -j "$jobs" --target hearth
}

serve() {
  build >&2
  exec build/release/hearth serve "$@"
}

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

sanitized() {
  local name=$1 flags=$2
  shift 2
  setup
  configure "$name" -DHEARTH_SANITIZE="$flags" -DHEARTH_BUILD_PERF=OFF
  cmake --build "build/$name" -j "$jobs"
  ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS="suppressions=$root/tests/support/tsan.supp" \
    HEARTH_SANITIZED=1 run_tests "build/$name" "$@"
}

sources() { git ls-files -co --exclude-standard '*.h' '*.cpp' | while read -r f; do [ -f "$f" ] && printf '%s\n' "$f"; done; }

format() {
  setup_tests
  sources | xargs clang-format -i
}

check() {
  setup
  sources | xargs clang-format --dry-run --Werror
  cmake -DROOT="$root" -P tests/layering.cmake
  configure release
  cmake --build build/release -j "$jobs"
  say "check: formatting, layering and warnings are clean"
}

# install [PREFIX]: the program, its man page and its licence; DESTDIR is put in front, as packagers expect.
install_program() {
  local prefix=${1:-$HOME/.local}
  build
  cmake --install build/release --prefix "$prefix" >/dev/null
  say "installed $prefix/bin/hearth and its man page${DESTDIR:+ below $DESTDIR}"
  case :$PATH: in *:"$prefix/bin":*) ;; *) say "$prefix/bin is not in PATH yet" ;; esac
}

# Names of the benchmark programs, from their sources.
bench_names() {
  { printf 'kernels\n'; find perf -maxdepth 1 -name '*.cpp' -printf '%f\n' | sed 's/\.cpp$//'; } | sort
}

# bench [NAME [options]]: standard output is the program's alone, so that it can go into a file.
bench() {
  local program=${1:-}
  if [ -z "$program" ]; then
    say "programs (tools/dev.sh bench NAME [options]):"
    bench_names | sed 's/^/  /' >&2
    return 0
  fi
  bench_names | grep -qxF -- "$program" || die "there is no benchmark program '$program'; there are: $(bench_names | paste -sd ' ')"
  shift
  setup build-only >&2
  configure release >&2
  cmake --build build/release -j "$jobs" --target "perf_$program" >&2
  "build/release/perf/perf_$program" "$@"
}

help() {
  cat <<'EOF'
tools/dev.sh VERB

  serve [options]       build, then answer on http://127.0.0.1:8080 (options: build/release/hearth serve --help)
  test [--filter NAME]  build everything and run the tests; NAME: golden, templates, tokenizers, or a part of a test's name
  setup                 install what is missing (apt, npm); every other verb does so by itself
  build                 the optimised program: build/release/hearth
  install [PREFIX]      that program and its man page below PREFIX (default: ~/.local)
  bench [NAME]          run a benchmark program of perf/, or list them
  check                 formatting, layering, warnings as errors
  format                clang-format over every source file
  asan [--filter NAME]  the tests under the address and undefined-behaviour sanitizers
  tsan [--filter NAME]  the tests under the thread sanitizer
EOF
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
  setup | build | serve | bench | format | check | help) "$verb" "$@" ;;
  test) test_all "$@" ;;
  install) install_program "$@" ;;
  asan) sanitized asan address,undefined "$@" ;;
  tsan) sanitized tsan thread "$@" ;;
  *) help >&2; die "unknown verb '$verb'" ;;
esac
