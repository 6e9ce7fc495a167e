#include "base/text.h"

#include <gtest/gtest.h>

#include "base/checked.h"

namespace hearth {
namespace {

TEST(Text, HumanBytesHaveThreeDigits) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(999), "999 B");
    EXPECT_EQ(human_bytes(1000), "1.00 kB");
    EXPECT_EQ(human_bytes(12'345'678), "12.3 MB");
    EXPECT_EQ(human_bytes(999'999'999), "1.00 GB");
    EXPECT_EQ(human_bytes(INT64_MAX), "9223 PB");
}

TEST(Text, SplitKeepsEmptyParts) {
    EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_EQ(split("", ','), std::vector<std::string>{""});
    EXPECT_EQ(join(split("x/y/", '/'), "/"), "x/y/");
}

TEST(Text, TrimTakesWhiteSpaceFromBothEndsOnly) {
    EXPECT_EQ(trim(" \t a b \n"), "a b");
    EXPECT_EQ(trim(" \r\n"), "");
}

TEST(Text, PrintableEscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("a\x1b[31m\n\xFFé"), "a\\x1b[31m\\x0a\\xffé");
    EXPECT_EQ(printable("a\xC2\x9B\xE2\x80\xAE\x7F"), "a\\xc2\\x9b\\xe2\\x80\\xae\\x7f");
    EXPECT_EQ(printable(std::string(500, 'x'), 10), "xxxxxxxxxx…");
}

TEST(Checked, OverflowIsNothing) {
    EXPECT_EQ(checked_mul<int64_t>(INT64_MAX, 2), std::nullopt);
    EXPECT_EQ(checked_mul<uint64_t>(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
    EXPECT_EQ(checked_mul<int64_t>(3, 4), 12);
    EXPECT_EQ(checked_add<uint64_t>(UINT64_MAX, 1), std::nullopt);
    EXPECT_EQ(round_up<int64_t>(33, 32), 64);
    EXPECT_EQ(ceil_div<int64_t>(INT64_MAX, 2), INT64_MAX / 2 + 1);
}

}  // namespace
}  // namespace hearth
