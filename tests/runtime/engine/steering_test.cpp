// Bias, least lengths and stop tokens, and parameters that are refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "runtime/engine/model_engine.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr float kNever = -std::numeric_limits<float>::infinity();

class Steering : public ::testing::Test {
protected:
    Transcript run(const Request& request) { return run_request(engine_, request); }

    std::shared_ptr<const Model> model_ = tiny_model();
    ModelEngine engine_{model_, {}, model_};
    Request request_ = short_request({1, 2, 3}, 40);
};

TEST_F(Steering, ABiasForcesAndBans) {
    const auto plain = run(request_).ids();
    request_.logit_bias = {{.id = 17, .value = 1e6f}};
    EXPECT_THAT(run(request_).ids(), Each(17));
    request_.logit_bias = {};
    for (const int32_t id : plain) request_.logit_bias.push_back({.id = id, .value = kNever});
    for (const float temperature : {0.0f, 3.0f}) {
        request_.sampling.temperature = temperature;
        for (const int32_t id : run(request_).ids()) EXPECT_THAT(plain, Not(Contains(id)));
    }
}

TEST_F(Steering, BeforeTheLeastLengthNoStopTokenIsDrawn) {
    request_.logit_bias = {{.id = 17, .value = 1e6f}};
    request_.stop_tokens = {17, 5};
    EXPECT_EQ(run(request_).tokens.size(), 0u);
    for (const int64_t least : {1, 7, 40}) {
        request_.min_tokens = least;
        const Transcript got = run(request_);
        EXPECT_EQ(std::ssize(got.tokens), least);
        EXPECT_THAT(got.ids(), Not(Contains(17)));
        EXPECT_THAT(got.ids(), Not(Contains(5)));
        EXPECT_EQ(*got.end.finish, least < 40 ? FinishReason::kStop : FinishReason::kLength);
    }
}

TEST_F(Steering, ABiasThatBansEverythingIsAnErrorThatSaysSo) {
    for (int32_t id = 0; id < 61; ++id) request_.logit_bias.push_back({.id = id, .value = kNever});
    const Transcript got = run(request_);
    EXPECT_EQ(*got.end.finish, FinishReason::kError);
    EXPECT_THAT(got.end.error, HasSubstr("logit_bias"));
}

TEST_F(Steering, StopTokensOutsideTheVocabularyAreNothingToBeBanned) {
    const Transcript plain = run(request_);
    request_.stop_tokens = {-1, 61, 1'000'000};
    request_.min_tokens = 40;
    EXPECT_EQ(difference(plain, run(request_)), "");
}

TEST_F(Steering, ParametersOutsideTheirRangeAreRefusedByName) {
    const auto message = [&](const auto& change) -> std::string {
        Request request = request_;
        change(request);
        try {
            engine_.submit(request);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(message([](Request& r) { r.logit_bias = {{.id = 61, .value = 1}}; }),
                HasSubstr("logit_bias has token 61: expected 0 to 60"));
    EXPECT_THAT(message([](Request& r) { r.logit_bias = {{.id = -1, .value = 1}}; }), HasSubstr("logit_bias"));
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), -kNever, 1e31f}) {
        const std::string found = message([&](Request& r) { r.logit_bias = {{.id = 3, .value = value}}; });
        EXPECT_THAT(found, HasSubstr("logit_bias of token 3")) << value;
        EXPECT_THAT(found, HasSubstr("expected")) << value;
    }
    EXPECT_THAT(message([](Request& r) { r.min_tokens = 41; }), HasSubstr("min_tokens: expected at most max_tokens (40), found 41"));
    EXPECT_THAT(message([](Request& r) { r.min_tokens = -1; }), HasSubstr("min_tokens"));
    EXPECT_THAT(message([](Request& r) { r.max_tokens = -2; }), HasSubstr("max_tokens"));
    EXPECT_THAT(message([](Request& r) { r.top_log_probabilities = 21; }), HasSubstr("top_log_probabilities: expected -1 to 20, found 21"));
    EXPECT_THAT(message([](Request& r) { r.top_log_probabilities = -2; }), HasSubstr("top_log_probabilities"));
    EXPECT_EQ(engine_.stats().running + engine_.stats().waiting, 0);
}

}  // namespace
}  // namespace hearth::testing
