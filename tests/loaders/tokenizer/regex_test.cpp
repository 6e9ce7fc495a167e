#include "loaders/tokenizer/bpe/regex.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "loaders/tokenizer/bpe/pre_tokenizer.h"

namespace hearth {
namespace {

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
    std::vector<std::string> out;
    for (const auto& [begin, end] : Regex(pattern, "test").find_all(text, {text.size()})) out.push_back(text.substr(begin, end - begin));
    return out;
}

using Strings = std::vector<std::string>;

TEST(Regex, WhiteSpaceIsWhatUnicodeSaysAndNoMore) {
    EXPECT_EQ(matches("\\s+",
                      "a \xC2\xA0\xE3\x80\x80"
                      "b"),
              Strings{" \xC2\xA0\xE3\x80\x80"});
    EXPECT_EQ(matches("\\s", "\xE1\xA0\x8E"), Strings{}) << "U+180E is no white space since Unicode 6.3";
    EXPECT_EQ(matches("[^\\s]+",
                      "a\xE1\xA0\x8E"
                      "b c"),
              (Strings{"a\xE1\xA0\x8E"
                       "b",
                       "c"}));
    EXPECT_EQ(matches("[\\S]+", "a b"), (Strings{"a", "b"}));
}

TEST(Regex, SeesNothingPastInvalidBytesAndCuts) {
    EXPECT_EQ(matches("a+",
                      "aa\xFF"
                      "aa\xE2\x82"
                      "a"),
              (Strings{"aa", "aa", "a"}));
    EXPECT_EQ(matches("a(?!b)",
                      "a\xFF"
                      "b"),
              Strings{"a"});
    const auto found = Regex("a+", "test").find_all("aaaa", {1, 4});
    EXPECT_EQ(found, (std::vector<std::pair<size_t, size_t>>{{0, 1}, {1, 4}}));
}

TEST(Regex, SkipsEmptyMatches) { EXPECT_EQ(matches("x*", "axxb\xC3\xA9x"), (Strings{"xx", "x"})); }

TEST(Regex, RefusesByNameWhatHasNoPlaceInATokenizer) {
    for (const char* pattern : {"(a)\\1", "(?R)", "(?P<n>a)(?P=n)", "a(*SKIP)b", "(?C1)a", "\\Ka", "\\Ra", "\\ha", "\\X", "\\Qa\\E",
                                "(?(1)a|b)", "\\g{1}", "(?|a|b)", "\\u0041", "(?1)"}) {
        EXPECT_THROW(Regex(pattern, "test"), Error) << pattern;
    }
    for (const char* pattern : {"", "(", "[a", "a{2,1}", "(?i", "\\p{Nonsense}", "*"})
        EXPECT_THROW(Regex(pattern, "test"), Error) << pattern;
    for (const char* pattern : {"(?i:a)", "(?:a)", "(?=a)a", "(?!b)a", "(?<=x)?a", "(?<!x)a", "(?>a)", "[(?R)]?a", "[]a]", "[^]b]",
                                "[[:alpha:](*]", "(?i)a", "a\\/?"}) {
        EXPECT_NO_THROW(Regex(pattern, "test")) << pattern;
    }
}

TEST(Regex, ErrorsNameThePlace) {
    try {
        Regex("(a)\\1", "file.json: pre_tokenizer Split");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find("file.json: pre_tokenizer Split: "), 0u) << e.what();
    }
}

TEST(Regex, AnEvilPatternEndsInAnError) {
    const std::string text = std::string(20'000, 'a') + "cb";  // with a b, or the library sees at once that nothing matches
    for (const char* pattern : {"(a+)+b", "(a|a)*b", "(a|aa)+b"})
        EXPECT_THROW(Regex(pattern, "test").find_all(text, {text.size()}), Error) << pattern;
}

TEST(Regex, AMatchOfMegabytesIsFound) {
    const std::string spaces(3'000'000, ' ');
    const Regex regex("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "test");
    EXPECT_EQ(regex.find_all(spaces + "\n", {spaces.size() + 1}), (std::vector<std::pair<size_t, size_t>>{{0, spaces.size() + 1}}));
    EXPECT_EQ(regex.find_all(spaces + "x", {spaces.size() + 1}),
              (std::vector<std::pair<size_t, size_t>>{{0, spaces.size() - 1}, {spaces.size() - 1, spaces.size()}}));
}

/// The pieces of `text` with '|' between them.
std::string pieces(const PreTokenizer& pre_tokenizer, const std::string& text, bool at_start = true) {
    std::string out;
    pre_tokenizer.run(text, at_start, [&](std::string_view all, const std::vector<size_t>& ends) {
        size_t begin = 0;
        for (const size_t end : ends) {
            if (!out.empty()) out += '|';
            out += all.substr(begin, end - begin);
            begin = end;
        }
    });
    return out;
}

std::string split(const std::string& pattern, SplitBehavior behavior, bool invert, const std::string& text) {
    PreTokenizer pre_tokenizer;
    pre_tokenizer.add(std::make_unique<SplitStep>(Regex(pattern, "test"), behavior, invert));
    return pieces(pre_tokenizer, text);
}

TEST(PreTokenizer, SplitsInEveryBehavior) {
    const std::string text = "the-final--countdown-";
    EXPECT_EQ(split("-", SplitBehavior::kIsolated, false, text), "the|-|final|-|-|countdown|-");
    EXPECT_EQ(split("-", SplitBehavior::kRemoved, false, text), "the|final|countdown");
    EXPECT_EQ(split("-", SplitBehavior::kMergedWithPrevious, false, text), "the-|final-|-|countdown-");
    EXPECT_EQ(split("-", SplitBehavior::kMergedWithNext, false, text), "the|-final|-|-countdown|-");
    EXPECT_EQ(split("-", SplitBehavior::kContiguous, false, text), "the|-|final|--|countdown|-");
    EXPECT_EQ(split("[a-z]+", SplitBehavior::kRemoved, true, text), "the|final|countdown");
    EXPECT_EQ(split("-", SplitBehavior::kRemoved, false, "--"), "");
    EXPECT_EQ(split(literal_pattern(".*_\n"), SplitBehavior::kRemoved, false, "a.*_\nb.x"), "a|b.x");
}

TEST(PreTokenizer, MetaspacePrependsAsItsSchemeSays) {
    const auto run = [](PrependScheme scheme, bool split_words, const std::string& text, bool at_start) {
        PreTokenizer pre_tokenizer;
        pre_tokenizer.add(std::make_unique<MetaspaceStep>("_", scheme, split_words));
        return pieces(pre_tokenizer, text, at_start);
    };
    EXPECT_EQ(run(PrependScheme::kAlways, true, "a b  c", false), "_a|_b|_|_c");
    EXPECT_EQ(run(PrependScheme::kAlways, true, " a", true), "_a");
    EXPECT_EQ(run(PrependScheme::kFirst, false, "a b", true), "_a_b");
    EXPECT_EQ(run(PrependScheme::kFirst, false, "a b", false), "a_b");
    EXPECT_EQ(run(PrependScheme::kNever, true, "a b", true), "a|_b");
}

TEST(PreTokenizer, AStepWorksOnThePiecesOfTheOneBefore) {
    PreTokenizer pre_tokenizer;
    pre_tokenizer.add(std::make_unique<SplitStep>(Regex("\\p{N}", "test"), SplitBehavior::kIsolated, false));
    pre_tokenizer.add(std::make_unique<SplitStep>(Regex(kGpt2Pattern, "test"), SplitBehavior::kIsolated, false));
    EXPECT_EQ(pieces(pre_tokenizer, "it's 12 x"), "it|'s| |1|2| x");
    std::string many, expected;
    for (int i = 0; i < 5000; ++i) {
        many += "1 a";
        expected += i ? "|1| a" : "1| a";
    }
    EXPECT_EQ(pieces(pre_tokenizer, many), expected);
}

}  // namespace
}  // namespace hearth
