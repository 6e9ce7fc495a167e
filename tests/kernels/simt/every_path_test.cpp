// Every way to memory with every error of an address planted on it, and without: no path leads round the hook.
#include <string>

#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

enum class Way {
    kScalarLoad,
    kVectorLoad,
    kScalarStore,
    kVectorStore,
    kSharedScalarLoad,
    kSharedVectorLoad,
    kSharedScalarStore,
    kSharedVectorStore,
    kLdmatrix,
    kCopySource,
    kCopyDestination,
    kBulkSource,
    kBulkDestination,
    kAtomicAdd,
    kSharedAtomicAdd,
    kAcquire,
    kRelease,
};
constexpr int kWays = 17;

struct WayInfo {
    const char* name;
    int bytes;  // of the access: its alignment
    bool global, reads;
};

constexpr WayInfo kInfo[kWays] = {
    {"scalar load", 4, true, true},
    {"vector load", 16, true, true},
    {"scalar store", 4, true, false},
    {"vector store", 16, true, false},
    {"shared scalar load", 4, false, true},
    {"shared vector load", 16, false, true},
    {"shared scalar store", 4, false, false},
    {"shared vector store", 16, false, false},
    {"ldmatrix", 16, false, true},
    {"cp.async source", 16, true, true},
    {"cp.async destination", 16, false, false},
    {"bulk source", 16, true, true},
    {"bulk destination", 16, false, false},
    {"atomic add", 4, true, true},
    {"shared atomic add", 4, false, true},
    {"load_acquire", 4, true, true},
    {"store_release", 4, true, false},
};

struct WayArgs {
    GlobalPtr<unsigned> buffer;  // [128]
    GlobalPtr<const unsigned> constant;
    Way way;
    int shift;  // bytes
    bool writes_tile, in_flight;
};

int line_of_bug = 0;

void bulk(SharedPtr<unsigned> to, GlobalPtr<const unsigned> from, SharedPtr<MBarrierWord> bar) {
    if (lane() == 0) {
        mbarrier_init(bar, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect(bar, 32);
        line_of_bug = __LINE__ + 1;
        bulk_load(to, from, 32, bar);
        mbarrier_wait(bar, 0);
    }
}

template <class P>
P shifted(P pointer, int bytes) {
    return (pointer.template as<char>() + bytes).template as<unsigned>();
}

void touch(WayArgs a) {
    SharedArena arena;
    auto tile = arena.take<unsigned>(128), other = arena.take<unsigned>(128);
    auto bar = arena.take<MBarrierWord>(1);
    for (int i = static_cast<int>(lane()); i < 128 && a.writes_tile; i += 32) tile.store(i, 0u);
    sync_block();
    if (a.in_flight && lane() == 0) cp_async<16>(tile, a.constant);
    sync_block();
    const auto global = shifted(a.buffer, a.shift);
    const GlobalPtr<const unsigned> source = global;
    const auto shared = shifted(tile, a.shift);
    const bool first = lane() == 0;
    const Vec<unsigned, 4> four{};
    if (a.way == Way::kLdmatrix) {
        line_of_bug = __LINE__ + 1;
        (void)ldmatrix<1>(shared);
    }
    if (a.way == Way::kBulkSource) bulk(other, source, bar);
    if (a.way == Way::kBulkDestination) bulk(shared, a.constant, bar);
    if (!first) return;
    switch (a.way) {
        case Way::kScalarLoad: line_of_bug = __LINE__, (void)global[0]; break;
        case Way::kVectorLoad: line_of_bug = __LINE__, (void)global.load_vector<4>(); break;
        case Way::kScalarStore: line_of_bug = __LINE__, global.store(0, 1u); break;
        case Way::kVectorStore: line_of_bug = __LINE__, global.store_vector(0, four); break;
        case Way::kSharedScalarLoad: line_of_bug = __LINE__, (void)shared.load(); break;
        case Way::kSharedVectorLoad: line_of_bug = __LINE__, (void)shared.load_vector<4>(); break;
        case Way::kSharedScalarStore: line_of_bug = __LINE__, shared.store(0, 1u); break;
        case Way::kSharedVectorStore: line_of_bug = __LINE__, shared.store_vector(0, four); break;
        case Way::kCopySource: line_of_bug = __LINE__, cp_async<16>(other, source); break;
        case Way::kCopyDestination: line_of_bug = __LINE__, cp_async<16>(shared, a.constant); break;
        case Way::kAtomicAdd: line_of_bug = __LINE__, atomic_add(global, 0, 1u); break;
        case Way::kSharedAtomicAdd: line_of_bug = __LINE__, atomic_add(shared, 0, 1u); break;
        case Way::kAcquire: line_of_bug = __LINE__, (void)load_acquire(global); break;
        case Way::kRelease: line_of_bug = __LINE__, store_release(global, 0, 1u); break;
        default: break;
    }
}

enum class Bug { kNone, kOutside, kBefore, kMisaligned, kUnwritten, kInFlight };

Report touched(Way way, Bug bug) {
    const WayInfo& info = kInfo[static_cast<int>(way)];
    Emulator gpu;
    const std::vector<unsigned> zeros(128, 0u);
    auto buffer = bug == Bug::kUnwritten ? gpu.allocate<unsigned>("buffer", 128) : gpu.upload<unsigned>("buffer", zeros);
    const int shift = bug == Bug::kOutside ? 512 : bug == Bug::kBefore ? -16 : bug == Bug::kMisaligned ? info.bytes / 2 : 0;
    gpu.launch({.name = "touch", .shared_bytes = 1040}, touch,
               WayArgs{buffer, gpu.upload<unsigned>("constant", zeros), way, shift, bug != Bug::kUnwritten, bug == Bug::kInFlight});
    gpu.synchronize();
    return gpu.report();
}

TEST(SimtEveryPath, EachErrorOfAnAddressIsFoundOnEachWayToMemory) {
    for (int w = 0; w < kWays; ++w) {
        const Way way = static_cast<Way>(w);
        const WayInfo& info = kInfo[w];
        SCOPED_TRACE(info.name);
        EXPECT_CLEAN(touched(way, Bug::kNone));
        EXPECT_FOUND(touched(way, Bug::kOutside), Kind::kOutOfBounds, "touch", line_of_bug);
        EXPECT_FOUND(touched(way, Bug::kBefore), Kind::kOutOfBounds, "touch", line_of_bug);
        EXPECT_FOUND(touched(way, Bug::kMisaligned), Kind::kMisaligned, "touch", line_of_bug);
        if (info.reads) EXPECT_FOUND(touched(way, Bug::kUnwritten), Kind::kUninitialised, "touch", line_of_bug);
        if (!info.global) EXPECT_FOUND(touched(way, Bug::kInFlight), Kind::kCopyInFlight, "touch", line_of_bug);
    }
}

}  // namespace
}  // namespace hearth::simt
