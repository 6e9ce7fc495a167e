#include "kernels/simt/emulator/ops/shared.h"

#include <string>

#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {

Region* take_shared(uint64_t bytes, uint64_t align, Where where) {
    Block& block = *current->block;
    const unsigned number = current->shared_taken++;
    if (number < block.shared_regions.size()) {
        Region& region = block.shared_regions[number];
        if (region.size != bytes) {
            current->machine->fail(Kind::kBadShared, where,
                                   "takes " + std::to_string(bytes) + " bytes where another thread took " + std::to_string(region.size));
        }
        return &region;
    }
    const uint64_t offset = (block.shared_used + align - 1) / align * align;
    if (offset + bytes > block.launch->shared_bytes) {
        current->machine->fail(Kind::kBadShared, where,
                               "takes " + std::to_string(bytes) + " bytes of shared memory after " + std::to_string(offset) +
                                   " of the launch's " + std::to_string(block.launch->shared_bytes));
    }
    block.shared_used = offset + bytes;
    Region& region = block.shared_regions.emplace_back("shared array " + std::to_string(number) + " of line " + std::to_string(where.line),
                                                       true, block.shared + offset, bytes);
    region.state = block.shared_state.get() + offset;
    region.shared_offset = offset;
    return &region;
}

}  // namespace hearth::simt
