// attention/amx: see amx_kernel.h. With a cache of bf16, queries, and exponentials before they weigh values, are rounded to bf16; with one
// of q8 to 16-bit numbers. The softmax itself is in float32.
//
// Bound for prompts: the tile unit (16 cycles for 16 queries, 16 keys and 32 numbers) and, nearly as much, some ten operations for
// each exponential. One token runs through the same tiles, of which it fills one to 16 columns: that is still faster than memory.
#include "kernels/cpu/attention/amx_kernel.h"
#include "kernels/cpu/attention/call.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

void run(const AttentionArgs& a, Stream& stream) noexcept {
    if (a.cache.dtype == DType::kI8) {
        AttentionCall<AmxUnit<AmxQ8>>(a, stream).run();
    } else {
        AttentionCall<AmxUnit<AmxBf16>>(a, stream).run();
    }
}

size_t workspace(const AttentionArgs& a, const Device& device) {
    return a.cache.dtype == DType::kI8 ? AttentionCall<AmxUnit<AmxQ8>>::workspace(a, device)
                                       : AttentionCall<AmxUnit<AmxBf16>>::workspace(a, device);
}

bool supports(const AttentionArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAmx && (a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kI8) && heads_fit(a);
}

}  // namespace

const Variant<AttentionArgs> kAttentionAmx{"attention/amx", supports, workspace, run};

}  // namespace hearth::cpu
