// Ids that others computed, for real vocabularies.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using testing::read_file;
using testing::read_json;
using testing::shared_data;
using testing::shared_tokenizer;

const std::map<std::string, std::string> kFileOf = {
    {"llama2", "tokenizers/llama2/tokenizer.model"},
    {"mistral_v1", "tokenizers/mistral/tokenizer.model.v1"},
    {"mistral_v3", "tokenizers/mistral/mistral_instruct_tokenizer_240323.model.v3"},
    {"llama3", "tokenizers/llama3/tokenizer.model"},
    {"tekken_mini", "tokenizers/tekken-mini/tekken.json"},
};

/// Checks every id of a file laid out like vectors_extra.json; returns how many lists of ids there were.
size_t check_vectors(const std::filesystem::path& file) {
    size_t checked = 0, wrong = 0;
    const nlohmann::json vectors = read_json(file)["vectors"];
    for (const auto& vector : vectors) {
        const std::string text = vector["text"];
        for (const auto& [name, path] : kFileOf) {
            if (!vector.contains(name)) continue;
            const auto expected = vector[name].get<std::vector<int32_t>>();
            const Tokenizer& tokenizer = shared_tokenizer(path);
            ++checked;
            const auto found = tokenizer.encode_plain(text);
            if (found == expected) continue;
            if (++wrong <= 20)
                ADD_FAILURE() << name << ", \"" << printable(text, 200) << "\": " << ::testing::PrintToString(found) << ", expected "
                              << ::testing::PrintToString(expected);
        }
    }
    EXPECT_EQ(wrong, 0u) << "of " << checked;
    return checked;
}

TEST(TokenizerVectors, AreEqualForEveryTokenizerAndText) {
    HEARTH_NEEDS_SHARED_DATA();
    const char* other = std::getenv("HEARTH_TOKENIZER_VECTORS");
    const size_t checked = check_vectors(other ? std::filesystem::path(other) : shared_data() / "tokenizers/vectors_extra.json");
    if (other) {
        EXPECT_GT(checked, 0u) << other << " holds no vectors";
    } else {
        EXPECT_EQ(checked, 397u * 5);
    }
}

TEST(TokenizerVectors, HoldForTheDerivedTokenizerJsonToo) {
    HEARTH_NEEDS_SHARED_DATA();
    const Tokenizer& derived = shared_tokenizer("tokenizers/llama3/tokenizer.derived.json");
    const nlohmann::json vectors = read_json(shared_data() / "tokenizers/vectors_extra.json")["vectors"];
    for (const auto& vector : vectors) {
        const std::string text = vector["text"];
        EXPECT_EQ(derived.encode_plain(text), vector["llama3"].get<std::vector<int32_t>>()) << printable(text, 200);
    }
}

/// llama.cpp's pairs: texts between separators, one line of ids for each.
void check_llamacpp(const std::string& name, const std::string& tokenizer_path) {
    const std::string folder = "tokenizers/llamacpp-vocab/ggml-vocab-" + name + ".gguf";
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::string inputs = read_file(shared_data() / (folder + ".inp"));
    std::istringstream lines(read_file(shared_data() / (folder + ".out")));
    const Tokenizer& tokenizer = shared_tokenizer(tokenizer_path);
    size_t checked = 0;
    for (std::string line; std::getline(lines, line); ++checked) {
        const size_t end = inputs.find(separator);
        const std::string text = inputs.substr(0, end);
        inputs.erase(0, end == std::string::npos ? end : end + separator.size());
        std::istringstream numbers(line);
        const std::vector<int32_t> expected{std::istream_iterator<int32_t>(numbers), {}};
        EXPECT_EQ(tokenizer.encode_plain(text), expected) << tokenizer_path << ": \"" << printable(text, 200) << '"';
    }
    EXPECT_GE(checked, 40u);
    EXPECT_TRUE(inputs.empty()) << "texts without ids";
}

TEST(TokenizerVectors, OfLlamaCppHoldForLlama2) {
    HEARTH_NEEDS_SHARED_DATA();
    check_llamacpp("llama-spm", "tokenizers/llama2/tokenizer.model");
}

TEST(TokenizerVectors, OfLlamaCppHoldForLlama3AsTiktokenAndAsJson) {
    HEARTH_NEEDS_SHARED_DATA();
    check_llamacpp("llama-bpe", "tokenizers/llama3/tokenizer.model");
    check_llamacpp("llama-bpe", "tokenizers/llama3/tokenizer.derived.json");
}

TEST(TokenizerVectors, OfLlama2HoldForTinyLlamasJson) {  // the same vocabulary, in the other format
    HEARTH_NEEDS_SHARED_DATA();
    check_llamacpp("llama-spm", "tokenizers/tinyllama/tokenizer.json");
    const Tokenizer& json = shared_tokenizer("tokenizers/tinyllama/tokenizer.json");
    const nlohmann::json vectors = read_json(shared_data() / "tokenizers/vectors_extra.json")["vectors"];
    for (const auto& vector : vectors) {
        const std::string text = vector["text"];
        EXPECT_EQ(json.encode_plain(text), vector["llama2"].get<std::vector<int32_t>>()) << printable(text, 200);
    }
}

/// Mistral's samples print pieces: U+2581 for a space, <0x0A> for a newline.
std::string text_of_pieces(std::string text) {
    for (size_t at; (at = text.find("\xE2\x96\x81")) != std::string::npos;) text.replace(at, 3, " ");
    for (size_t at; (at = text.find("<0x0A>")) != std::string::npos;) text.replace(at, 6, "\n");
    return text;
}

TEST(TokenizerVectors, OfMistralsConversationsHold) {
    HEARTH_NEEDS_SHARED_DATA();
    const std::map<std::string, std::string> models = {{"v1", "tokenizer.model.v1"},
                                                       {"v2", "mistral_instruct_tokenizer_240216.model.v2"},
                                                       {"v3", "mistral_instruct_tokenizer_240323.model.v3"}};
    const testing::TempFolder folders;  // each model with what the published folders say beside it
    std::map<std::string, std::shared_ptr<const Tokenizer>> tokenizers;
    for (const auto& [version, model] : models) {
        std::filesystem::create_directory(folders.path() / version);
        folders.write(version + "/tokenizer.model", read_file(shared_data() / "tokenizers/mistral" / model));
        folders.write(version + "/tokenizer_config.json", R"({"legacy": false})");
        tokenizers[version] = open_tokenizer(folders.path() / version);
    }
    size_t checked = 0;
    for (const auto& folder : std::filesystem::directory_iterator(shared_data() / "tokenizers/mistral/samples")) {
        for (const auto& [version, tokenizer] : tokenizers) {
            const auto tokens = folder.path() / ("tokens_" + version + ".json");
            if (!std::filesystem::exists(tokens)) continue;
            const std::string text = text_of_pieces(read_file(folder.path() / ("text_" + version + ".txt")));
            EXPECT_EQ(tokenizer->encode({{text, true}}), read_json(tokens)["tokens"].get<std::vector<int32_t>>()) << tokens;
            ++checked;
        }
    }
    EXPECT_EQ(checked, 13u);
}

}  // namespace
}  // namespace hearth
