// What a kernel costs, counted: sectors, bytes of each buffer, bank conflicts, operations. In runs that do not check races.
//
// Accesses count by warp: the n-th execution of a line by each lane since the warp last met is one request. Where lanes take different
// ways between two meetings the grouping is a guess; kernels whose loops are uniform are counted exactly.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "kernels/simt/emulator/memory/hook.h"

namespace hearth::simt {

struct Block;

/// Of one line of a kernel and one kind of access.
struct LineCount {
    uint64_t requests = 0;       // of warps
    uint64_t bytes = 0;          // distinct ones of each request
    uint64_t sectors = 0;        // global memory: 32-byte sectors moved
    uint64_t ideal_sectors = 0;  // as many as the distinct bytes fill
    uint64_t passes = 0;         // shared memory: a request takes one for every 128 bytes, more where banks conflict
    uint64_t ideal_passes = 0;
    unsigned worst_degree = 0;  // of bank conflicts; 1: none
};

/// How often each byte of a buffer was read, over all requests. 1 and 1: each exactly once.
class ReadCounts {
public:
    std::vector<uint32_t> by_byte;
    uint64_t bytes = 0;
    uint32_t least() const;
    uint32_t most() const;
};

class Counters {
public:
    void count(const Access& access);
    void operation(std::string_view name) { ++operations_[std::string(name)]; }
    void end_block(Block& block);

    /// By the line's number and whether it is a load (false: store or atomic). Files are not told apart.
    const LineCount& line(int number, bool load) const;
    const std::map<std::pair<int, bool>, LineCount>& lines() const { return lines_; }
    /// Operations of warps ("shuffle", "mma.m16n8k16.bf16", ...), "sync_block" and "sync_named" of blocks.
    uint64_t operations(const std::string& name) const;

private:
    struct Request {
        std::vector<std::pair<uintptr_t, unsigned>> lanes;  // address, lane
        Access access{};
        unsigned expected = 32;
    };
    using Key = std::tuple<const Warp*, const char*, int, Use, uint32_t, uint32_t>;  // warp, file, line, use, syncs, occurrence
    void close(Request& request);

    std::map<Key, Request> open_;
    std::map<std::tuple<const Thread*, const char*, int, Use>, std::pair<uint32_t, uint32_t>> occurrences_;  // syncs, next
    std::map<std::pair<int, bool>, LineCount> lines_;
    std::map<std::string, uint64_t> operations_;
};

/// Passes of a shared-memory request and the worst conflict: lanes go in groups that fill 128 bytes, 32 banks of 4 bytes. CUDA C++ Best
/// Practices Guide, "Shared Memory and Memory Banks".
std::pair<unsigned, unsigned> bank_passes(const std::vector<std::pair<uintptr_t, unsigned>>& lanes, unsigned bytes);

}  // namespace hearth::simt
