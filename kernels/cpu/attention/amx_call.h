// Attention in tiles for any cache that has them. With a cache of bf16, queries, and exponentials before they weigh values, are rounded to
// bf16; with one of q8 to 16-bit numbers. The softmax itself is in float32.
//
// Bound for prompts: the tile unit (16 cycles for 16 queries, 16 keys and 32 numbers) and, nearly as much, some ten operations for
// each exponential. One token runs through the same tiles, of which it fills one to 16 columns: that is still faster than memory.
#pragma once

#include "kernels/cpu/attention/amx_kernel.h"
#include "kernels/cpu/attention/call.h"

namespace hearth::cpu {
namespace {

template <class Tiles>
struct TileAttention {
    static bool supports(const AttentionArgs& a, const Device& device) {
        return device.level >= Tiles::kLevel && (a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kI8) && heads_fit(a);
    }
    static size_t workspace(const AttentionArgs& a, const Device& device) {
        return a.cache.dtype == DType::kI8 ? Q8Call::workspace(a, device) : Bf16Call::workspace(a, device);
    }
    static void run(const AttentionArgs& a, Stream& stream) noexcept {
        if (a.cache.dtype == DType::kI8) {
            Q8Call(a, stream).run();
        } else {
            Bf16Call(a, stream).run();
        }
    }

private:
    using Q8Call = AttentionCall<AmxUnit<AmxQ8<Tiles>>>;
    using Bf16Call = AttentionCall<AmxUnit<AmxBf16<Tiles>>>;
};

}  // namespace
}  // namespace hearth::cpu
