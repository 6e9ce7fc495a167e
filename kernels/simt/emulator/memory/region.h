// A named piece of memory that a kernel may touch: a buffer in global memory, or one array of a block's shared memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

class RaceCells;    // checks/race.h
class ReadCounts;   // checks/counters.h
class EarlyShadow;  // checks/dependent.h

/// What is known of a byte. A whole access of good bytes compares equal to repeated kGood.
enum ByteState : uint8_t { kUnwritten = 0, kGood = 1, kInFlight = 2 };

struct Region {
    Region(std::string name_, bool shared_, unsigned char* bytes_, uint64_t size_);
    ~Region();

    std::string name;
    bool shared = false;
    uintptr_t base = 0;        // 256-byte aligned in global memory, as cudaMalloc gives; as taken in shared memory
    uint64_t size = 0;         // bytes
    uint8_t* state = nullptr;  // [size] ByteState; null: all good for ever (an uploaded buffer)
    uint64_t shared_offset = 0;

    uint32_t read_only_chain = 0, written_chain = 0;  // the last chain of launches that read it by .nc loads, that wrote it
    Where read_only_where, written_where;

    std::unique_ptr<RaceCells> races;
    std::unique_ptr<ReadCounts> reads;
    std::unique_ptr<EarlyShadow> early;
};

}  // namespace hearth::simt
