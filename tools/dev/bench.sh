# shellcheck shell=bash
# The benchmark programs. Sourced by tools/dev.sh.

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
