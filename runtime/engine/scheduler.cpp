#include "runtime/engine/scheduler.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/ops.h"

namespace hearth {
namespace {

int64_t blocks_for(int64_t tokens) { return ceil_div(tokens, kBlockTokens); }

}  // namespace

Scheduler::Scheduler(const Limits& limits, int32_t num_blocks) : limits_(limits), pool_(num_blocks) {
    HEARTH_CHECK(limits.max_sequences > 0 && limits.max_step_tokens >= limits.max_sequences);
    HEARTH_CHECK(num_blocks >= blocks_for(limits.max_length));
    running_.reserve(static_cast<size_t>(limits.max_sequences));
    work_.reserve(static_cast<size_t>(limits.max_sequences));
}

void Scheduler::add(std::unique_ptr<Sequence> sequence) {
    HEARTH_CHECK(sequence->length() > 0 && sequence->length() < sequence->max_length && sequence->max_length <= limits_.max_length);
    HEARTH_CHECK(sequence->computed == 0 && sequence->blocks.empty());
    waiting_.push_back(std::move(sequence));
}

const std::vector<Scheduler::Work>& Scheduler::plan() {
    work_.clear();
    int64_t budget = limits_.max_step_tokens;
    // Decodes, oldest first. grow() may preempt the youngest, which stands behind all that is planned already.
    for (size_t i = 0; i < running_.size(); ++i) {
        Sequence& sequence = *running_[i];
        if (sequence.remaining() == 1 && grow(sequence)) schedule(sequence, budget);
    }
    for (auto& sequence : running_) {
        if (budget > 0 && sequence->remaining() > 1) schedule(*sequence, budget);
    }
    while (budget > 0 && admit_next()) schedule(*running_.back(), budget);
    HEARTH_CHECK(!work_.empty() || empty());
    return work_;
}

void Scheduler::schedule(Sequence& sequence, int64_t& budget) {
    const int64_t count = std::min(sequence.remaining(), budget);
    work_.push_back({&sequence, count, count == sequence.remaining()});
    budget -= count;
}

bool Scheduler::grow(Sequence& sequence) {
    if (blocks_for(sequence.length()) <= static_cast<int64_t>(sequence.blocks.size())) return true;
    // Memory before blocks: a block that is taken and found no place would be lost.
    if (sequence.blocks.size() == sequence.blocks.capacity()) sequence.blocks.reserve(2 * sequence.blocks.size() + 1);
    while (true) {
        if (const auto block = pool_.acquire()) {
            sequence.blocks.push_back(*block);
            return true;
        }
        const bool itself = running_.back().get() == &sequence;
        HEARTH_CHECK(running_.size() > 1);  // one alone fits the pool
        preempt_youngest();
        if (itself) return false;
    }
}

bool Scheduler::admit_next() {
    if (waiting_.empty() || num_running() == limits_.max_sequences) return false;
    Sequence& sequence = *waiting_.front();
    const int64_t needed = blocks_for(sequence.length());
    if (pool_.num_available() < needed + num_running()) return false;
    sequence.blocks.reserve(static_cast<size_t>(needed));
    for (int64_t i = 0; i < needed; ++i) sequence.blocks.push_back(*pool_.acquire());
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    return true;
}

void Scheduler::preempt_youngest() {
    ++preemptions_;
    release_blocks(*running_.back());
    running_.back()->computed = 0;
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
}

void Scheduler::release_blocks(Sequence& sequence) {
    for (const BlockId block : sequence.blocks) pool_.release(block);
    sequence.blocks.clear();
}

void Scheduler::commit() {
    for (const Work& work : work_) work.sequence->computed += work.count;
    work_.clear();
}

std::unique_ptr<Sequence> Scheduler::remove(const Sequence* sequence) {
    const auto take = [&](auto& from) -> std::unique_ptr<Sequence> {
        const auto found = std::ranges::find(from, sequence, [](const auto& s) { return s.get(); });
        if (found == from.end()) return nullptr;
        auto out = std::move(*found);
        from.erase(found);
        return out;
    };
    std::erase_if(work_, [&](const Work& work) { return work.sequence == sequence; });
    auto out = take(running_);
    if (!out) out = take(waiting_);
    HEARTH_CHECK(out);
    release_blocks(*out);
    return out;
}

void Scheduler::check_integrity() const {
    pool_.check_integrity();
    std::vector<int> uses(static_cast<size_t>(pool_.num_blocks()));
    int64_t held = 0;
    for (const auto& s : running_) {
        if (blocks_for(s->computed) > static_cast<int64_t>(s->blocks.size())) throw std::logic_error("scheduler: a token lies in no block");
        if (s->remaining() < 1) throw std::logic_error("scheduler: a sequence has nothing left to compute");
        for (const BlockId block : s->blocks) {
            if (uses[static_cast<size_t>(block)]++ > 0) throw std::logic_error("scheduler: two sequences write to one block");
            ++held;
        }
    }
    for (const auto& s : waiting_) {
        if (!s->blocks.empty() || s->computed != 0) throw std::logic_error("scheduler: a queued sequence holds blocks");
    }
    if (held != pool_.num_in_use()) throw std::logic_error("scheduler: a block is lost");
    if (num_running() > limits_.max_sequences) throw std::logic_error("scheduler: too many sequences run");
}

}  // namespace hearth
