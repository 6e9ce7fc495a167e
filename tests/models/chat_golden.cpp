#include "tests/models/chat_golden.h"

#include <gtest/gtest.h>

#include "tests/models/greedy_check.h"
#include "tests/models/run_model.h"

namespace hearth::testing {

using nlohmann::json;

ChatModel::ChatModel(const std::filesystem::path& folder, std::shared_ptr<const Backend> backend)
    : tokenizer(open_tokenizer(folder)),
      chat_template(find_template(folder).value()),
      model(load_model(inspect_checkpoint(folder), std::move(backend))) {}

std::string ChatModel::name_of(std::optional<int32_t> token) const {
    for (const SpecialToken& special : tokenizer->specials()) {
        if (token && special.id == *token) return special.text;
    }
    return "";
}

std::vector<TextSpan> ChatModel::render(const json& messages) const {
    const json context = {{"messages", messages},
                          {"add_generation_prompt", true},
                          {"bos_token", name_of(tokenizer->bos())},
                          {"eos_token", name_of(tokenizer->eos())}};
    return chat_template.chat_template->render(context, 0);
}

std::string text_of(const std::vector<TextSpan>& spans) {
    std::string out;
    for (const TextSpan& span : spans) out += span.text;
    return out;
}

void expect_rendered_and_encoded(const ChatModel& chat, const json& golden) {
    const auto spans = chat.render(golden.at("messages"));
    EXPECT_EQ(text_of(spans), golden.at("rendered"));
    EXPECT_EQ(chat.tokenizer->encode(spans), golden.at("ids").get<std::vector<int32_t>>()) << golden.at("rendered");
}

void expect_top8(const ChatModel& chat, const json& golden, DType cache, float tolerance) {
    const auto run = run_prompt(*chat.model, golden.at("ids").get<std::vector<int32_t>>(), {.cache = cache});
    const auto last = std::span(run.logits).last(static_cast<size_t>(chat.model->config().vocab));
    const float largest = golden.at("top8")[0][1];
    for (const json& top : golden.at("top8")) {
        EXPECT_NEAR(last[top[0].get<size_t>()], top[1].get<float>(), tolerance * largest + 1e-4f)
            << "token " << top[0] << " after " << golden.at("messages");
    }
}

void expect_chat_answer(const ChatModel& chat, const json& golden, DType cache, float close) {
    expect_greedy(chat.model, {golden.at("messages").dump(), golden.at("ids"), golden.at("greedy"), golden.at("gaps")}, cache, close);
}

}  // namespace hearth::testing
