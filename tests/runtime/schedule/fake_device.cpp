#include "tests/runtime/schedule/fake_device.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/engine/admission.h"

namespace hearth::testing {
namespace {

uint64_t hash_of(std::span<const int32_t> tokens) {
    uint64_t out = 0x9E3779B97F4A7C15;
    for (const int32_t token : tokens) out = (out ^ static_cast<uint64_t>(token + 1)) * 0xD1342543DE82EF95 + (out >> 29);
    return out;
}

int64_t slot_of(const Sequence& s, int64_t position) {
    const BlockId block = s.blocks.at(static_cast<size_t>(position / kBlockTokens));
    return block == kNoBlock ? -1 : block * kBlockTokens + position % kBlockTokens;
}

std::span<const int32_t> up_to(const Sequence& s, int64_t position) { return std::span(s.tokens).first(static_cast<size_t>(position + 1)); }

}  // namespace

int32_t FakeDevice::next_token(std::span<const int32_t> tokens) { return static_cast<int32_t>((hash_of(tokens) >> 17) % kVocab); }

std::span<const Outcome> FakeDevice::run(const Plan& plan) {
    for (const Work& work : plan.work) write(work);
    for (const Work& work : plan.work) read(work);
    rows_.clear();
    outcomes_.clear();
    for (const Work& work : plan.work) {
        const Sequence& s = *work.sequence;
        auto& rows = rows_.emplace_back();
        for (int64_t p = s.computed + work.count - work.rows; p < s.computed + work.count; ++p) {
            const bool given = p + 1 < s.length();
            rows.push_back(
                {.id = given ? s.tokens[static_cast<size_t>(p + 1)] : next_token(up_to(s, p)), .log_probability = -1, .top = {}});
        }
    }
    for (size_t i = 0; i < plan.work.size(); ++i) outcomes_.push_back({.sequence = plan.work[i].sequence, .rows = rows_[i]});
    return outcomes_;
}

void FakeDevice::write(const Work& work) {
    const Sequence& s = *work.sequence;
    for (int64_t p = s.computed; p < s.computed + work.count; ++p, ++computed_) {
        if (p < s.in_cache) continue;
        ASSERT_GE(slot_of(s, p), 0);
        slots_[slot_of(s, p)] = hash_of(up_to(s, p));
    }
}

void FakeDevice::read(const Work& work) const {
    const Sequence& s = *work.sequence;
    for (int64_t p = s.computed; p < s.computed + work.count; ++p) {
        for (int64_t q = window_ == 0 ? 0 : std::max<int64_t>(0, p - window_ + 1); q <= p; ++q) {
            ASSERT_GE(slot_of(s, q), 0) << "token " << q << ", seen by token " << p << ", was given back";
            ASSERT_EQ(slots_.at(slot_of(s, q)), hash_of(up_to(s, q))) << "token " << q << ", seen by token " << p;
        }
    }
}

std::unique_ptr<Sequence> sequence_of(Request request, int64_t context) {
    auto made = make_sequence(std::move(request), FakeDevice::kVocab, context).first;
    made->channel.reset();
    return made;
}

std::vector<int32_t> answer_alone(const Request& request, int64_t context) {
    std::vector<int32_t> tokens = request.prompt;
    const auto prompt = static_cast<int64_t>(tokens.size());
    const int64_t longest = request.max_tokens < 0 ? context : std::min(context, prompt + request.max_tokens);
    while (static_cast<int64_t>(tokens.size()) < longest) {
        const int32_t token = FakeDevice::next_token(tokens);
        if (std::ranges::find(request.stop_tokens, token) != request.stop_tokens.end()) break;
        tokens.push_back(token);
    }
    return {tokens.begin() + prompt, tokens.end()};
}

}  // namespace hearth::testing
