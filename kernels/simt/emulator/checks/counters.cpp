#include "kernels/simt/emulator/checks/counters.h"

#include <algorithm>
#include <bit>

#include "kernels/simt/emulator/machine/block.h"

namespace hearth::simt {
namespace {

/// Runs function(begin, end) over the distinct bytes, merged into intervals.
template <class Function>
void for_each_interval(std::vector<std::pair<uintptr_t, unsigned>> lanes, unsigned bytes, Function function) {
    std::sort(lanes.begin(), lanes.end());
    uintptr_t begin = 0, end = 0;
    for (const auto& [address, lane] : lanes) {
        if (address > end) {
            if (end > begin) function(begin, end);
            begin = address;
        }
        end = std::max(end, address + bytes);
    }
    if (end > begin) function(begin, end);
}

void count_reads(Region& region, uintptr_t begin, uintptr_t end) {
    if (region.reads == nullptr) {
        region.reads = std::make_unique<ReadCounts>();
        region.reads->by_byte.resize(region.size);
    }
    for (uintptr_t b = begin; b < end; ++b) ++region.reads->by_byte[b - region.base];
    region.reads->bytes += end - begin;
}

}  // namespace

uint32_t ReadCounts::least() const { return by_byte.empty() ? 0 : *std::min_element(by_byte.begin(), by_byte.end()); }
uint32_t ReadCounts::most() const { return by_byte.empty() ? 0 : *std::max_element(by_byte.begin(), by_byte.end()); }

std::pair<unsigned, unsigned> bank_passes(const std::vector<std::pair<uintptr_t, unsigned>>& lanes, unsigned bytes) {
    const unsigned together = bytes <= 4 ? 32 : 128 / bytes;  // lanes of one group
    unsigned passes = 0, worst = 0;
    for (unsigned group = 0; group < 32; group += together) {
        std::vector<uintptr_t> words;
        for (const auto& [address, lane] : lanes) {
            if (lane / together * together != group) continue;
            for (uintptr_t word = address / 4; word <= (address + bytes - 1) / 4; ++word) words.push_back(word);
        }
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        unsigned of_bank[32] = {}, degree = 0;
        for (const uintptr_t word : words) degree = std::max(degree, ++of_bank[word % 32]);
        passes += degree;
        worst = std::max(worst, degree);
    }
    return {passes, worst};
}

void Counters::count(const Access& access) {
    const Thread& thread = *current;
    if (access.path == Path::kMBarrier) return;
    if (access.path == Path::kBulk) {  // one thread moves it all
        Request request;
        request.access = access;
        request.lanes = {{access.address, 0}};
        return close(request);
    }
    auto& [syncs, next] = occurrences_[{&thread, access.where.file, access.where.line, access.use}];
    if (syncs != thread.syncs) {
        syncs = thread.syncs;
        next = 0;
    }
    const Key key{thread.warp, access.where.file, access.where.line, access.use, syncs, next++};
    Request& request = open_[key];
    request.access = access;
    request.expected = static_cast<unsigned>(std::popcount(thread.warp->exists));
    request.lanes.emplace_back(access.address, thread.lane);
    if (request.lanes.size() == request.expected) {
        close(request);
        open_.erase(key);
    }
}

void Counters::close(Request& request) {
    const Access& access = request.access;
    LineCount& line = lines_[{access.where.line, access.use == Use::kLoad}];
    ++line.requests;
    uint64_t distinct = 0, sectors = 0;
    uintptr_t last_sector = ~uintptr_t{0};
    for_each_interval(request.lanes, access.bytes, [&](uintptr_t begin, uintptr_t end) {
        distinct += end - begin;
        const uintptr_t first = begin / 32 == last_sector ? begin / 32 + 1 : begin / 32;
        sectors += (end - 1) / 32 + 1 - first;
        last_sector = (end - 1) / 32;
        if (access.use == Use::kLoad && !access.region->shared) count_reads(*access.region, begin, end);
    });
    line.bytes += distinct;
    if (!access.region->shared) {
        line.sectors += sectors;
        line.ideal_sectors += (distinct + 31) / 32;
    } else if (access.path != Path::kBulk) {
        const auto [passes, worst] = bank_passes(request.lanes, access.bytes);
        line.passes += passes;
        line.ideal_passes += (distinct + 127) / 128;
        line.worst_degree = std::max(line.worst_degree, worst);
    }
}

void Counters::end_block(Block& block) {
    for (auto at = open_.begin(); at != open_.end();) {
        const Warp* warp = std::get<0>(at->first);
        if (warp < block.warps.data() || warp >= block.warps.data() + block.warps.size()) {
            ++at;
            continue;
        }
        close(at->second);
        at = open_.erase(at);
    }
    std::erase_if(occurrences_, [&](const auto& entry) { return std::get<0>(entry.first)->block == &block; });
}

const LineCount& Counters::line(int number, bool load) const {
    static const LineCount kNone;
    const auto found = lines_.find({number, load});
    return found == lines_.end() ? kNone : found->second;
}

uint64_t Counters::operations(const std::string& name) const {
    const auto found = operations_.find(name);
    return found == operations_.end() ? 0 : found->second;
}

}  // namespace hearth::simt
