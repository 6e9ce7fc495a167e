// Calls of `sample`, row by row, for tests that compare variants.
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "kernels/backend.h"

namespace hearth::testing {

/// What one row asks for.
struct SampleRow {
    std::vector<float> logits{};
    SampleParams params{};
    std::vector<int32_t> prompt{}, answer{};
    int32_t position = 100;
    std::vector<std::pair<int32_t, float>> bias{};
    std::optional<std::vector<uint32_t>> mask{};
    int32_t given = -1, wanted = -1;
};

/// What it gets.
struct SampleOutcome {
    int32_t id = -7;
    std::vector<float> probabilities{};
    float log_probability = -7;
    std::vector<int32_t> top_ids{};
    std::vector<float> top_log_probabilities{};
};

/// All rows, of one vocabulary, in one call. `top`: width of the outputs for the most likely ids, which are left out where it is 0.
std::vector<SampleOutcome> sample_rows(const Variant<SampleArgs>& variant, const Backend& backend, std::span<const SampleRow> rows,
                                       int64_t top = kMaxTopLogProbabilities, bool probabilities = true);

bool same_bits(const SampleOutcome& a, const SampleOutcome& b);

/// Every variant of this machine but the reference, on a backend of so many threads.
void for_each_sample_variant(int threads, const std::function<void(const Variant<SampleArgs>&, const Backend&)>& test);

/// The same and the reference.
void for_each_sample_variant_and_reference(const std::function<void(const Variant<SampleArgs>&, const Backend&)>& test);

/// A mask that allows `ids` alone; bits past the vocabulary are as `rest` says.
std::vector<uint32_t> mask_of(int64_t vocab, const std::vector<int32_t>& ids, bool rest = true);

/// A row of normal logits; `tied`: whole numbers, so that many are equal.
SampleRow random_row(int64_t vocab, bool tied, std::mt19937& random);

}  // namespace hearth::testing
