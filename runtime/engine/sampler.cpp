#include "runtime/engine/sampler.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

bool penalizes(const SampleParams& p) { return p.repetition_penalty != 1 || p.frequency_penalty != 0 || p.presence_penalty != 0; }

void check_range(std::string_view name, double value, double low, double high) {
    if (value >= low && value <= high) return;  // false for NaN
    throw Error(ErrorKind::kBadInput, cat(name, ": expected ", low, " to ", high, ", found ", value));
}

}  // namespace

void check_sampling(const SampleParams& p) {
    constexpr double kMost = 1e6;
    check_range("temperature", double{p.temperature}, 0, kMost);
    check_range("top_k", p.top_k, 0, std::numeric_limits<int32_t>::max());
    check_range("top_p", double{p.top_p}, 0, 1);
    check_range("min_p", double{p.min_p}, 0, 1);
    check_range("repetition_penalty", double{p.repetition_penalty}, 1e-6, kMost);
    check_range("frequency_penalty", double{p.frequency_penalty}, -kMost, kMost);
    check_range("presence_penalty", double{p.presence_penalty}, -kMost, kMost);
}

Sampler::Sampler(const Backend& backend, int64_t max_rows, int64_t vocab) : backend_(backend), staging_(backend), max_rows_(max_rows) {
    ids_.resize(static_cast<size_t>(max_rows));
    device_ids_ = backend.allocate(max_rows * int64_t{sizeof(int32_t)});
    SampleArgs args;
    args.logits = {nullptr, {max_rows, vocab}};
    args.ids = {nullptr, {max_rows}};
    const Device& device = backend.device();
    workspace_bytes_ = select(backend.tables().sample, args, device).workspace_bytes(args, device);
}

std::span<const int32_t> Sampler::draw(View<const float, 2> logits, std::span<const Row> rows, Stream& stream) {
    const auto count = static_cast<int64_t>(rows.size());
    HEARTH_CHECK(count == logits.extent[0] && count <= max_rows_);
    params_.clear();
    history_.clear();
    answer_starts_.clear();
    positions_.clear();
    history_starts_.assign(1, 0);
    for (const Row& row : rows) {
        params_.push_back(*row.params);
        positions_.push_back(static_cast<int32_t>(row.tokens.size()));
        if (penalizes(*row.params)) history_.insert(history_.end(), row.tokens.begin(), row.tokens.end());
        const int64_t answer = history_starts_.back() + row.prompt_tokens;
        answer_starts_.push_back(static_cast<int32_t>(std::min<int64_t>(answer, std::ssize(history_))));
        history_starts_.push_back(static_cast<int32_t>(history_.size()));
    }
    staging_.begin();
    const size_t params = staging_.put(params_.data(), params_.size()), history = staging_.put(history_.data(), history_.size()),
                 starts = staging_.put(history_starts_.data(), history_starts_.size()),
                 answers = staging_.put(answer_starts_.data(), answer_starts_.size()),
                 positions = staging_.put(positions_.data(), positions_.size());
    staging_.upload();

    SampleArgs args;
    args.logits = logits;
    args.params = staging_.at<SampleParams, 1>(params, {count});
    args.history = staging_.at<int32_t, 1>(history, {static_cast<int64_t>(history_.size())});
    args.history_starts = staging_.at<int32_t, 1>(starts, {count + 1});
    args.answer_starts = staging_.at<int32_t, 1>(answers, {count});
    args.positions = staging_.at<int32_t, 1>(positions, {count});
    args.ids = {reinterpret_cast<int32_t*>(device_ids_.get()), {count}};
    select(backend_.tables().sample, args, backend_.device()).run(args, stream);
    stream.wait();
    backend_.copy_to_host(ids_.data(), device_ids_.get(), count * int64_t{sizeof(int32_t)});
    return {ids_.data(), rows.size()};
}

}  // namespace hearth
