#include "runtime/engine/sampler.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <mutex>
#include <utility>

#include "base/checked.h"
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

Sampler::Sampler(const Backend& backend, int64_t max_rows, int64_t vocab)
    : backend_(backend), staging_(backend), max_rows_(max_rows), words_(ceil_div(vocab, int64_t{32})) {
    device_out_ = backend.allocate(max_rows * (2 + 2 * int64_t{kMaxTopLogProbabilities}) * int64_t{sizeof(int32_t)});
    tokens_.resize(static_cast<size_t>(max_rows));
    SampleArgs args;
    args.logits = {nullptr, {max_rows, vocab}};
    args.ids = {nullptr, {max_rows}};
    const Device& device = backend.device();
    workspace_bytes_ = select(backend.tables().sample, args, device).workspace_bytes(args, device);
}

/// The flat arrays of a draw; what no row asks for stays empty.
void Sampler::gather(std::span<const Row> rows) {
    for (auto* v : {&history_, &answer_starts_, &positions_, &bias_ids_, &mask_of_, &given_, &wanted_}) v->clear();
    params_.clear();
    bias_values_.clear();
    masks_.clear();
    history_starts_.assign(1, 0);
    bias_starts_.assign(1, 0);
    num_masks_ = 0;
    most_wanted_ = -1;
    bool scores = false;
    for (const Row& row : rows) {
        params_.push_back(*row.params);
        positions_.push_back(static_cast<int32_t>(row.tokens.size()));
        if (penalizes(*row.params)) history_.insert(history_.end(), row.tokens.begin(), row.tokens.end());
        const int64_t answer = history_starts_.back() + row.prompt_tokens;
        answer_starts_.push_back(static_cast<int32_t>(std::min<int64_t>(answer, std::ssize(history_))));
        history_starts_.push_back(static_cast<int32_t>(history_.size()));
        for (const LogitBias& bias : row.bias) {
            bias_ids_.push_back(bias.id);
            bias_values_.push_back(bias.value);
        }
        bias_ids_.insert(bias_ids_.end(), row.banned.begin(), row.banned.end());
        bias_values_.resize(bias_ids_.size(), -std::numeric_limits<float>::infinity());
        bias_starts_.push_back(static_cast<int32_t>(bias_ids_.size()));
        mask_of_.push_back(row.allowed.empty() ? -1 : static_cast<int32_t>(num_masks_++));
        HEARTH_CHECK(row.allowed.empty() || std::ssize(row.allowed) == words_);
        masks_.insert(masks_.end(), row.allowed.begin(), row.allowed.end());
        given_.push_back(row.given);
        scores |= row.given >= 0;
        wanted_.push_back(row.top_log_probabilities);
        most_wanted_ = std::max(most_wanted_, row.top_log_probabilities);
    }
    if (bias_ids_.empty()) bias_starts_.clear();
    if (num_masks_ == 0) mask_of_.clear();
    if (!scores) given_.clear();
    if (most_wanted_ < 0) wanted_.clear();
}

SampleArgs Sampler::arguments(View<const float, 2> logits, int64_t rows) {
    staging_.begin();
    const auto put = [&](const auto& v) { return staging_.put(v.data(), v.size()); };
    const size_t params = put(params_), history = put(history_), starts = put(history_starts_), answers = put(answer_starts_),
                 positions = put(positions_), bias_ids = put(bias_ids_), bias_values = put(bias_values_), bias_starts = put(bias_starts_),
                 mask_of = put(mask_of_), masks = put(masks_), given = put(given_), wanted = put(wanted_);
    staging_.upload();
    const auto ints = [&](size_t at, const std::vector<int32_t>& v) { return staging_.at<int32_t, 1>(at, {std::ssize(v)}); };

    SampleArgs args;
    args.logits = logits;
    args.params = staging_.at<SampleParams, 1>(params, {rows});
    args.history = ints(history, history_);
    args.history_starts = ints(starts, history_starts_);
    args.answer_starts = ints(answers, answer_starts_);
    args.positions = ints(positions, positions_);
    if (!bias_ids_.empty()) {
        args.bias_ids = ints(bias_ids, bias_ids_);
        args.bias_values = staging_.at<float, 1>(bias_values, {std::ssize(bias_values_)});
        args.bias_starts = ints(bias_starts, bias_starts_);
    }
    if (num_masks_ > 0) {
        args.masks = staging_.at<uint32_t, 2>(masks, {num_masks_, words_});
        args.mask_of = ints(mask_of, mask_of_);
    }
    if (!given_.empty()) args.given = ints(given, given_);
    std::byte* out = device_out_.get();
    const auto take = [&](int64_t count) { return std::exchange(out, out + count * int64_t{sizeof(int32_t)}); };
    args.ids = {reinterpret_cast<int32_t*>(take(rows)), {rows}};
    if (most_wanted_ >= 0) {
        args.wanted = ints(wanted, wanted_);
        args.log_probabilities = {reinterpret_cast<float*>(take(rows)), {rows}};
        args.top_ids = {reinterpret_cast<int32_t*>(take(rows * most_wanted_)), {rows, most_wanted_}};
        args.top_log_probabilities = {reinterpret_cast<float*>(take(rows * most_wanted_)), {rows, most_wanted_}};
    }
    return args;
}

std::span<const Token> Sampler::draw(View<const float, 2> logits, std::span<const Row> rows, Stream& stream) {
    const auto count = static_cast<int64_t>(rows.size());
    HEARTH_CHECK(count == logits.extent[0] && count <= max_rows_);
    gather(rows);
    const SampleArgs args = arguments(logits, count);
    {
        const std::lock_guard turn(stream);
        select(backend_.tables().sample, args, backend_.device()).run(args, stream);
        stream.wait();
    }
    const auto fetch = [&](auto& host, const auto& view) {
        host.resize(static_cast<size_t>(view.size()));
        if (view.size() > 0) backend_.copy_to_host(host.data(), view.data, view.size() * int64_t{sizeof(host[0])});
    };
    fetch(ids_, args.ids);
    fetch(log_probabilities_, args.log_probabilities);
    fetch(top_ids_, args.top_ids);
    fetch(top_log_probabilities_, args.top_log_probabilities);
    for (size_t i = 0; i < rows.size(); ++i) {
        Token& token = tokens_[i];
        token.id = ids_[i];
        token.log_probability = rows[i].top_log_probabilities >= 0 ? log_probabilities_[i] : 0;
        token.top.clear();
        for (int32_t k = 0; k < rows[i].top_log_probabilities; ++k) {
            const size_t at = i * static_cast<size_t>(most_wanted_) + static_cast<size_t>(k);
            if (top_ids_[at] >= 0) token.top.push_back({top_ids_[at], top_log_probabilities_[at]});
        }
    }
    return std::span(tokens_).first(rows.size());
}

}  // namespace hearth
