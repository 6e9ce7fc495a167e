# shellcheck shell=bash
# The fuzzing campaign: each target until it has run a million inputs and ten minutes have brought no new edge, or an hour is over.

campaign_executions=1000000 campaign_quiet=600
campaign_longest=${HEARTH_FUZZ_LONGEST:-3600} # seconds
campaign_at_once=${HEARTH_FUZZ_AT_ONCE:-2}

# campaign_one TARGET
campaign_one() {
  local target=$1 edges=0 now_edges new_edge_at begin=$SECONDS pid failed=0
  mkdir -p build/fuzz/log
  touch "build/fuzz/log/$target.begun"
  fuzz_one "$target" -max_total_time="$campaign_longest" &
  pid=$!
  new_edge_at=$SECONDS
  while kill -0 $pid 2>/dev/null; do
    sleep 5
    now_edges=$(fuzz_edges "$target")
    if [ "${now_edges:-0}" != "$edges" ]; then edges=$now_edges new_edge_at=$SECONDS; fi
    [ $((SECONDS - new_edge_at)) -ge $campaign_quiet ] || continue
    [ "0$(fuzz_executions "$target")" -ge $campaign_executions ] || continue
    touch "build/fuzz/log/$target.enough"
    pkill -INT -P $pid || true # libFuzzer itself, a child of the function's shell
    break
  done
  wait $pid || failed=$?
  if [ -f "build/fuzz/log/$target.enough" ]; then failed=0; rm "build/fuzz/log/$target.enough"; fi
  fuzz_record "$target" $((SECONDS - begin))
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
