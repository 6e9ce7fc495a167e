#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::ember_files;
using testing::read_file;
using testing::read_json;
using testing::shared_data;
using testing::TempFolder;
using Ids = std::vector<int32_t>;

template <class Action>
std::string error_of(Action action, ErrorKind kind) {
    try {
        action();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), kind) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "no error";
    return "";
}

TEST(OpenTokenizer, SaysWhatItLookedFor) {
    const TempFolder folder;
    const std::string what = error_of([&] { open_tokenizer(folder.path()); }, ErrorKind::kNotFound);
    for (const char* name : {"tokenizer.json", "tekken.json", "tokenizer.model"}) EXPECT_NE(what.find(name), std::string::npos) << what;
    EXPECT_NE(what.find(folder.path().string()), std::string::npos);
}

TEST(OpenTokenizer, RefusesFilesThatAreNoTokenizer) {
    const TempFolder folder;
    for (const std::string& content : {std::string(), std::string("hello"), std::string("{"), std::string("\0\1\2", 3),
                                       std::string(1000, '\n'), std::string("[1, 2]")}) {
        const auto path = folder.write("tokenizer.model", content);
        EXPECT_THROW(open_tokenizer_file(path), Error) << ::testing::PrintToString(content);
    }
}

/// Ember with changes to its small files.
struct EmberCopy {
    TempFolder folder;
    json config = read_json(ember_files() / "tokenizer_config.json"), tokenizer = read_json(ember_files() / "tokenizer.json");
    std::shared_ptr<const Tokenizer> open(bool with_model = false) {
        folder.write("tokenizer_config.json", config.dump());
        folder.write("tokenizer.json", tokenizer.dump());
        if (with_model) folder.write("tokenizer.model", read_file(ember_files() / "tokenizer.model"));
        return open_tokenizer(folder.path());
    }
};

TEST(OpenTokenizer, ReadsBosAndEosAsStringsObjectsAndNull) {
    EmberCopy ember;
    ember.config["eos_token"] = {{"content", "</s>"}, {"lstrip", false}};
    ember.config["add_bos_token"] = true;
    EXPECT_EQ(ember.open()->eos(), 2);
    EXPECT_EQ(ember.open()->bos(), 1);
    EXPECT_TRUE(ember.open()->adds_bos());
    ember.config["bos_token"] = nullptr;
    EXPECT_EQ(ember.open()->bos(), std::nullopt);
    EXPECT_FALSE(ember.open()->adds_bos()) << "there is none to add";
    ember.folder.write("special_tokens_map.json", R"({"bos_token": {"content": "<s>"}, "eos_token": "<|end|>"})");
    EXPECT_EQ(ember.open()->bos(), 1);
    EXPECT_EQ(ember.open()->eos(), 2) << "tokenizer_config.json comes first";
    ember.config["eos_token"] = 7;
    EXPECT_THROW(ember.open(), Error);
}

TEST(OpenTokenizer, AddsTheTokensThatTheFolderAdds) {
    EmberCopy ember;
    ember.config["added_tokens_decoder"]["4096"] = {{"content", "<|tool|>"}, {"special", true}};
    ember.folder.write("added_tokens.json", R"({"<|extra|>": 4097})");
    const auto tokenizer = ember.open();
    EXPECT_EQ(tokenizer->vocab_size(), 4098);
    EXPECT_EQ(tokenizer->encode({{"<|tool|><|extra|>", true}}), (Ids{4096, 4097}));
    ember.config["added_tokens_decoder"]["5000000"] = {{"content", "<|far|>"}, {"special", true}};
    EXPECT_THROW(ember.open(), Error);
    ember.config["added_tokens_decoder"].erase("5000000");
    ember.config["added_tokens_decoder"]["100"] = {{"content", "<|over|>"}, {"special", true}};
    EXPECT_THROW(ember.open(), Error) << "100 is another token";
    ember.config["added_tokens_decoder"].erase("100");
    ember.config["added_tokens_decoder"]["1x"] = {{"content", "<|odd|>"}, {"special", true}};
    EXPECT_THROW(ember.open(), Error);
}

TEST(OpenTokenizer, RefusesTwoFilesThatDisagree) {
    EmberCopy ember;
    EXPECT_NO_THROW(ember.open(true));
    json& vocab = ember.tokenizer["model"]["vocab"];
    std::vector<std::string> names;
    for (const auto& [name, id] : vocab.items()) {
        if (id == 3000 || id == 3001) names.push_back(name);
    }
    ASSERT_EQ(names.size(), 2u);
    std::swap(vocab[names[0]], vocab[names[1]]);
    const std::string what = error_of([&] { ember.open(true); }, ErrorKind::kBadInput);
    EXPECT_NE(what.find("tokenizer.json"), std::string::npos) << what;
    EXPECT_NE(what.find("tokenizer.model"), std::string::npos) << what;
    EXPECT_NE(what.find("token 3000"), std::string::npos) << what;
}

TEST(OpenTokenizer, LeavesASecondFileAsideThatItCannotRead) {
    EmberCopy ember;
    ember.folder.write("tokenizer.model", read_file(ember_files() / "tokenizer.model").substr(0, 30'000));
    std::vector<std::string> notices;
    const auto alone = ember.open();
    EXPECT_EQ(open_tokenizer(ember.folder.path(), &notices)->kind(), "tokenizer.json");
    ASSERT_EQ(notices.size(), 1u);
    EXPECT_NE(notices[0].find("tokenizer.model"), std::string::npos) << notices[0];
    EXPECT_NE(notices[0].find("left aside"), std::string::npos) << notices[0];
}

TEST(OpenTokenizer, RefusesTheVocabularyOfAnotherModel) {
    HEARTH_NEEDS_SHARED_DATA();
    const TempFolder folder;
    folder.write("tokenizer.json", read_file(shared_data() / "tokenizers/tinyllama/tokenizer.json"));
    folder.write("tokenizer.model", read_file(shared_data() / "tokenizers/mistral/tokenizer.model.v1"));
    error_of([&] { open_tokenizer(folder.path()); }, ErrorKind::kBadInput);
    folder.write("tokenizer.json", read_file(shared_data() / "tokenizers/llama3/tokenizer.derived.json"));
    folder.write("tokenizer.model", read_file(shared_data() / "tokenizers/llama3/tokenizer.model"));
    EXPECT_EQ(open_tokenizer(folder.path())->kind(), "tokenizer.json");
}

TEST(OpenTokenizer, TellsTekkenByItsContent) {
    HEARTH_NEEDS_SHARED_DATA();
    const TempFolder folder;
    const auto path = folder.write("some.json", read_file(shared_data() / "tokenizers/tekken-mini/tekken.json"));
    EXPECT_EQ(open_tokenizer_file(path)->kind(), "tekken");
    EXPECT_EQ(testing::shared_tokenizer("tokenizers/llama3/tokenizer.model").kind(), "tiktoken");
    EXPECT_EQ(testing::shared_tokenizer("tokenizers/llama2/tokenizer.model").kind(), "sentencepiece");
}

}  // namespace
}  // namespace hearth
