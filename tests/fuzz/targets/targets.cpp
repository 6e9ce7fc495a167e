#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {

std::span<const Target> targets() {
#define HEARTH_TARGET_ROW(name) Target{#name, run_##name, seeds_##name},
    static const Target kTargets[] = {HEARTH_FUZZ_TARGETS(HEARTH_TARGET_ROW)};
#undef HEARTH_TARGET_ROW
    return kTargets;
}

}  // namespace hearth::fuzz
