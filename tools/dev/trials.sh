# shellcheck shell=bash
# Trials: what takes too long for `test`. Each is a function trial_NAME and a line of the list; tests/TRIALS.md says when each last ran.
# Sourced by tools/dev.sh.

trial_list() {
  cat <<'EOF'
fuzz [TARGET...]   each fuzz target: a million inputs, then on until ten minutes bring no new edge; an hour at most
fuzz_corpus        what fuzz found, minimised, into tests/fuzz/corpus
asan               the whole suite under the address and undefined-behaviour sanitizers, built anew
tsan               the whole suite under the thread sanitizer, built anew
swaps              two models take turns 200 times in memory with room for one, while 16 clients ask
clone              a clean clone of this commit, built and tested in a folder of its own
EOF
}

# A build folder that is built from nothing, so that the time means something.
anew() { rm -rf "build/$1"; }

trial_asan() { anew asan && asan; }
trial_tsan() { anew tsan && tsan; }

trial_swaps() {
  build
  cmake --build build/release -j "$jobs" --target loaders_pool_test
  HEARTH_SWAPS=200 build/release/tests/loaders_pool_test --gtest_filter='Swaps.*'
}

# The commit that is checked out: what is not committed does not count, which is the point.
trial_clone() {
  local folder
  folder=$(mktemp -d)
  git clone -q . "$folder/hearth"
  say "clone: $(git rev-parse --short HEAD) in $folder/hearth"
  CCACHE_DISABLE=1 "$folder/hearth/tools/dev.sh" test || die "the clone fails: it is left in $folder/hearth"
  rm -rf "$folder"
}

# trial [NAME [arguments]]: says at the end what tests/TRIALS.md wants to know.
trial() {
  if [ $# -eq 0 ]; then
    say "trials (tools/dev.sh trial NAME):"
    trial_list | sed 's/^/  /' >&2
    return 0
  fi
  local name=$1 begin=$SECONDS code=0
  trial_list | cut -d' ' -f1 | grep -qxF -- "$name" || die "there is no trial '$name'; there are: $(trial_list | cut -d' ' -f1 | paste -sd ' ')"
  shift
  "trial_$name" "$@" || code=$?
  say "trial $name: $([ $code = 0 ] && echo passed || echo failed), $(date +%F), $(grep -m1 -oP 'model name\s*: \K.*' /proc/cpuinfo), $(nproc) cores, $(((SECONDS - begin) / 60)) min $(((SECONDS - begin) % 60)) s"
  return $code
}
