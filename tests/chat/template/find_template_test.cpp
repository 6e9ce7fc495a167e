// Where a checkpoint's template comes from, and the built-in ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"
#include "tests/support/temp_folder.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;
using testing::Json;

class FindTemplate : public ::testing::Test {
protected:
    void write(const char* name, const std::string& text) { temp_.write(name, text); }
    std::string error(bool with_tools = false) {
        try {
            find_template(folder_, with_tools);
            return "no error";
        } catch (const Error& error) {
            return error.what();
        }
    }

    const testing::TempFolder temp_;
    const std::filesystem::path folder_ = temp_.path();
};

TEST_F(FindTemplate, IsNothingWhereThereIsNone) {
    EXPECT_FALSE(find_template(folder_));
    EXPECT_FALSE(find_template(folder_ / "absent"));
    write("tokenizer_config.json", R"({"bos_token": "<s>"})");
    EXPECT_FALSE(find_template(folder_));
    write("tokenizer_config.json", R"({"chat_template": null})");
    EXPECT_FALSE(find_template(folder_));
}

TEST_F(FindTemplate, PrefersTheFileOfItsOwn) {
    write("tokenizer_config.json", R"({"chat_template": "config"})");
    EXPECT_EQ(find_template(folder_)->chat_template->source(), "config");
    EXPECT_EQ(find_template(folder_)->origin, "tokenizer_config.json");
    write("chat_template.jinja", "file");
    EXPECT_EQ(find_template(folder_)->chat_template->source(), "file");
    EXPECT_EQ(find_template(folder_)->origin, "chat_template.jinja");
}

TEST_F(FindTemplate, ChoosesAmongNamedOnes) {
    write(
        "tokenizer_config.json",
        R"({"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}, {"name": "rag", "template": "r"}]})");
    EXPECT_EQ(find_template(folder_)->chat_template->source(), "d");
    EXPECT_EQ(find_template(folder_, true)->chat_template->source(), "t");
    write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]})");
    EXPECT_EQ(find_template(folder_, true)->chat_template->source(), "t");
    write("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "d"}]})");
    EXPECT_EQ(find_template(folder_, true)->chat_template->source(), "d");
}

TEST_F(FindTemplate, RefusesWhatIsNoTemplateAndNamesTheFile) {
    write("tokenizer_config.json", R"({"chat_template": 1})");
    EXPECT_THAT(error(), HasSubstr("tokenizer_config.json: chat_template: expected a string or a list of named ones, found number"));
    write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "r"}]})");
    EXPECT_THAT(error(), HasSubstr("none of them named 'default'"));
    write("tokenizer_config.json", R"({"chat_template": ["x"]})");
    EXPECT_THAT(error(), HasSubstr("expected objects with a name and a template"));
    write("tokenizer_config.json", "{");
    EXPECT_THAT(error(), HasSubstr("tokenizer_config.json"));
    write("tokenizer_config.json", R"({"chat_template": "{% if %}"})");
    EXPECT_THAT(error(), HasSubstr("tokenizer_config.json: chat template, line 1: expected an expression"));
    write("chat_template.jinja", std::string(2 << 20, 'a'));
    EXPECT_THAT(error(), HasSubstr("chat_template.jinja"));
}

Json conversation() {
    return {{"messages",
             {{{"role", "system"}, {"content", "Be brief."}},
              {{"role", "user"}, {"content", "Hi "}},
              {{"role", "assistant"}, {"content", " Hello!"}},
              {{"role", "user"}, {"content", "Bye"}}}},
            {"add_generation_prompt", true},
            {"bos_token", "<s>"},
            {"eos_token", "</s>"}};
}

TEST(BuiltinTemplate, WritesTheFormatOfItsModels) {
    const std::pair<const char*, const char*> expected[] = {
        {"llama2", "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello! </s><s>[INST] Bye [/INST]"},
        {"llama3",
         "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
         "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
         "<|start_header_id|>assistant<|end_header_id|>\n\n"},
        {"mistral", "<s>[INST] Be brief.\n\nHi  [/INST] Hello!</s>[INST] Bye [/INST]"},
        {"zephyr", "<|system|>\nBe brief.</s>\n<|user|>\nHi </s>\n<|assistant|>\n Hello!</s>\n<|user|>\nBye</s>\n<|assistant|>\n"},
        {"chatml",
         "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi <|im_end|>\n<|im_start|>assistant\n "
         "Hello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
         "<|im_start|>assistant\n"},
        {"alpaca", "<s>Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello!</s>\n\n### Instruction:\nBye\n\n### Response:\n"},
        {"vicuna", "<s>Be brief. USER: Hi ASSISTANT: Hello!</s>USER: Bye ASSISTANT:"},
        {"plain", "<s>Be brief.\n\nUser: Hi\nAssistant: Hello!\nUser: Bye\nAssistant:"},
    };
    std::vector<std::string> names;
    for (const auto& [name, text] : expected) {
        const FoundTemplate found = builtin_template(name);
        EXPECT_EQ(testing::joined(found.chat_template->render(conversation(), 0)), text) << name;
        EXPECT_EQ(found.origin, std::string("built-in: ") + name);
        names.push_back(name);
    }
    EXPECT_EQ(builtin_template_names(), names);
}

TEST(BuiltinTemplate, AnUnknownNameIsAnErrorThatListsThemAll) {
    try {
        builtin_template("chatgpt");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(),
                     "chat template 'chatgpt': expected one of llama2, llama3, mistral, zephyr, chatml, alpaca, vicuna, plain");
    }
}

TEST(BuiltinTemplate, RendersAThousandMessages) {
    Json context = conversation();
    for (int i = 0; i < 1000; ++i)
        context["messages"].push_back({{"role", i % 2 ? "user" : "assistant"}, {"content", "message " + std::to_string(i)}});
    for (const std::string& name : builtin_template_names()) {
        const std::string text = testing::joined(builtin_template(name).chat_template->render(context, 0));
        EXPECT_NE(text.find("message 999"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace hearth
