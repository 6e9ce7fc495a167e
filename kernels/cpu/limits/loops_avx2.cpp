#include "kernels/cpu/limits/loops_simd.h"

namespace hearth::cpu {

const UnitLoop kFmaAvx2{kFmaOps<Avx2>, run_fma<Avx2>};

float read_avx2(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept {
    return read_runs<Avx2>(data, bytes, streams, ahead);
}

}  // namespace hearth::cpu
