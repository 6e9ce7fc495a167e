# shellcheck shell=bash
# The fuzzing campaign: each target until it has run a million inputs and ten minutes have brought no new edge, or an hour is over. Minutes are
# those of the processor, and a campaign that was interrupted goes on where it was: build/fuzz/campaign/TARGET keeps executions, seconds,
# seconds at the last new edge, and edges.

campaign_executions=1000000 campaign_quiet=600
campaign_longest=${HEARTH_FUZZ_LONGEST:-3600} # processor seconds
campaign_at_once=${HEARTH_FUZZ_AT_ONCE:-2}

# campaign_state TARGET: four numbers
campaign_state() { cat "build/fuzz/campaign/$1" 2>/dev/null || echo 0 0 0 0; }

# campaign_over EXECUTIONS SECONDS LAST_EDGE
campaign_over() { [ "$2" -ge "$campaign_longest" ] || { [ "$1" -ge $campaign_executions ] && [ $(($2 - $3)) -ge $campaign_quiet ]; }; }

# campaign_one TARGET
campaign_one() {
  local target=$1 executions now_executions seconds last_edge edges now_edges before_executions before_seconds begin=$SECONDS pid process used failed=0
  read -r before_executions before_seconds last_edge edges < <(campaign_state "$target")
  if campaign_over "$before_executions" "$before_seconds" "$last_edge"; then
    say "$target: over, $before_executions executions in $before_seconds s of the processor, $edges edges"
    return 0
  fi
  mkdir -p build/fuzz/{log,campaign}
  touch "build/fuzz/log/$target.begun"
  fuzz_one "$target" &
  pid=$!
  while sleep 5 && kill -0 $pid 2>/dev/null; do
    process=$(pgrep -P $pid | head -1 || true) # libFuzzer itself, a child of the function's shell
    used=$(ps -o cputimes= -p "${process:-$pid}" | tr -dc 0-9 || true)
    seconds=$((before_seconds + ${used:-0})) now_executions=$(fuzz_executions "$target") now_edges=$(fuzz_edges "$target")
    executions=$((before_executions + ${now_executions:-0}))
    if [ "${now_edges:-0}" -gt "$edges" ]; then edges=$now_edges last_edge=$seconds; fi
    echo "$executions $seconds $last_edge $edges" >"build/fuzz/campaign/$target"
    campaign_over "$executions" "$seconds" "$last_edge" || continue
    touch "build/fuzz/log/$target.enough"
    kill -INT "$process" || true
    break
  done
  wait $pid || failed=$?
  if [ -f "build/fuzz/log/$target.enough" ]; then failed=0; rm "build/fuzz/log/$target.enough"; fi
  fuzz_record "$target" $((SECONDS - begin))
  say "$target: campaign of $(campaign_state "$target" | awk '{ print $1 " executions in " $2 " s of the processor, the last new edge after " $3 " s" }')"
  return $failed
}

# trial_fuzz [TARGET...]
trial_fuzz() {
  fuzz_build
  local names=("$@") target running=0 failed=0
  for target in "$@"; do fuzz_known "$target"; done
  [ $# -gt 0 ] || mapfile -t names < <(fuzz_names)
  for target in "${names[@]}"; do
    if [ $running -ge "$campaign_at_once" ]; then
      wait -n || failed=1
      running=$((running - 1))
    fi
    campaign_one "$target" &
    running=$((running + 1))
  done
  while [ $running -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
  done
  return $failed
}

# trial_fuzz_corpus [TARGET...]: tests/fuzz/corpus from what was found. Nothing that grew out of files of others goes in: a target whose seeds
# come from ../shared too is run again, from the project's own seeds alone.
corpus_seconds=${HEARTH_FUZZ_OWN_SECONDS:-300} corpus_bytes=220000 # of each target

trial_fuzz_corpus() {
  fuzz_build
  local names=("$@") target
  for target in "$@"; do fuzz_known "$target"; done
  [ $# -gt 0 ] || mapfile -t names < <(fuzz_names)
  for target in "${names[@]}"; do corpus_one "$target" || return 1; done
  say "tests/fuzz/corpus: $(du -sb --apparent-size tests/fuzz/corpus | cut -f1) bytes"
}

# corpus_one TARGET: folders of seeds and of what grew out of them, then the smallest inputs that reach every edge of theirs.
corpus_one() {
  local target=$1 at=build/fuzz found program=build/fuzz/tests/fuzz/hearth_fuzz
  rm -rf "$at/own-seeds/$target" "$at/merged/$target"
  mkdir -p "$at/own/$target" "$at/merged/$target" "$at/seeds/$target" "tests/fuzz/corpus/$target"
  $at/tests/fuzz/fuzz_seeds "$target" "$at/own-seeds/$target" --own
  $at/tests/fuzz/fuzz_seeds "$target" "$at/seeds/$target"
  found=$at/corpus/$target
  if ! diff -rq "$at/own-seeds/$target" "$at/seeds/$target" >/dev/null; then
    found=$at/own/$target
    HEARTH_FUZZ_TARGET=$target $program "$found" "$at/own-seeds/$target" "tests/fuzz/corpus/$target" -max_total_time="$corpus_seconds" \
      -max_len="$(fuzz_longest "$target")" -timeout=60 -rss_limit_mb=2048 -artifact_prefix="$at/findings/$target/" >"$at/log/$target.own" 2>&1 ||
      die "$target: a finding, see $at/log/$target.own"
  fi
  HEARTH_FUZZ_TARGET=$target $program -merge=1 "$at/merged/$target" "$found" "tests/fuzz/corpus/$target" "$at/own-seeds/$target" \
    -max_len="$(fuzz_longest "$target")" -timeout=60 -rss_limit_mb=2048 >"$at/log/$target.merge" 2>&1 || die "see $at/log/$target.merge"
  rm -rf "tests/fuzz/corpus/$target"
  mkdir -p "tests/fuzz/corpus/$target"
  find "$at/merged/$target" -type f -printf '%s %p\n' | sort -n |
    awk -v most=$corpus_bytes '{ sum += $1; if (sum <= most) print $2 }' | xargs -r cp -t "tests/fuzz/corpus/$target"
  say "$target: $(find "tests/fuzz/corpus/$target" -type f | wc -l) inputs kept of $(find "$at/merged/$target" -type f | wc -l)"
}
