// Every plain checkpoint of the golden folder against transformers, on the reference kernels and on the fast ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "loaders/load_model.h"
#include "tests/models/golden_case.h"
#include "tests/models/router_ties.h"
#include "tests/models/run_model.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using testing::GoldenCase;
using testing::RunOptions;
using testing::RunResult;

constexpr float kExact = 2e-5f;  // of the largest: float32 throughout
constexpr float kWorst = 6e-2f;  // of the largest logit, at any position: bf16 cache and matmuls
constexpr float kMedian = 1.5e-2f;
constexpr float kNearTie = 0.05f;  // router logits closer than that may choose the other expert

std::shared_ptr<const Model> load(const GoldenCase& golden, const std::shared_ptr<const Backend>& backend) {
    return load_model(inspect_checkpoint(golden.folder), backend);
}

std::string describe(const RunOptions& options) {
    return (options.chunk < 1000 ? "chunks of " + std::to_string(options.chunk) : std::string("one chunk")) +
           (options.crowded ? ", in a batch with others" : "");
}

const std::vector<RunOptions>& ways_to_run() {
    static const std::vector<RunOptions> ways = {
        {}, {.chunk = 1}, {.chunk = 7}, {.chunk = 32}, {.crowded = true}, {.chunk = 7, .crowded = true}};
    return ways;
}

std::vector<RunOptions> ways_to_answer() { return {{}, {.chunk = 1}, {.chunk = 7, .crowded = true}}; }

std::span<const float> row_of(const std::vector<float>& x, int64_t row, int64_t width) {
    return std::span(x).subspan(static_cast<size_t>(row * width), static_cast<size_t>(width));
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
    float most = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        const float difference = std::abs(a[i] - b[i]);
        if (!(difference <= most)) most = difference;  // keeps a NaN
    }
    return most;
}

std::string clean(std::string name) {
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return name;
}

TEST(GoldenFolder, HoldsCheckpointsToCompareWith) {
    const size_t plain = testing::plain_checkpoints().size(), quantized = testing::quantized_checkpoints().size();
    EXPECT_GT(plain + quantized, 0u) << testing::golden_dir();
    if (std::getenv("HEARTH_GOLDEN") == nullptr) {
        EXPECT_GE(plain, 17u);
        EXPECT_GE(quantized, 16u);
    }
}

// ------------------------------------------------------------------------------------------------------------- reference

class GoldenCheckpoints : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenCheckpoints, AgreeToRoundingOnTheReferenceKernels) {
    const GoldenCase golden = testing::read_golden(GetParam());
    const auto model = load(golden, testing::try_backend("reference"));
    ASSERT_EQ(model->config().vocab, golden.vocab());
    ASSERT_EQ(model->config().layers + 1, static_cast<int64_t>(golden.hidden.size()));
    for (const RunOptions& options : ways_to_run()) {
        const RunResult got = testing::run_prompt(*model, golden.ids, options);
        ASSERT_EQ(got.logits.size(), golden.logits.size());
        const float difference = largest_difference(got.logits, golden.logits), largest = testing::largest_of(golden.logits);
        EXPECT_LE(difference, kExact * largest) << describe(options);
        RecordProperty(clean(describe(options)), std::to_string(difference / largest * 1e6f) + "e-6 worst");
        for (size_t layer = 0; layer < golden.hidden.size(); ++layer) {
            ASSERT_EQ(got.hidden[layer].size(), golden.hidden[layer].size());
            EXPECT_LE(largest_difference(got.hidden[layer], golden.hidden[layer]), kExact * testing::largest_of(golden.hidden[layer]))
                << describe(options) << ", hidden state " << layer;
        }
    }
}

TEST_P(GoldenCheckpoints, AnswerTheSameGreedyTokensOnTheReferenceKernels) {
    const GoldenCase golden = testing::read_golden(GetParam());
    const auto model = load(golden, testing::try_backend("reference"));
    for (const RunOptions& options : ways_to_answer()) {
        EXPECT_EQ(testing::greedy_answer(model, golden.ids, std::ssize(golden.greedy), options), golden.greedy) << describe(options);
    }
}

INSTANTIATE_TEST_SUITE_P(Plain, GoldenCheckpoints, ::testing::ValuesIn(testing::plain_checkpoints()),
                         [](const auto& test) { return clean(test.param); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenCheckpoints);

// ---------------------------------------------------------------------------------------------------------- fast kernels

class GoldenCheckpointsFast : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
protected:
    void SetUp() override {
        backend_ = testing::try_backend(std::get<1>(GetParam()), 1);  // these models are smaller than a barrier
        if (!backend_) GTEST_SKIP() << "skipped: this machine has no " << std::get<1>(GetParam());
        golden_ = testing::read_golden(std::get<0>(GetParam()));
        model_ = load(golden_, backend_);
        exact_ = load(golden_, testing::try_backend("reference"));
        margins_ = testing::router_margins(*exact_, golden_.ids);
    }

    /// Worst and median error over all positions where the router's choice is no near tie.
    void expect_close(const std::vector<float>& logits, const std::string& what) {
        ASSERT_EQ(logits.size(), golden_.logits.size());
        const float largest = testing::largest_of(golden_.logits);
        std::vector<float> errors;
        for (int64_t t = 0; t < golden_.tokens(); ++t) {
            if (margins_[static_cast<size_t>(t)] < kNearTie) continue;
            errors.push_back(largest_difference(row_of(logits, t, golden_.vocab()), row_of(golden_.logits, t, golden_.vocab())) / largest);
            EXPECT_LE(errors.back(), kWorst) << what << ", position " << t;
        }
        ASSERT_GE(std::ssize(errors), golden_.tokens() / 2) << "too few positions without a near tie";
        std::ranges::sort(errors);
        EXPECT_LE(errors[errors.size() / 2], kMedian) << what;
        RecordProperty(clean(what), std::to_string(errors.back()) + " worst, " + std::to_string(errors[errors.size() / 2]) + " median");
    }

    std::shared_ptr<const Backend> backend_;
    GoldenCase golden_;
    std::shared_ptr<const Model> model_, exact_;
    std::vector<float> margins_;
};

TEST_P(GoldenCheckpointsFast, StayWithinTheRoundingOfBf16) {
    for (RunOptions options : ways_to_run()) {
        options.cache = DType::kBf16;
        expect_close(testing::run_prompt(*model_, golden_.ids, options).logits, describe(options));
    }
}

TEST_P(GoldenCheckpointsFast, StayAsCloseWithACacheOfQ8AndGiveTheSameBitsInAnyChunking) {
    std::vector<float> first;
    for (RunOptions options : ways_to_run()) {
        options.cache = DType::kI8;
        const RunResult got = testing::run_prompt(*model_, golden_.ids, options);
        if (first.empty()) {
            first = got.logits;
            expect_close(first, "q8");
        }
        EXPECT_EQ(got.logits, first) << describe(options);
    }
}

/// How far the distance of two logits of a row is off at most: the spread of the differences.
float gap_error(std::span<const float> got, std::span<const float> want) {
    float low = 0, high = 0;
    for (size_t i = 0; i < got.size(); ++i) {
        low = std::min(low, got[i] - want[i]);
        high = std::max(high, got[i] - want[i]);
    }
    return high - low;
}

TEST_P(GoldenCheckpointsFast, AnswerTheSameGreedyTokensUpToTheFirstCloseCall) {
    std::vector<int32_t> all = golden_.ids;
    all.insert(all.end(), golden_.greedy.begin(), golden_.greedy.end());
    const int64_t V = golden_.vocab(), first = golden_.tokens() - 1;
    const auto exact = testing::run_prompt(*exact_, all, {}), rounded = testing::run_prompt(*model_, all, {.cache = DType::kBf16});
    int64_t certain = 0;  // steps before the first whose two best logits lie closer than the error
    for (; certain < std::ssize(golden_.greedy); ++certain) {
        const auto row = row_of(exact.logits, first + certain, V);
        if (testing::gap_of(row) <= gap_error(row_of(rounded.logits, first + certain, V), row)) break;
    }
    RecordProperty("compared", static_cast<int>(certain));
    for (RunOptions options : ways_to_answer()) {
        options.cache = DType::kBf16;
        const auto got = testing::greedy_answer(model_, golden_.ids, std::ssize(golden_.greedy), options);
        ASSERT_EQ(got.size(), golden_.greedy.size());
        for (int64_t i = 0; i < certain; ++i)
            EXPECT_EQ(got[static_cast<size_t>(i)], golden_.greedy[static_cast<size_t>(i)]) << describe(options) << ", step " << i;
        // Behind a close call the answer is another, but still the one of its own logits.
        all.resize(golden_.ids.size());
        all.insert(all.end(), got.begin(), got.end());
        const auto own = testing::run_prompt(*model_, all, {.cache = DType::kBf16});
        for (int64_t i = 0; i < std::ssize(got); ++i) {
            EXPECT_EQ(got[static_cast<size_t>(i)], testing::argmax(row_of(own.logits, first + i, V)))
                << describe(options) << ", step " << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Plain, GoldenCheckpointsFast,
                         ::testing::Combine(::testing::ValuesIn(testing::plain_checkpoints()),
                                            ::testing::Values("cpu:avx2", "cpu:avx512", "cpu:amx")),
                         [](const auto& test) { return clean(std::get<0>(test.param) + "_" + std::get<1>(test.param)); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenCheckpointsFast);

}  // namespace
}  // namespace hearth
