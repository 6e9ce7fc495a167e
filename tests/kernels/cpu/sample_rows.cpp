#include "tests/kernels/cpu/sample_rows.h"

#include <cmath>
#include <cstring>

#include "kernels/reference/reference.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

/// The inputs of all rows, one behind the other.
struct Flat {
    std::vector<float> logits, bias_values;
    std::vector<SampleParams> params;
    std::vector<int32_t> history, history_starts{0}, answer_starts, positions, bias_ids, bias_starts{0}, masks_of, given, wanted;
    std::vector<uint32_t> masks;

    explicit Flat(std::span<const SampleRow> rows) {
        int32_t count = 0;
        for (const SampleRow& row : rows) {
            logits.insert(logits.end(), row.logits.begin(), row.logits.end());
            params.push_back(row.params);
            history.insert(history.end(), row.prompt.begin(), row.prompt.end());
            answer_starts.push_back(static_cast<int32_t>(history.size()));
            history.insert(history.end(), row.answer.begin(), row.answer.end());
            history_starts.push_back(static_cast<int32_t>(history.size()));
            positions.push_back(row.position);
            for (const auto& [id, value] : row.bias) {
                bias_ids.push_back(id);
                bias_values.push_back(value);
            }
            bias_starts.push_back(static_cast<int32_t>(bias_ids.size()));
            if (row.mask) masks.insert(masks.end(), row.mask->begin(), row.mask->end());
            masks_of.push_back(row.mask ? count++ : -1);
            given.push_back(row.given);
            wanted.push_back(row.wanted);
        }
    }
};

template <class T>
View<const T, 1> view(const std::vector<T>& all) {
    return {all.data(), {std::ssize(all)}};
}

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

std::vector<SampleOutcome> sample_rows(const Variant<SampleArgs>& variant, const Backend& backend, std::span<const SampleRow> rows,
                                       int64_t top, bool probabilities) {
    const Flat in(rows);
    const auto count = std::ssize(rows), vocab = std::ssize(rows[0].logits), words = (vocab + 31) / 32;
    std::vector<int32_t> ids(rows.size(), -7), top_ids(static_cast<size_t>(count * top), -7);
    std::vector<float> distribution(probabilities ? in.logits.size() : 0, -7.0f), log_probabilities(rows.size(), -7.0f),
        top_log_probabilities(top_ids.size(), -7.0f);
    SampleArgs a;
    a.logits = {in.logits.data(), {count, vocab}};
    a.params = view(in.params);
    a.history = view(in.history);
    a.history_starts = view(in.history_starts);
    a.answer_starts = view(in.answer_starts);
    a.positions = view(in.positions);
    a.bias_ids = view(in.bias_ids);
    a.bias_values = view(in.bias_values);
    a.bias_starts = view(in.bias_starts);
    a.masks = {in.masks.data(), {std::ssize(in.masks) / words, words}};
    a.mask_of = view(in.masks_of);
    a.given = view(in.given);
    a.wanted = view(in.wanted);
    a.ids = {ids.data(), {count}};
    if (probabilities) a.probabilities = {distribution.data(), {count, vocab}};
    a.log_probabilities = {log_probabilities.data(), {count}};
    if (top > 0) {
        a.top_ids = {top_ids.data(), {count, top}};
        a.top_log_probabilities = {top_log_probabilities.data(), {count, top}};
    }
    run(variant, a, backend);
    std::vector<SampleOutcome> out(rows.size());
    const auto part = [](const auto& all, size_t i, size_t size) {
        return std::vector(all.begin() + static_cast<std::ptrdiff_t>(i * size), all.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
    };
    for (size_t i = 0; i < rows.size(); ++i) {
        out[i] = {.id = ids[i],
                  .probabilities = part(distribution, i, distribution.size() / rows.size()),
                  .log_probability = log_probabilities[i],
                  .top_ids = part(top_ids, i, static_cast<size_t>(top)),
                  .top_log_probabilities = part(top_log_probabilities, i, static_cast<size_t>(top))};
    }
    return out;
}

bool same_bits(const SampleOutcome& a, const SampleOutcome& b) {
    return a.id == b.id && equal(a.probabilities, b.probabilities) && equal({a.log_probability}, {b.log_probability}) &&
           a.top_ids == b.top_ids && equal(a.top_log_probabilities, b.top_log_probabilities);
}

void for_each_sample_variant(int threads, const std::function<void(const Variant<SampleArgs>&, const Backend&)>& test) {
    for (const std::string& device : cpu_devices()) {
        const auto backend = make_device({.device = device, .threads = threads});
        SampleArgs any;
        any.logits = {nullptr, {1, 1}};
        for (const auto& variant : backend->tables().sample) {
            if (variant.name.ends_with("/reference") || !variant.supports(any, backend->device())) continue;
            test(variant, *backend);
        }
    }
}

void for_each_sample_variant_and_reference(const std::function<void(const Variant<SampleArgs>&, const Backend&)>& test) {
    test(kSampleReference, *make_backend({.device = "reference"}));
    for_each_sample_variant(2, test);
}

std::vector<uint32_t> mask_of(int64_t vocab, const std::vector<int32_t>& ids, bool rest) {
    std::vector<uint32_t> words(static_cast<size_t>((vocab + 31) / 32));
    for (const int32_t id : ids) words[static_cast<size_t>(id / 32)] |= uint32_t{1} << id % 32;
    if (rest && vocab % 32 != 0) words.back() |= ~uint32_t{0} << vocab % 32;
    return words;
}

SampleRow random_row(int64_t vocab, bool tied, std::mt19937& random) {
    std::normal_distribution<float> normal(0, 3);
    SampleRow row;
    for (int64_t i = 0; i < vocab; ++i) row.logits.push_back(tied ? std::round(normal(random)) : normal(random));
    if (vocab > 3) row.logits[3] = -INFINITY;
    row.params.seed = random();
    row.position = static_cast<int32_t>(random() % 1000);
    return row;
}

}  // namespace hearth::testing
