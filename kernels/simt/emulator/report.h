// What the emulator found: each finding names the kernel, the block, the thread and the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

struct Dim {
    unsigned x = 1, y = 1, z = 1;
    unsigned long long size() const { return static_cast<unsigned long long>(x) * y * z; }
};

enum class Kind : uint8_t {
    kOutOfBounds,        // an access that no buffer holds whole
    kMisaligned,         // an address that is no multiple of the access's size
    kUninitialised,      // a read of what nobody wrote
    kDivergentBarrier,   // threads of a block at different barriers, or gone while others wait
    kDivergentWarp,      // lanes of a warp at different operations, or named by a mask and gone
    kBadLane,            // a shuffle reads a lane that its mask does not name
    kDeadlock,           // all threads wait
    kRace,               // same byte, two threads, at least one write, no ordering operation between
    kCopyInFlight,       // an asynchronous copy's destination touched before the wait
    kBadMBarrier,        // an mbarrier used before its init, or with more arrivals than it expects
    kEarlyTouch,         // a dependent kernel touched, before its wait, what an earlier kernel writes
    kStaleRead,          // a read-only (.nc) load of a buffer that the same kernels write
    kBadShared,          // more shared memory taken than launched with, or differently by two threads
    kScheduleDependent,  // results that differ between schedules
};

const char* name_of(Kind kind);

struct Finding {
    Kind kind = Kind::kOutOfBounds;
    std::string kernel;
    Dim block{0, 0, 0};
    unsigned thread = 0;  // linear index in its block
    Where where;
    std::string text;  // what was expected and found

    std::string to_string() const;  // "race: kernel k, block (0,0,0), thread 3, file.cpp:12: ..."
};

/// Findings in the order in which they were made. One line of a kernel is told once per kind; `total` counts all.
class Report {
public:
    void add(Finding finding);

    bool clean() const { return findings_.empty(); }
    size_t total() const { return total_; }
    const std::vector<Finding>& findings() const { return findings_; }
    const Finding* find(Kind kind) const;  // the first of its kind, or null
    std::string to_string() const;

private:
    std::vector<Finding> findings_;
    size_t total_ = 0;
};

}  // namespace hearth::simt
