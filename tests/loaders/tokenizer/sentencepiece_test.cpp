#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"
#include "loaders/tokenizer/sentencepiece/tokenizer.h"
#include "loaders/tokenizer/sentencepiece/wire.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using testing::ember_files;
using testing::read_file;
using testing::TempFolder;
using Ids = std::vector<int32_t>;

/// A BPE model over a few letters: a merge is a piece, and pieces with higher scores go first.
SentencePieceModel small() {
    SentencePieceModel model;
    model.algorithm = SentencePieceModel::Algorithm::kBpe;
    model.normalizer_name = "identity";
    model.remove_extra_whitespaces = false;
    const auto add = [&](std::string text, PieceType type) {
        model.pieces.push_back({std::move(text), -static_cast<float>(model.pieces.size()), type, 0});
    };
    add("<unk>", PieceType::kUnknown);
    add("<s>", PieceType::kControl);
    add("</s>", PieceType::kControl);
    add("[REF]", PieceType::kUserDefined);
    add("\n", PieceType::kUserDefined);
    add("ab", PieceType::kNormal);
    add("\xE2\x96\x81"
        "ab",
        PieceType::kNormal);
    for (const char* letter : {"\xE2\x96\x81", "a", "b", "c"}) add(letter, PieceType::kNormal);
    return model;
}

constexpr int32_t kRef = 3, kNewline = 4, kAb = 5, kSpaceAb = 6, kSpace = 7;

std::shared_ptr<const Tokenizer> load(const SentencePieceModel& model, const TokenizerConfig& config = {}) {
    return load_sentencepiece(serialize_for_library(model), "test.model", config);
}

TokenizerConfig legacy(bool on) {
    TokenizerConfig config;
    config.legacy = on;
    return config;
}

/// small() with a piece for each byte.
SentencePieceModel small_with_bytes() {
    SentencePieceModel model = small();
    model.byte_fallback = true;
    for (int byte = 0; byte < 256; ++byte) {
        char text[8];
        std::snprintf(text, sizeof text, "<0x%02X>", byte);
        model.pieces.push_back({text, -100, PieceType::kByte, static_cast<uint8_t>(byte)});
    }
    return model;
}

TEST(SentencePiece, PutsTheSpaceBehindSpecialTokensTooWhereTheFolderIsSilent) {
    const auto silent = load(small());
    EXPECT_EQ(silent->encode({{"ab<s>ab", true}}), (Ids{kSpaceAb, 1, kSpaceAb}));
    EXPECT_EQ(silent->encode({{"<s>[REF] ab", true}}), (Ids{1, kRef, kSpace, kSpaceAb}));
    EXPECT_EQ(silent->encode({{"<s>ab", true}}), load(small(), legacy(true))->encode({{"<s>ab", true}}));
    EXPECT_EQ(silent->encode_plain("ab"), Ids{kSpaceAb});
    EXPECT_EQ(silent->encode_plain("a\nb"), load(small(), legacy(false))->encode_plain("a\nb")) << "what a person wrote is one stretch";
}

TEST(SentencePiece, PutsTheSpaceAtTheVeryStartOnlyWhereLegacyIsFalse) {
    const auto tokenizer = load(small(), legacy(false));
    EXPECT_EQ(tokenizer->encode({{"ab<s>ab", true}}), (Ids{kSpaceAb, 1, kAb}));
    EXPECT_EQ(tokenizer->encode({{"<s>ab", true}}), (Ids{1, kAb}));
    EXPECT_EQ(tokenizer->encode({{"<s> ab", true}}), (Ids{1, kSpaceAb}));
    EXPECT_EQ(tokenizer->encode_plain(" ab"), (Ids{kSpace, kSpaceAb}));
    EXPECT_EQ(tokenizer->decode({1, kSpaceAb, kSpaceAb}), "ab ab");
}

TEST(SentencePiece, PutsTheSpaceEverywhereOrNowhereWhenToldTo) {
    EXPECT_EQ(load(small(), legacy(true))->encode({{"ab<s>ab", true}}), (Ids{kSpaceAb, 1, kSpaceAb}));
    TokenizerConfig none;
    none.add_prefix_space = false;
    EXPECT_EQ(load(small(), none)->encode({{"ab<s>ab", true}}), (Ids{kAb, 1, kAb}));
    EXPECT_EQ(load(small(), none)->decode({kSpaceAb}), " ab");
}

TEST(SentencePiece, PromisesNoRoundTripWhereASpaceComesInBehindAddedWords) {
    SentencePieceModel model = small_with_bytes();
    TokenizerConfig config = legacy(true);
    EXPECT_EQ(load(model, config)->round_trip(), RoundTrip::kSanitizedText);
    AddedToken word;
    word.token = {.id = static_cast<int32_t>(model.pieces.size()), .text = "zz", .control = false};
    word.anywhere = true;
    config.added.push_back(word);
    EXPECT_EQ(load(model, config)->round_trip(), RoundTrip::kUpToUnknown);
    const auto ids = load(model, config)->encode_plain("azzb");
    EXPECT_EQ(load(model, config)->decode(ids), "azz b");
    config.legacy = false;
    EXPECT_EQ(load(model, config)->round_trip(), RoundTrip::kSanitizedText);
    EXPECT_EQ(load(model, config)->decode(load(model, config)->encode_plain("azzb")), "azzb");
}

TEST(SentencePiece, PromisesNoSpacesForMarksThatAreNoPiece) {
    SentencePieceModel model = small_with_bytes();
    EXPECT_EQ(load(model, legacy(false))->round_trip(), RoundTrip::kSanitizedText);
    model.pieces[kSpace].text = "d";
    EXPECT_EQ(load(model, legacy(false))->round_trip(), RoundTrip::kUpToUnknown);
    EXPECT_NE(load(model, legacy(false))->decode(load(model, legacy(false))->encode_plain("a a")), "a a");
}

TEST(SentencePiece, NoTextOfPeopleLeadsToAPieceThatTheFolderCallsSpecial) {
    TokenizerConfig config = legacy(false);
    AddedToken special;
    special.token = {kAb, "ab", true, false, false};
    config.added.push_back(special);
    const auto ids = load(small(), config)->encode_plain("cab");
    EXPECT_EQ(std::count(ids.begin(), ids.end(), kAb), 0);
    EXPECT_EQ(load(small(), config)->encode({{"ab", true}}), Ids{kAb});
}

TEST(SentencePiece, UserTextBecomesNeitherControlNorMarkup) {
    const auto tokenizer = load(small());
    EXPECT_EQ(tokenizer->encode({{"<s>[REF]", true}}), (Ids{1, kRef}));
    for (const char* text : {"<s>", "</s>", "[REF]", "x[REF]y"}) {
        for (const int32_t id : tokenizer->encode_plain(text)) EXPECT_TRUE(id == 0 || id >= kNewline) << text << " gave " << id;
    }
    EXPECT_EQ(tokenizer->encode({{"<s>", true}, {"\n", false}}), (Ids{1, kSpace, kNewline})) << "ordinary user-defined pieces stay";
}

TEST(SentencePiece, ReadsPiecesWithNulBytes) {
    SentencePieceModel model = small();
    model.pieces.push_back({std::string("a\0c", 3), -50, PieceType::kNormal, 0});
    const auto tokenizer = load(model);
    EXPECT_EQ(tokenizer->token_bytes(tokenizer->vocab_size() - 1), std::string("a\0c", 3));
    EXPECT_EQ(tokenizer->encode_plain("ab"), Ids{kSpaceAb});
}

std::string error_of(const SentencePieceModel& model) {
    try {
        load(model);
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find("test.model"), 0u) << e.what();
        return e.what();
    }
    return "";
}

TEST(SentencePiece, RefusesPiecesThatCannotBe) {
    const auto with = [](std::string text, PieceType type, float score = 0) {
        SentencePieceModel model = small();
        model.pieces.push_back({std::move(text), score, type, 0});
        return error_of(model);
    };
    EXPECT_NE(with("", PieceType::kNormal).find("0 bytes"), std::string::npos);
    EXPECT_NE(with(std::string(4097, 'x'), PieceType::kNormal).find("4097"), std::string::npos);
    EXPECT_EQ(with(std::string(4096, 'x'), PieceType::kNormal), "");
    EXPECT_NE(with("\xFF", PieceType::kNormal).find("UTF-8"), std::string::npos);
    EXPECT_NE(with("ab", PieceType::kNormal).find("twice"), std::string::npos);
    EXPECT_NE(with("<u2>", PieceType::kUnknown).find("unknown"), std::string::npos);
    EXPECT_NE(with("z", PieceType::kNormal, std::numeric_limits<float>::quiet_NaN()).find("score"), std::string::npos);
    EXPECT_NE(with("<0x41>", PieceType::kByte).find("byte pieces"), std::string::npos);
    for (const char* text : {"<0x4>", "<0x4G>", "<0x4a>", "<0X41>", "0x41", "<0x41> "})
        EXPECT_NE(with(text, PieceType::kByte).find("spelt"), std::string::npos) << text;
    EXPECT_NE(with("z", static_cast<PieceType>(9)).find("type 9"), std::string::npos);
    SentencePieceModel none = small();
    none.pieces.clear();
    EXPECT_NE(error_of(none), "");
}

/// A compiled rule table: units of a double array, then texts.
std::string charsmap(const std::vector<uint32_t>& units, const std::string& texts) {
    std::string out;
    const auto append = [&](uint32_t value) {
        for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
    };
    append(static_cast<uint32_t>(4 * units.size()));
    for (const uint32_t unit : units) append(unit);
    return out + texts;
}

TEST(SentencePiece, ChecksEveryStepOfTheNormalisationRules) {
    const auto unit = [](uint32_t offset, uint32_t label, bool leaf) { return offset << 10 | label | (leaf ? 0x100u : 0); };
    std::vector<uint32_t> units(512, 0x80000000u);  // labels that no byte has
    units[0] = unit(256, 0, false);                 // children at 256 + byte
    units[256 + 'a'] = unit(256, 'a', true);        // "a" has a rule, in the unit at (256 + 'a') ^ 256
    units['a'] = 0x80000000u;                       // its text is at 0
    const std::string texts("b\0", 2);
    EXPECT_NO_THROW(check_charsmap(charsmap(units, texts), "f"));
    EXPECT_NO_THROW(check_charsmap("", "f"));
    const auto refused = [&](auto change, const std::string& replacement = std::string("b\0", 2)) {
        std::vector<uint32_t> changed = units;
        change(changed);
        EXPECT_THROW(check_charsmap(charsmap(changed, replacement), "f"), Error);
    };
    refused([](auto& u) { u['a'] = 0x80000002u; });                       // a text past the end
    refused([](auto&) {}, "b");                                           // a text that does not end
    refused([](auto&) {}, "");                                            // no texts
    refused([&](auto& u) { u[0] = unit(1 << 20, 0, false); });            // children outside
    refused([&](auto& u) { u[256 + 'a'] = unit(1 << 20, 'a', false); });  // further down
    refused([](auto& u) { u.resize(300, 0x80000000u); });                 // some bytes lead outside
    refused([&](auto& u) { u[256 + 'a'] = unit('a', 'a', false); });      // back to itself: children at 256
    refused([](auto& u) { u.resize(64); });                               // too small for one node
    EXPECT_THROW(check_charsmap("abc", "f"), Error);
    EXPECT_THROW(check_charsmap(std::string("\xFF\xFF\xFF\x7F", 4) + std::string(5000, '\0'), "f"), Error);
    EXPECT_NO_THROW(check_charsmap(charsmap(units, std::string(64, 'b') + '\0'), "f"));
    refused([](auto&) {}, std::string(65, 'b') + '\0');  // one letter becomes more than any rule of Unicode makes
    std::mt19937 random(2);
    for (int round = 0; round < 3000; ++round) {  // whatever is there, the answer comes soon and without a step outside
        std::vector<uint32_t> noise(256 + random() % 1024);
        for (uint32_t& u : noise) u = random() % 3 ? unit(random() % 2048, random() % 256, random() % 4 == 0) : 0x80000000u | random() % 4;
        try {
            check_charsmap(charsmap(noise, texts), "f");
        } catch (const Error&) {}
    }
}

TEST(SentencePiece, FollowsTheRulesOnceTheyAreChecked) {
    SentencePieceModel model = small();
    std::vector<uint32_t> units(512, 0x80000000u);
    units[0] = 256u << 10;
    units[256 + 'x'] = 256u << 10 | 'x' | 0x100u;
    units['x'] = 0x80000000u;  // x becomes the text at 0
    model.charsmap = charsmap(units, std::string("ab\0", 3));
    const auto tokenizer = load(model);
    EXPECT_EQ(tokenizer->encode_plain("x"), Ids{kSpaceAb});
    EXPECT_EQ(tokenizer->round_trip(), RoundTrip::kUpToUnknown);
}

TEST(SentencePiece, RefusesEveryCutFile) {
    const std::string whole = read_file(ember_files() / "tokenizer.model");
    ASSERT_NO_THROW(load_sentencepiece(whole, "m", {}));
    for (size_t length = 0; length < whole.size(); length += length + 600 < whole.size() ? 509 : 1) {
        EXPECT_THROW(load_sentencepiece(whole.substr(0, length), "m", {}), Error) << length;
    }
}

TEST(SentencePiece, RefusesOrSurvivesEveryFlippedBit) {
    const std::string whole = read_file(ember_files() / "tokenizer.model");
    std::mt19937 random(1);
    const auto check = [&](size_t at, int bit) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        try {
            const auto tokenizer = load_sentencepiece(flipped, "m", {});
            for (const int32_t id : tokenizer->encode({{"<s><|user|>\nHello, world! \xF0\x9F\x99\x82\xFF", true}})) {
                EXPECT_GE(id, 0);
                EXPECT_LT(id, tokenizer->vocab_size());
            }
        } catch (const Error&) {}
    };
    for (size_t at = 0; at < 40; ++at) check(at, static_cast<int>(random() % 8));
    for (size_t at = whole.size() - 100; at < whole.size(); ++at) check(at, static_cast<int>(random() % 8));  // the settings
    for (int round = 0; round < 250; ++round) check(random() % whole.size(), static_cast<int>(random() % 8));
}

TEST(WireReader, RefusesWhatNoWriterMakes) {
    const auto read_all = [](const std::string& bytes) {
        WireReader reader(bytes, "m");
        WireField field;
        int fields = 0;
        while (reader.next(field)) ++fields;
        return fields;
    };
    EXPECT_EQ(read_all(""), 0);
    EXPECT_EQ(read_all(std::string("\x08\x01\x12\x01x\x1D\0\0\0\0", 10)), 3);
    for (const std::string& bytes : {std::string("\x08"),
                                     std::string("\x0A\x05"
                                                 "abcd"),
                                     std::string("\x0B"), std::string("\x0C"), std::string("\x0D\1\2\3"), std::string("\x09\1\2\3\4\5\6\7"),
                                     std::string("\x00\x01", 2), std::string(11, '\xFF'),
                                     std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), std::string("\x0F\x01")}) {
        EXPECT_THROW(read_all(bytes), Error) << ::testing::PrintToString(bytes);
    }
}

}  // namespace
}  // namespace hearth
