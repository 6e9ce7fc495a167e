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
  fuzz_one "$target" -max_total_time=$campaign_longest &
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
