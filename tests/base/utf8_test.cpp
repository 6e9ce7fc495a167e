#include "base/utf8.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Utf8, EveryCodePointComesBack) {
    for (uint32_t code = 0; code <= 0x10FFFF; ++code) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        std::string text;
        append_utf8(text, code);
        const Utf8Char c = next_utf8(text);
        ASSERT_TRUE(c.valid) << code;
        ASSERT_EQ(c.code, code);
        ASSERT_EQ(c.length, text.size());
    }
}

TEST(Utf8, SurrogatesAndNumbersPastTheEndAreReplaced) {
    for (const uint32_t code : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu}) {
        std::string text;
        append_utf8(text, code);
        EXPECT_EQ(text, "\xEF\xBF\xBD");
    }
}

TEST(Utf8, IllFormedSequencesBecomeOneReplacementPerMaximalSubpart) {
    // The Unicode Standard 15.0, tables 3-8 to 3-11.
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(sanitize_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(sanitize_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(sanitize_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), r + r + r + r + r + "A" + r + r + "B");
    EXPECT_EQ(sanitize_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

TEST(Utf8, CompleteStopsBeforeACharacterThatIsCutShortAndNowhereElse) {
    const std::string text = "aé世😀";
    const size_t ends[] = {0, 1, 3, 6, 10};
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        size_t last = 0;
        for (const size_t end : ends) {
            if (end <= cut) last = end;
        }
        EXPECT_EQ(complete_utf8(std::string_view(text).substr(0, cut)), last) << cut;
    }
    EXPECT_EQ(complete_utf8("a\xFF"), 2u) << "an invalid byte will never be complete: it need not wait";
    EXPECT_EQ(complete_utf8("\x80\x80\x80\x80"), 4u);
}

TEST(Utf8, ValidatesAsTheStandardSays) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8(std::string_view("\0a", 2)));
    EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
    for (const char* bad :
         {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xE4\xB8"}) {
        EXPECT_FALSE(is_utf8(bad)) << bad;
    }
}

}  // namespace
}  // namespace hearth
