#include "perf/serve/client/sse.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {
namespace {

using Seen = std::vector<std::string>;

/// "name|data" of each event of `text`, given in pieces that end at `cuts`.
Seen events_of(const std::string& text, const std::vector<size_t>& cuts, size_t most = 1000) {
    Seen out;
    SseParser parser(most);
    size_t from = 0;
    const auto feed = [&](size_t to) {
        parser.feed(std::string_view(text).substr(from, to - from),
                    [&](const SseEvent& event) { out.push_back(cat(event.name, "|", event.data)); });
        from = to;
    };
    for (const size_t cut : cuts) feed(cut);
    feed(text.size());
    return out;
}

const std::string kStream =
    "\xEF\xBB\xBF"
    ": a comment\n"
    "data: {\"a\": 1}\n\n"
    "data:two\r\ndata: lines\r\n\r\n"
    "event: error\rdata:  kept space\r\r"
    "id: 7\nretry: 10\n\n"
    "data\n\n"
    "error: {\"code\": 500}\n\n"
    "data: [DONE]\n\n"
    "data: cut off";
const Seen kEvents = {"|{\"a\": 1}", "|two\nlines", "error| kept space", "|", "error|{\"code\": 500}", "|[DONE]"};

TEST(Sse, ReadsLinesEndsCommentsAndNames) { EXPECT_EQ(events_of(kStream, {}), kEvents); }

TEST(Sse, IsTheSameWhereverTheBytesAreCut) {
    std::vector<size_t> all;
    for (size_t cut = 0; cut <= kStream.size(); ++cut) {
        EXPECT_EQ(events_of(kStream, {cut}), kEvents) << "cut at " << cut;
        all.push_back(cut);
    }
    EXPECT_EQ(events_of(kStream, all), kEvents) << "byte by byte";
    for (size_t a = 0; a <= kStream.size(); ++a) {
        for (size_t b = a; b <= kStream.size(); ++b) ASSERT_EQ(events_of(kStream, {a, b}), kEvents) << a << " and " << b;
    }
}

TEST(Sse, RefusesALineOrAnEventOverTheLimit) {
    EXPECT_EQ(events_of("data: 45678\n\n", {}, 11), Seen{"|45678"});
    EXPECT_THROW(events_of("data: 456789\n\n", {}, 11), Error);
    EXPECT_THROW(events_of(std::string(12, 'x'), {}, 11), Error) << "a line without an end";
    EXPECT_THROW(events_of("data: 12345\ndata: 12345\n\n", {}, 10), Error) << "two lines of one event";
    EXPECT_THROW(events_of(std::string(12, 'x'), {5, 6, 11}, 11), Error);
}

}  // namespace
}  // namespace hearth::perf
