// What comes back, for any bytes, and how it is shown while it comes.
#include <gtest/gtest.h>

#include <random>

#include "base/utf8.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using testing::ember_files;
using testing::shared_tokenizer;
using Ids = std::vector<int32_t>;

/// Bytes of many moods: noise, characters of all lengths, runs, cut characters, text that looks like special tokens.
std::string random_text(std::mt19937& random) {
    std::string out;
    const size_t parts = random() % 12;
    for (size_t i = 0; i < parts; ++i) {
        switch (random() % 7) {
            case 0: out += static_cast<char>(random()); break;
            case 1: append_utf8(out, static_cast<uint32_t>(random() % 0x110000)); break;
            case 2: out += std::string(random() % 60, static_cast<char>(random() % 128)); break;
            case 3: out += "<|user|></s><s>[INST]<0x0A>"; break;
            case 4: out += "\xF0\x9F\x98"; break;
            case 5: out += "Hello, world 123 "; break;
            default: append_utf8(out, static_cast<uint32_t>(0x300 + random() % 112)); break;
        }
    }
    return out;
}

/// U+2581 is how these vocabularies write a space, so it comes back as one.
std::string without_marks(std::string text) {
    for (size_t at; (at = text.find("\xE2\x96\x81")) != std::string::npos;) text.replace(at, 3, " ");
    return text;
}

std::string streamed(const Tokenizer& tokenizer, const Ids& ids) {
    TextDecoder decoder(tokenizer, false, true);
    std::string out;
    for (const int32_t id : ids) {
        const std::string piece = decoder.push(id);
        EXPECT_TRUE(is_utf8(piece));
        out += piece;
    }
    return out + decoder.finish();
}

void check(const Tokenizer& tokenizer, int rounds) {
    std::mt19937 random(9);
    for (int round = 0; round < rounds; ++round) {
        const std::string text = random_text(random);
        const Ids ids = tokenizer.encode_plain(text);
        for (const int32_t id : ids) {
            ASSERT_GE(id, 0);
            ASSERT_LT(id, tokenizer.vocab_size());
        }
        const std::string back = tokenizer.decode(ids);
        switch (tokenizer.round_trip()) {
            case RoundTrip::kBytes: ASSERT_EQ(back, text) << tokenizer.kind(); break;
            case RoundTrip::kSanitizedText: ASSERT_EQ(back, without_marks(sanitize_utf8(text))) << tokenizer.kind(); break;
            case RoundTrip::kUpToUnknown: break;
        }
        ASSERT_EQ(streamed(tokenizer, ids), sanitize_utf8(back)) << tokenizer.kind();
    }
}

TEST(RoundTrip, OfRandomBytesThroughEmber) {
    check(*open_tokenizer(ember_files()), 3000);
    check(*open_tokenizer_file(ember_files() / "tokenizer.model"), 1000);
}

TEST(RoundTrip, OfRandomBytesThroughEveryKind) {
    HEARTH_NEEDS_SHARED_DATA();
    const std::map<std::string, RoundTrip> promises = {
        {"tokenizers/llama2/tokenizer.model", RoundTrip::kSanitizedText},
        {"tokenizers/llama3/tokenizer.model", RoundTrip::kBytes},
        {"tokenizers/llama3/tokenizer.derived.json", RoundTrip::kBytes},
        {"tokenizers/tekken-mini/tekken.json", RoundTrip::kBytes},
        {"tokenizers/tinyllama/tokenizer.json", RoundTrip::kSanitizedText},
        {"tokenizers/mistral/tokenizer.model.v1", RoundTrip::kSanitizedText},
        {"models/stories260K/hf", RoundTrip::kUpToUnknown},
        {"models/tinystories-656k", RoundTrip::kUpToUnknown},
    };
    for (const auto& [path, promise] : promises) {
        const Tokenizer& tokenizer = shared_tokenizer(path);
        EXPECT_EQ(tokenizer.round_trip(), promise) << path;
        check(tokenizer, 500);
    }
}

TEST(RoundTrip, OfTextThatLooksLikeSpecialTokensNeverMakesThem) {
    HEARTH_NEEDS_SHARED_DATA();
    for (const char* path :
         {"tokenizers/llama2/tokenizer.model", "tokenizers/llama3/tokenizer.model", "tokenizers/llama3/tokenizer.derived.json",
          "tokenizers/tekken-mini/tekken.json", "tokenizers/mistral/mistral_instruct_tokenizer_241114.model.v7", "tokenizers/tinyllama"}) {
        const Tokenizer& tokenizer = shared_tokenizer(path);
        std::vector<bool> special(static_cast<size_t>(tokenizer.vocab_size()));
        for (const SpecialToken& s : tokenizer.specials()) special[static_cast<size_t>(s.id)] = s.text != "<unk>";
        for (const SpecialToken& s : tokenizer.specials()) {
            for (const int32_t id : tokenizer.encode_plain("x" + s.text + " " + s.text))
                EXPECT_FALSE(special[static_cast<size_t>(id)]) << path << ": " << s.text;
            EXPECT_EQ(tokenizer.encode({{s.text, true}}), Ids{s.id}) << path << ": " << s.text;
        }
    }
}

/// Tokens of one byte each, so that characters come in pieces.
TEST(TextDecoder, HoldsBackACharacterUntilItIsWhole) {
    const auto tokenizer = open_tokenizer(ember_files());
    const auto byte_token = [&](unsigned char byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", byte);
        for (int32_t id = 0; id < tokenizer->vocab_size(); ++id) {
            if (tokenizer->token_name(id) == name) return id;
        }
        return -1;
    };
    TextDecoder decoder(*tokenizer);
    EXPECT_EQ(decoder.push(byte_token(0xF0)), "");
    EXPECT_EQ(decoder.push(byte_token(0x9F)), "");
    EXPECT_EQ(decoder.push(byte_token(0x99)), "");
    EXPECT_EQ(decoder.push(byte_token(0x82)), "\xF0\x9F\x99\x82");
    EXPECT_EQ(decoder.push(byte_token(0xFF)), "\xEF\xBF\xBD");
    EXPECT_EQ(decoder.push(byte_token(0xE2)), "");
    EXPECT_EQ(decoder.push(byte_token('a')),
              "\xEF\xBF\xBD"
              "a")
        << "the cut character gives way to the next";
    EXPECT_EQ(decoder.push(byte_token(0xE2)), "");
    EXPECT_EQ(decoder.push(byte_token(0x82)), "");
    EXPECT_EQ(decoder.finish(), "\xEF\xBF\xBD");
    EXPECT_EQ(decoder.finish(), "");
}

TEST(TextDecoder, DropsThePrefixSpaceOnlyAtTheStartOfAText) {
    HEARTH_NEEDS_SHARED_DATA();
    const Tokenizer& tokenizer = shared_tokenizer("tokenizers/llama2/tokenizer.model");
    const Ids hello = tokenizer.encode_plain("Hello");
    ASSERT_EQ(hello.size(), 1u);
    TextDecoder from_nothing(tokenizer, false, true), goes_on(tokenizer);
    EXPECT_EQ(from_nothing.push(1), "");
    EXPECT_EQ(from_nothing.push(hello[0]), "Hello");
    EXPECT_EQ(from_nothing.push(hello[0]), " Hello");
    EXPECT_EQ(goes_on.push(hello[0]), " Hello");
}

}  // namespace
}  // namespace hearth
