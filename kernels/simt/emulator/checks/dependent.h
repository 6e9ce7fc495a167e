// Dependent launches: a kernel that begins before the one before it has ended must not touch what that one writes until its wait.
//
// The machine runs the later kernel's blocks up to their wait before the earlier kernel begins. So a touch that came too early is one that
// an earlier launch's write follows in time; it is reported at the line of the early touch.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/simt/emulator/memory/hook.h"

namespace hearth::simt {

/// Of a buffer's bytes: the launch (of the chain, counted from 1) that touched, and that wrote, each last.
class EarlyShadow {
public:
    struct Touch {
        Where where;
        Dim block{0, 0, 0};
        unsigned thread = 0;
    };
    uint32_t chain = 0;
    std::vector<uint8_t> toucher, writer;
    std::array<Touch, 65> last;  // touch, by launch
};

/// Of an access of the current thread to global memory. Does nothing where no launches overlap.
void check_order_of_launches(Machine& machine, const Access& access);

}  // namespace hearth::simt
