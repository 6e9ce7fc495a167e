// Instantiates the whole vocabulary, so that nvcc proves every instruction for an architecture. Compiled by a test, never run.
#include "kernels/simt/example/row_dot.h"

namespace hearth::simt {

struct CheckArgs {
    GlobalPtr<const float> x;
    GlobalPtr<float> y;
    GlobalPtr<unsigned> counter;
};

__global__ void every_operation(CheckArgs a) {
    SharedArena arena;
    auto tile = arena.take<float, 128>(1024);
    auto bars = arena.take<MBarrierWord>(2);
    grid_trigger();
    grid_wait();
    cp_async<4>(tile, a.x);
    cp_async<8>(tile + 2, a.x + 2);
    cp_async<16>(tile + 4, a.x + 4, 12);
    cp_async_commit();
    cp_async_wait<0>();
    sync_block();
    sync_named(1, 64);
    arrive_named(2, 64);
    const auto s = a.x.load_vector<4, Cache::kStream>(0);
    const auto k = a.x.load_vector<4, Cache::kKeep>(4);
    const auto n = a.x.load_vector<4, Cache::kReadOnly>(8);
    const auto d = a.x.load_vector<4>(12);
    float v = s[0] + k[1] + n[2] + d[3] + shuffle(s[1], 3) + shuffle_up(s[1], 1u) + shuffle_down(s[2], 1u) + shuffle_xor(s[3], 1);
    v += static_cast<float>(ballot(v > 0) + match_any(lane()) + reduce(Reduction::kAdd, lane()) + reduce(Reduction::kXor, lane()));
    if (all_of(v > 1) || any_of(v > 2)) v += 1;
    sync_warp();
    const auto m1 = ldmatrix<1>(tile);
    const auto m2 = ldmatrix<2>(tile);
    const auto m4 = ldmatrix<4, true>(tile);
    const auto t1 = ldmatrix<1, true>(tile);
    const auto t2 = ldmatrix<2, true>(tile);
    const auto f4 = ldmatrix<4>(tile);
    Vec<float, 4> c{};
    Vec<int32_t, 4> ci{};
    mma_m16n8k16(bf16{}, c, m4, m2);
    mma_m16n8k16(f16{}, c, f4, t2);
    mma_m16n8k32(int8_t{}, ci, m4, m2);
#if __CUDA_ARCH__ >= 890
    mma_m16n8k32(e4m3{}, c, m4, m2);
#endif
#if __CUDA_ARCH__ >= 900
    if (thread_x() == 0) {
        mbarrier_init(bars, 1);
        fence_mbarrier_init();
    }
    sync_block();
    if (thread_x() == 0) {
        mbarrier_arrive_expect(bars, 64);
        bulk_load(tile, a.x, 64, bars);
        mbarrier_arrive(bars + 1);
    }
    mbarrier_wait(bars, 0);
#endif
    unsigned old = atomic_add(a.counter, 0, 1u) + atomic_add_acq_rel(a.counter, 0, 1u);
    store_release(a.counter, 1, old);
    wait_at_least(a.counter, 1, 1u);
    const GlobalPtr<const float> y = a.y;
    v += y[3];
    a.y.store_vector(4 * thread_x(), c);
    a.y.store(0, v + static_cast<float>(ci[0] + ci[1] + m1[0] + t1[0]) + to_float(to_bf16(v)) + to_float(f16{3}) + to_float(e4m3{3}));
}

}  // namespace hearth::simt
