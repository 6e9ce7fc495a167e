// A small kernel in the vocabulary, walked through in NOTES.md: y[n] = w[n] . x for a matrix w of [N][K] floats. One block a row; w comes
// by cp.async in two stages; the block's last warp-sum goes to y. It also shows that both compilers take one source.
#pragma once

#include "kernels/simt/simt.h"

namespace hearth::simt::example {

struct RowDotArgs {
    GlobalPtr<const float> w;  // [N][K]
    GlobalPtr<const float> x;  // [K], of the launch before
    GlobalPtr<float> y;        // [N]
    int k;                     // a multiple of 4 * kThreads
};

constexpr int kThreads = 64, kTile = 4 * kThreads;
constexpr int kSharedBytes = 2 * kTile * 4 + 2 * 4;

/// Grid {N}, block {kThreads}, kSharedBytes of shared memory, may be launched as dependent.
HEARTH_KERNEL row_dot(RowDotArgs a) {
    SharedArena arena;
    SharedPtr<float> stages = arena.take<float>(2 * kTile);
    SharedPtr<float> sums = arena.take<float>(kThreads / 32);
    const int t = static_cast<int>(thread_x());
    const GlobalPtr<const float> row = a.w + static_cast<long long>(block_x()) * a.k;

    cp_async<16>(stages + 4 * t, row + 4 * t);  // weights are constant: before the wait
    cp_async_commit();
    grid_wait();
    float sum = 0;
    for (int step = 0; step < a.k / kTile; ++step) {
        if (step + 1 < a.k / kTile) cp_async<16>(stages + ((step + 1) % 2 * kTile + 4 * t), row + ((step + 1) * kTile + 4 * t));
        cp_async_commit();
        cp_async_wait<1>();  // a thread uses only what it copied itself, so no barrier follows
        const Vec<float, 4> w = stages.load_vector<4>(step % 2 * kTile + 4 * t);
        const Vec<float, 4> x = a.x.load_vector<4>(step * kTile + 4 * t);
        for (int i = 0; i < 4; ++i) sum += w[i] * x[i];
    }
    for (int step = 16; step > 0; step /= 2) sum += shuffle_xor(sum, step);
    if (lane() == 0) sums.store(warp(), sum);
    sync_block();
    if (t == 0) a.y.store(block_x(), sums[0] + sums[1]);
}

}  // namespace hearth::simt::example
