# shellcheck shell=bash
# libFuzzer over the targets of tests/fuzz. Sourced by tools/dev.sh.
#
# What is in build/fuzz: corpus/TARGET grows from run to run and is not tracked, findings/TARGET holds inputs that a run ended with, log/TARGET
# is the last run's output, runs.tsv has a line for each run: target, executions, seconds, edges, findings, date.

fuzz_build() {
  install_packages "${packages[@]}" "${fuzz_packages[@]}" >&2
  local clang=clang++
  [ -n "$(libfuzzer)" ] || die "$($clang --version | head -1) has no libFuzzer (on Debian it is in libclang-rt-14-dev)"
  configure fuzz -DCMAKE_CXX_COMPILER=$clang -DCMAKE_C_COMPILER=clang -DHEARTH_FUZZ=ON -DHEARTH_SANITIZE=address,undefined \
    -DHEARTH_BUILD_PERF=OFF -DHEARTH_WERROR=OFF >&2
  cmake --build build/fuzz -j "$jobs" --target hearth_fuzz fuzz_seeds >&2
}

fuzz_names() { build/fuzz/tests/fuzz/fuzz_seeds --list; }

fuzz_known() { fuzz_names | grep -qxF -- "$1" || die "there is no fuzz target '$1'; there are: $(fuzz_names | paste -sd ' ')"; }

# Longest input of a target: what the grammar needs, and no more, since time goes with length.
fuzz_longest() {
  case $1 in
    tokenize) echo 2048 ;;
    messages | chat_request | http) echo 4096 ;;
    *) echo 16384 ;;
  esac
}

# fuzz_one TARGET libFuzzer's options...: one run, its output in build/fuzz/log/TARGET. The time limit of an input is generous, because a
# busy machine's clock goes on while a process waits.
fuzz_one() {
  local target=$1 at=build/fuzz dictionary=()
  shift
  mkdir -p $at/{corpus,seeds,findings}/"$target" $at/log
  if [ "$at/log/$target.seeds" -ot $at/tests/fuzz/fuzz_seeds ]; then
    $at/tests/fuzz/fuzz_seeds "$target" "$at/seeds/$target"
    touch "$at/log/$target.seeds"
  fi
  mkdir -p "tests/fuzz/corpus/$target" "tests/fuzz/findings/$target"
  [ ! -f "tests/fuzz/dictionaries/$target.dict" ] || dictionary=(-dict="tests/fuzz/dictionaries/$target.dict")
  HEARTH_FUZZ_TARGET=$target $at/tests/fuzz/hearth_fuzz "$at/corpus/$target" "$at/seeds/$target" "tests/fuzz/corpus/$target" \
    "tests/fuzz/findings/$target" "${dictionary[@]}" -artifact_prefix="$at/findings/$target/" -max_len="$(fuzz_longest "$target")" \
    -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=512 -print_final_stats=1 "$@" >"$at/log/$target" 2>&1
}

# From libFuzzer's output: the last line that counts, while it runs and behind its end.
fuzz_executions() { grep -soE '^#[0-9]+|number_of_executed_units: [0-9]+' "build/fuzz/log/$1" | tail -1 | tr -dc 0-9 || true; }
fuzz_edges() { grep -soE ' cov: [0-9]+' "build/fuzz/log/$1" | tail -1 | tr -dc 0-9 || true; }

# fuzz_record TARGET SECONDS: a line for runs.tsv and one for people, and what to do with findings.
fuzz_record() {
  local target=$1 seconds=$2 found executions edges
  executions=$(fuzz_executions "$target") edges=$(fuzz_edges "$target")
  found=$(find "build/fuzz/findings/$target" -type f -newer "build/fuzz/log/$target.begun" | wc -l)
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$target" "${executions:-0}" "$seconds" "${edges:-0}" "$found" "$(date +%F)" >>build/fuzz/runs.tsv
  say "$target: ${executions:-0} executions in $seconds s, ${edges:-0} edges, $found findings"
  [ "$found" -gt 0 ] || return 0
  tail -40 "build/fuzz/log/$target" >&2
  find "build/fuzz/findings/$target" -type f -newer "build/fuzz/log/$target.begun" >&2
  say "keep it before mending: mv THAT-FILE tests/fuzz/findings/$target/what-went-wrong; the test \`fuzz\` fails until it is mended"
}

# fuzz [TARGET] [SECONDS]
fuzz() {
  fuzz_build
  local names=() seconds=60 target begin failed=0
  if [[ ${1:-} =~ ^[0-9]+$ ]] || [ $# -eq 0 ]; then
    mapfile -t names < <(fuzz_names)
  else
    fuzz_known "$1"
    names=("$1")
    shift
  fi
  [[ ${1:-60} =~ ^[1-9][0-9]*$ ]] || die "fuzz [TARGET] [SECONDS]: '$1' is no number of seconds"
  seconds=${1:-60}
  for target in "${names[@]}"; do
    mkdir -p build/fuzz/log
    touch "build/fuzz/log/$target.begun"
    begin=$SECONDS
    fuzz_one "$target" -max_total_time="$seconds" || failed=1
    fuzz_record "$target" $((SECONDS - begin))
  done
  return $failed
}
