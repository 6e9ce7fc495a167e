#include "kernels/simt/emulator/check.h"

#include <cstring>
#include <optional>

namespace hearth::simt {
namespace {

void compare(const Emulator& first, const Emulator& other, Report& report) {
    for (size_t b = 0; b < first.buffers().size() && b < other.buffers().size(); ++b) {
        const Region& one = first.buffers()[b];
        const Region& two = other.buffers()[b];
        if (one.size == two.size &&
            std::memcmp(reinterpret_cast<const void*>(one.base), reinterpret_cast<const void*>(two.base), one.size) == 0) {
            continue;
        }
        Finding finding;
        finding.kind = Kind::kScheduleDependent;
        finding.kernel = other.last_kernel();
        finding.where = two.written_where;
        finding.text = "the bytes of " + one.name + " depend on the order in which threads, blocks or copies run";
        report.add(finding);
    }
}

}  // namespace

Report check_everywhere(const std::function<void(Emulator&)>& body) {
    const Options ways[] = {
        {.schedule = Schedule::kForward, .landing = Landing::kAtWait},
        {.schedule = Schedule::kReverse, .landing = Landing::kAtIssue},
        {.schedule = Schedule::kForward, .landing = Landing::kAtIssue},
        {.schedule = Schedule::kRandom, .seed = 1, .landing = Landing::kAtWait},
        {.schedule = Schedule::kRandom, .seed = 2, .landing = Landing::kAtIssue},
        {.schedule = Schedule::kForward, .races = true},
        {.schedule = Schedule::kRandom, .seed = 3, .races = true},
    };
    Report report;
    std::optional<Emulator> first;
    for (const Options& way : ways) {
        std::optional<Emulator> later;
        Emulator& gpu = first.has_value() ? later.emplace(way) : first.emplace(way);
        body(gpu);
        for (const Finding& finding : gpu.report().findings()) report.add(finding);
        if (later.has_value()) compare(*first, gpu, report);
    }
    return report;
}

}  // namespace hearth::simt
