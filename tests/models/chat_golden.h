// Chats of a golden.json: rendered prompts, ids, top logits and greedy answers with the gap of each step.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "chat/template/chat_template.h"
#include "loaders/load_model.h"
#include "loaders/tokenizer/tokenizer.h"

namespace hearth::testing {

/// A checkpoint folder opened part by part, as a chat would.
struct ChatModel {
    std::shared_ptr<const Tokenizer> tokenizer;
    FoundTemplate chat_template;
    std::shared_ptr<const Model> model;

    ChatModel(const std::filesystem::path& folder, std::shared_ptr<const Backend> backend);

    std::vector<TextSpan> render(const nlohmann::json& messages) const;
    std::string name_of(std::optional<int32_t> token) const;  // text of bos or eos
};

std::string text_of(const std::vector<TextSpan>& spans);

void expect_rendered_and_encoded(const ChatModel& chat, const nlohmann::json& golden);

/// The eight largest logits, within `tolerance` of the largest.
void expect_top8(const ChatModel& chat, const nlohmann::json& golden, DType cache, float tolerance);

/// expect_greedy() of the golden's answer.
void expect_chat_answer(const ChatModel& chat, const nlohmann::json& golden, DType cache, float close);

}  // namespace hearth::testing
