// What an answer's JSON says of it comes from the engine.
#include "chat/api/chat_response.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "loaders/tokenizer/tokenizer.h"

namespace hearth {
namespace {

using nlohmann::json;

/// An answer of two tokens to a prompt of nine, seven of which lay in the cache.
class MadeStream : public TokenStream {
public:
    std::optional<TokenEvent> next(int64_t) override {
        if (given_ == 2) return TokenEvent{.token = {}, .finish = FinishReason::kStop, .error = {}};
        return TokenEvent{.token = {.id = 100 + given_++, .log_probability = 0, .top = {}}, .finish = {}, .error = {}, .decode_ms = 1};
    }
    void cancel() override {}
    std::vector<Token> prompt_scores() const override { return {}; }
    std::vector<float> embedding() const override { return {}; }
    RequestStats stats() const override { return {.prompt_tokens = 9, .cached_tokens = 7, .generated_tokens = 2, .decode_ms = 1}; }

private:
    int32_t given_ = 0;
};

json of_event(const std::string& event) { return json::parse(event.substr(std::string("data: ").size())); }

TEST(ChatResponse, SaysHowManyTokensOfThePromptTheEngineFoundInItsCache) {
    const auto tokenizer = open_tokenizer(std::filesystem::path(HEARTH_SOURCE_DIR) / "tools/ember");
    Answer answer(*tokenizer, {}, std::make_shared<MadeStream>());
    while (!answer.over()) answer.next(0);
    const ChatResponse response("made");
    const json whole = json::parse(response.whole(answer, "text"));
    EXPECT_EQ(whole.at("usage").at("prompt_tokens_details").at("cached_tokens"), 7);
    EXPECT_EQ(whole.at("timings").at("cache_n"), 7);
    EXPECT_EQ(whole.at("usage").at("prompt_tokens"), 9);
    EXPECT_EQ(whole.at("usage").at("completion_tokens"), 2);
    EXPECT_EQ(of_event(response.usage_event(answer)).at("usage").at("prompt_tokens_details").at("cached_tokens"), 7);
    EXPECT_EQ(of_event(response.last_event(answer)).at("timings").at("cache_n"), 7);
}

}  // namespace
}  // namespace hearth
