// attention/avx2: see fma_call.h. Products in float32, keys and values of bf16 widened in registers.
#include "kernels/cpu/attention/fma_call.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<AttentionArgs> kAttentionAvx2{
    "attention/avx2", [](const AttentionArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && attention_fits(a); },
    attention_workspace<Avx2>, run_attention<Avx2>};

}  // namespace hearth::cpu
