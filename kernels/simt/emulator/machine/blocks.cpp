#include "kernels/simt/emulator/machine/blocks.h"

#include <cstring>

namespace hearth::simt {
namespace {

constexpr uint64_t kSharedAlign = 1024;  // as much as any swizzle of a bulk tensor copy asks for
constexpr int kPoison = 0xff;            // NaN as f32, f16, bf16 and e4m3

Dim place(unsigned long long number, Dim extent) {
    const unsigned long long row = number / extent.x;
    return {static_cast<unsigned>(number % extent.x), static_cast<unsigned>(row % extent.y), static_cast<unsigned>(row / extent.y)};
}

}  // namespace

std::unique_ptr<Block> make_block(Machine& machine, Launch& launch, unsigned long long number, uint32_t serial, StackPool& pool) {
    auto block = std::make_unique<Block>();
    const auto count = static_cast<unsigned>(launch.block.size());
    block->launch = &launch;
    block->id = place(number, launch.grid);
    block->serial = serial;
    block->live = count;
    block->stacks = pool.take(count);
    block->warps.resize((count + 31) / 32);
    block->threads.resize(count);
    for (unsigned i = 0; i < count; ++i) {
        Thread& thread = block->threads[i];
        Warp& warp = block->warps[i / 32];
        thread.machine = &machine;
        thread.block = block.get();
        thread.warp = &warp;
        thread.index = i;
        thread.lane = i % 32;
        thread.id = place(i, launch.block);
        thread.fiber.stack = block->stacks->stack(i);
        thread.fiber.stack_bytes = block->stacks->bytes();
        warp.lanes[thread.lane] = &thread;
        warp.exists |= 1u << thread.lane;
    }
    if (launch.shared_bytes > 0) {
        block->shared_storage = std::make_unique<unsigned char[]>(launch.shared_bytes + kSharedAlign);
        block->shared_state = std::make_unique<unsigned char[]>(launch.shared_bytes);
        const auto address = reinterpret_cast<uintptr_t>(block->shared_storage.get());
        block->shared = block->shared_storage.get() + (kSharedAlign - address % kSharedAlign) % kSharedAlign;
        std::memset(block->shared, kPoison, launch.shared_bytes);
    }
    return block;
}

}  // namespace hearth::simt
