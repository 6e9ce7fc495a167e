// attention/avx512: see fma_call.h. Products in float32, keys and values of bf16 widened in registers.
#include "kernels/cpu/attention/fma_call.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<AttentionArgs> kAttentionAvx512{
    "attention/avx512", [](const AttentionArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx512 && attention_fits(a); },
    attention_workspace<Avx512>, run_attention<Avx512>};

}  // namespace hearth::cpu
