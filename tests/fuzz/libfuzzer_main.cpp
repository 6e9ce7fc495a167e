// One target under libFuzzer (-DHEARTH_FUZZ=ON under clang): HEARTH_FUZZ_TARGET says which target runs.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"

namespace {

const hearth::fuzz::Target& chosen() {
    const char* name = std::getenv("HEARTH_FUZZ_TARGET");
    for (const auto& target : hearth::fuzz::targets()) {
        if (name != nullptr && target.name == name) return target;
    }
    std::fprintf(stderr, "HEARTH_FUZZ_TARGET: expected the name of a target; there are:\n");
    for (const auto& target : hearth::fuzz::targets())
        std::fprintf(stderr, "  %.*s\n", static_cast<int>(target.name.size()), target.name.data());
    std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const auto& target = chosen();
    target.run({reinterpret_cast<const char*>(data), size});
    return 0;
}
