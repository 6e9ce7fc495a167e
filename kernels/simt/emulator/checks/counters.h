#pragma once
#include "kernels/simt/emulator/memory/hook.h"
namespace hearth::simt {
struct Block;
class ReadCounts {};
class Counters {
public:
    void end_block(Block&) {}
    void count(const Access&) {}
    void warp_operation(const char*) {}
};
}  // namespace hearth::simt
