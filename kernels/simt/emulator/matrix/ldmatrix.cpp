#include <cstring>

#include "kernels/simt/emulator/checks/race.h"
#include "kernels/simt/emulator/machine/machine.h"
#include "kernels/simt/emulator/machine/rendezvous.h"
#include "kernels/simt/emulator/matrix/fragments.h"
#include "kernels/simt/emulator/ops/warp.h"

namespace hearth::simt {
namespace {

struct Lane {
    Region* region;
    uintptr_t row;
    uint32_t* words;
    int count;
    bool transposed;
    uintptr_t from[4][2];  // where each half word of `words` comes from: for the race check
    Region* from_region[4];
};

uint16_t half_at(uintptr_t address) {
    uint16_t half;
    std::memcpy(&half, reinterpret_cast<const void*>(address), 2);
    return half;
}

/// Rows whose lanes were refused are null.
void combine(const Rendezvous& met, Warp&) {
    auto lane_of = [&](unsigned l) -> Lane& { return *static_cast<Lane*>(met.operands[l]); };
    const int count = lane_of(0).count;
    const bool transposed = lane_of(0).transposed;
    for (unsigned l = 0; l < 32; ++l) {
        Lane& lane = lane_of(l);
        for (int m = 0; m < count; ++m) {
            uint32_t word = 0;
            for (unsigned h = 0; h < 2; ++h) {
                const unsigned row = transposed ? l % 4 * 2 + h : l / 4, column = transposed ? l / 4 : l % 4 * 2 + h;
                const Lane& source = lane_of(static_cast<unsigned>(m) * 8 + row);
                const uintptr_t address = source.row == 0 ? 0 : source.row + column * 2;
                if (address != 0) word |= uint32_t{half_at(address)} << (16 * h);
                lane.from[m][h] = address;
                lane.from_region[m] = source.region;
            }
            lane.words[m] = word;
        }
    }
}

}  // namespace

void ldmatrix_words(int count, bool transposed, Region* region, uintptr_t row, uint32_t* words, Where where) {
    Lane mine{};
    mine.region = region;
    mine.words = words;
    mine.count = count;
    mine.transposed = transposed;
    const bool gives_row = current->lane < static_cast<unsigned>(8 * count);
    if (gives_row && admit({region, row, 16, 16, Use::kLoad, Path::kLdmatrix, where})) mine.row = row;
    meet("ldmatrix", kAllLanes, &mine, combine, true, where);
    if (!current->machine->races()) return;
    for (int m = 0; m < count; ++m) {  // a lane reads what it receives, whoever gave the address
        for (const uintptr_t half : mine.from[m]) {
            if (half != 0) check_race({mine.from_region[m], half, 2, 2, Use::kLoad, Path::kLdmatrix, where});
        }
    }
}

}  // namespace hearth::simt
