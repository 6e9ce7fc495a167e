// Ten times the text, ten times the work. What decides is a count of steps; times are printed for people.
#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <cstdio>

#include "loaders/tokenizer/bpe/bpe_encoder.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using testing::shared_tokenizer;

const std::vector<std::pair<const char*, std::string>> kUnits = {
    {"letter", "a"},
    {"capital", "A"},
    {"space", " "},
    {"newline", "\n"},
    {"digit", "7"},
    {"sign", "!"},
    {"mark", "\xCC\x81"},
    {"two marks", "\xCC\x81\xCC\xA3"},
    {"ideograph", "\xE4\xB8\xAD"},
    {"emoji", "\xF0\x9F\x99\x82"},
    {"invalid byte", "\xFF"},
    {"NUL", std::string(1, '\0')},
};

std::string repeat(const std::string& unit, size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += unit;
    return out;
}

/// Seconds of this thread's own time: other programs do not count.
double seconds(const Tokenizer& tokenizer, const std::string& text, size_t& tokens) {
    const auto now = [] {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double start = now();
    tokens = tokenizer.encode_plain(text).size();
    return now() - start;
}

/// A run of each character gives tokens in proportion to its length; says how long it took and how much longer than a tenth of it.
void check_runs(const std::string& path, size_t bytes, const std::vector<std::string>& names) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    bytes /= 10;
#endif
    const Tokenizer& tokenizer = shared_tokenizer(path);
    for (const auto& [name, unit] : kUnits) {
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
        size_t small = 0, large = 0;
        const double a = seconds(tokenizer, repeat(unit, bytes / 10), small), b = seconds(tokenizer, repeat(unit, bytes), large);
        std::printf("%-42s %-12s %4.1f MB %7.3f s, a tenth %7.3f s, ratio %4.1f\n", path.c_str(), name, static_cast<double>(bytes) * 1e-6,
                    b, a, b / a);
        EXPECT_GE(large + 20, 10 * small - 20) << name;
        EXPECT_LE(large, 10 * small + 20) << name;
    }
}

TEST(Linear, RunsOfOneCharacterInOurOwnCode) {
    HEARTH_NEEDS_SHARED_DATA();
    check_runs("tokenizers/llama3/tokenizer.model", 10'000'000, {});
    check_runs("tokenizers/tinyllama/tokenizer.json", 10'000'000, {"letter", "space", "two marks", "invalid byte"});
    check_runs("tokenizers/tekken-mini/tekken.json", 10'000'000, {"capital", "space", "two marks"});
}

TEST(Linear, RunsOfOneCharacterInTheSentencePieceLibrary) {
    HEARTH_NEEDS_SHARED_DATA();
    check_runs("tokenizers/llama2/tokenizer.model", 1'000'000, {"letter", "space", "mark"});
}

/// A vocabulary of bytes and words that makes every kind of chain: runs, words that overlap, words of words.
BpeEncoder make_encoder(bool cut_into_words) {
    BpeModel model;
    model.byte_level = true;
    for (int32_t byte = 0; byte < 256; ++byte) model.byte_ids[static_cast<size_t>(byte)] = byte;
    int32_t next = 256;
    const auto merge = [&](int32_t left, int32_t right) {
        model.merges.set(left, right, {next - 256, next});
        return next++;
    };
    for (const unsigned char c : {'a', ' ', '\n', '7', '!', 'b'}) {
        int32_t run = c;
        for (int i = 0; i < 5; ++i) run = merge(run, run);
    }
    merge('a', 'b');
    merge('b', 'a');
    merge(merge(0xCC, 0x81), 0xCC);
    PreTokenizer pre_tokenizer;
    if (cut_into_words) pre_tokenizer.add(std::make_unique<SplitStep>(Regex(kGpt2Pattern, "test"), SplitBehavior::kIsolated, false));
    return BpeEncoder({}, std::move(pre_tokenizer), std::move(model));
}

TEST(Linear, StepsGrowWithTheText) {
    for (const bool words : {false, true}) {
        const BpeEncoder encoder = make_encoder(words);
        auto units = kUnits;
        units.push_back({"alternating", "ab"});
        units.push_back({"uneven", "aabab a\n"});
        for (const auto& [name, unit] : units) {
            std::vector<int32_t> ids;
            const int64_t small = encoder.encode_counting(repeat(unit, 20'000), TextPlace{}, ids),
                          large = encoder.encode_counting(repeat(unit, 200'000), TextPlace{}, ids);
            EXPECT_GT(small, 0) << name;
            EXPECT_LE(large, 11 * small) << name;
            EXPECT_LE(large, 40 * 200'000) << name;
        }
    }
}

TEST(Linear, MarksOutOfOrderAreSortedInTime) {  // a canonical ordering by exchanges would take minutes here
    const testing::TempFolder folder;
    const auto path = folder.write(
        "tokenizer.json",
        R"({"normalizer": {"type": "NFC"}, "model": {"type": "BPE", "byte_fallback": false, "vocab": {"a": 0}, "merges": []}})");
    EXPECT_TRUE(open_tokenizer_file(path)->encode_plain(repeat("\xCC\x81\xCC\xA3", 4'000'000)).empty());
}

}  // namespace
}  // namespace hearth
