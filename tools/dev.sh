#!/usr/bin/env bash
# Everything that a developer types. `tools/dev.sh help` lists it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

jobs=$(nproc)
say() { printf '%s\n' "$*" >&2; }
die() { say "dev.sh: $*"; exit 2; }

for part in packages tests bench fuzz fuzz_trial trials; do
  # shellcheck source=/dev/null
  source "tools/dev/$part.sh"
done

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
  fuzz [TARGET] [SECS]  libFuzzer over one target of tests/fuzz, or over each; 60 seconds
  trial [NAME]          run what is too long for test, or list it
EOF
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
  setup | build | serve | bench | format | check | asan | tsan | fuzz | trial | help) "$verb" "$@" ;;
  test) test_all "$@" ;;
  install) install_program "$@" ;;
  *) help >&2; die "unknown verb '$verb'" ;;
esac
