// Two small trained models that others published, against their float64 reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "loaders/load_model.h"
#include "loaders/tokenizer/tokenizer.h"
#include "runtime/score.h"
#include "tests/models/greedy_check.h"
#include "tests/models/run_model.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using nlohmann::json;

/// One model of goldens.json on one device.
class TrainedModels : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
protected:
    void SetUp() override {
        HEARTH_NEEDS_SHARED_DATA();
        const auto& [name, device] = GetParam();
        folder_ = testing::shared_data() / "models" / name;
        std::ifstream file(testing::shared_data() / "models" / "goldens.json");
        golden_ = json::parse(file).at(name);
        exact_ = device == "reference";
        const auto backend = testing::try_backend(device, 1);
        if (!backend) GTEST_SKIP() << "skipped: this machine has no " << device;
        model_ = load_model(inspect_checkpoint(folder_), backend);
        if (!exact_) reference_ = load_model(inspect_checkpoint(folder_), testing::try_backend("reference"));
    }

    DType cache() const { return exact_ ? DType::kF32 : DType::kBf16; }
    std::vector<float> last_logits(const Model& model, const std::vector<int32_t>& ids, DType cache_dtype) const {
        const auto run = testing::run_prompt(model, ids, {.cache = cache_dtype});
        return {run.logits.end() - model.config().vocab, run.logits.end()};
    }

    /// By how much the best logit leads at each step of an answer.
    std::vector<float> gaps_after(const std::vector<int32_t>& ids, const std::vector<int32_t>& answer) const {
        std::vector<int32_t> all = ids;
        all.insert(all.end(), answer.begin(), answer.end());
        const auto run = testing::run_prompt(*reference_, all, {});
        const auto V = static_cast<size_t>(reference_->config().vocab);
        std::vector<float> out;
        for (size_t i = 0; i < answer.size(); ++i)
            out.push_back(testing::gap_of(std::span(run.logits).subspan((ids.size() - 1 + i) * V, V)));
        return out;
    }

    std::filesystem::path folder_;
    json golden_;
    bool exact_ = false;
    std::shared_ptr<const Model> model_, reference_;
};

std::vector<int32_t> with_bos(const Tokenizer& tokenizer, const std::string& text) {
    std::vector<int32_t> ids = tokenizer.encode_plain(text);
    if (tokenizer.adds_bos()) ids.insert(ids.begin(), *tokenizer.bos());
    return ids;
}

TEST_P(TrainedModels, EncodePromptsAsTheirGoldensDo) {
    const auto tokenizer = open_tokenizer(folder_);
    for (const json& prompt : golden_.at("prompts"))
        EXPECT_EQ(with_bos(*tokenizer, prompt.at("prompt")), prompt.at("ids").get<std::vector<int32_t>>());
    EXPECT_EQ(with_bos(*tokenizer, golden_.at("nll_text")), golden_.at("nll_ids").get<std::vector<int32_t>>());
}

TEST_P(TrainedModels, HaveTheLargestLogitsOfTheirGoldens) {
    for (const json& prompt : golden_.at("prompts")) {
        const auto logits = last_logits(*model_, prompt.at("ids"), cache());
        const float largest = prompt.at("last_top8")[0][1];
        EXPECT_EQ(testing::argmax(logits), prompt.at("last_top8")[0][0].get<int64_t>());
        for (const json& top : prompt.at("last_top8")) {
            EXPECT_NEAR(logits[top[0].get<size_t>()], top[1].get<float>(), (exact_ ? 2e-5f : 6e-2f) * largest) << "token " << top[0];
        }
    }
}

TEST_P(TrainedModels, TellTheSameStory) {
    const auto tokenizer = open_tokenizer(folder_);
    for (const json& prompt : golden_.at("prompts")) {
        const std::vector<int32_t> ids = prompt.at("ids"), want = prompt.at("greedy_ids");
        if (exact_) {
            std::vector<int32_t> all = ids;
            const auto got = testing::greedy_answer(model_, ids, std::ssize(want), {.cache = cache()});
            EXPECT_EQ(got, want);
            all.insert(all.end(), got.begin(), got.end());
            EXPECT_EQ(tokenizer->decode(all), prompt.at("greedy_text"));
        } else {
            testing::expect_greedy(model_, {prompt.at("prompt"), ids, want, gaps_after(ids, want)}, cache(), 0.15f);
        }
    }
}

TEST_P(TrainedModels, LoseAsMuchOnAText) {
    const std::vector<int32_t> ids = golden_.at("nll_ids");
    const double want = golden_.at("nll_mean");
    for (const int64_t chunk : {512, 7}) {
        const auto scores = log_probabilities(*model_, ids, {.cache_dtype = cache(), .chunk = chunk});
        const double got = -std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
        EXPECT_NEAR(got, want, exact_ ? 1e-5 : 0.01 * want) << "chunks of " << chunk;
    }
}

std::string clean(std::string name) {
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(All, TrainedModels,
                         ::testing::Combine(::testing::Values("stories260K/hf", "tinystories-656k"),
                                            ::testing::Values("reference", "cpu:avx2", "cpu:avx512", "cpu:amx")),
                         [](const auto& test) { return clean(std::get<0>(test.param) + "_" + std::get<1>(test.param)); });

}  // namespace
}  // namespace hearth
