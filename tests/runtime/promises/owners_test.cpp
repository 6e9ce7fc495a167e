// Nobody learns from the work that their prompt takes what somebody else has sent.
#include <gtest/gtest.h>

#include "runtime/engine/model_engine.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

Request owned(uint64_t owner, int32_t filler = 3) {
    Request request = short_request(std::vector<int32_t>(130, filler), 10);
    request.owner = owner;
    request.speculate = false;  // so that computed tokens can be counted
    return request;
}

TEST(Owners, TheSamePromptOfAnotherOwnerTakesAsManyTokensAsAFreshOne) {
    ModelEngine engine(tiny_model(), {});
    const auto computed = [&](const Request& request) {
        const int64_t before = engine.stats().tokens;
        const Transcript got = run_request(engine, request);
        EXPECT_EQ(engine.stats().tokens - before + got.stats.cached_tokens, 130 + 9);
        return engine.stats().tokens - before;
    };
    const int64_t fresh = computed(owned(1));
    EXPECT_EQ(fresh, 130 + 9);
    for (const uint64_t other : {uint64_t{0}, uint64_t{2}, ~uint64_t{0}, uint64_t{1} << 32}) {
        EXPECT_EQ(computed(owned(other)), fresh) << other;
        EXPECT_EQ(computed(owned(other)), 130 - 128 + 9) << "its own it finds";
    }
}

TEST(Owners, NorDoesSomebodyElseWaitForABlockThatAnotherComputes) {
    const auto model = tiny_model();
    ModelEngine engine(model, {.max_sequences = 4, .max_step_tokens = 40});
    std::vector<std::shared_ptr<TokenStream>> streams;
    for (uint64_t owner = 1; owner <= 4; ++owner) streams.push_back(submit_or_throw(engine, owned(owner)));
    for (const auto& stream : streams) EXPECT_EQ(read_transcript(*stream).stats.cached_tokens, 0);
    EXPECT_EQ(engine.stats().tokens, 4 * (130 + 9));
    const auto mine = submit_or_throw(engine, owned(1, 4)), mine_too = submit_or_throw(engine, owned(1, 4));
    read_transcript(*mine);
    EXPECT_EQ(read_transcript(*mine_too).stats.cached_tokens, 128) << "one owner's requests share";
}

}  // namespace
}  // namespace hearth::testing
