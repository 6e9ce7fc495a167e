#include "kernels/simt/emulator/report.h"

#include <utility>

namespace hearth::simt {

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::kOutOfBounds: return "out of bounds";
        case Kind::kMisaligned: return "misaligned";
        case Kind::kUninitialised: return "uninitialised";
        case Kind::kDivergentBarrier: return "divergent barrier";
        case Kind::kDivergentWarp: return "divergent warp operation";
        case Kind::kBadLane: return "bad lane";
        case Kind::kDeadlock: return "deadlock";
        case Kind::kRace: return "race";
        case Kind::kCopyInFlight: return "copy in flight";
        case Kind::kBadMBarrier: return "bad mbarrier";
        case Kind::kEarlyTouch: return "early touch";
        case Kind::kStaleRead: return "stale read";
        case Kind::kBadShared: return "bad shared memory";
        case Kind::kScheduleDependent: return "schedule dependent";
    }
    return "?";
}

std::string Finding::to_string() const {
    return std::string(name_of(kind)) + ": kernel " + kernel + ", block (" + std::to_string(block.x) + "," + std::to_string(block.y) + "," +
           std::to_string(block.z) + "), thread " + std::to_string(thread) + ", " + where.file + ":" + std::to_string(where.line) + ": " +
           text;
}

void Report::add(Finding finding) {
    ++total_;
    for (const Finding& told : findings_) {
        if (told.kind == finding.kind && told.where == finding.where && told.kernel == finding.kernel) return;
    }
    findings_.push_back(std::move(finding));
}

const Finding* Report::find(Kind kind) const {
    for (const Finding& finding : findings_) {
        if (finding.kind == kind) return &finding;
    }
    return nullptr;
}

std::string Report::to_string() const {
    std::string text;
    for (const Finding& finding : findings_) text += finding.to_string() + "\n";
    return text;
}

}  // namespace hearth::simt
