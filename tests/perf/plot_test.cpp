#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "perf/plot/axes.h"
#include "perf/plot/charts.h"
#include "tests/perf/samples.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Whether every element is closed in its turn, attributes are quoted and every ampersand starts an entity.
std::string xml_problem(const std::string& text) {
    std::vector<std::string> open;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '&' && text.find(';', at) > at + 6) return cat("a bare & at ", at);
        if (text[at] == '>') return cat("a bare > at ", at);
        if (text[at] != '<') continue;
        const size_t end = text.find('>', at);
        if (end == std::string::npos) return "an element without an end";
        const std::string tag = text.substr(at + 1, end - at - 1);
        if (tag.find('<') != std::string::npos) return cat("< within an element at ", at);
        const std::string name = tag.substr(0, tag.find_first_of(" />", 1));
        if (tag[0] == '/') {
            if (open.empty() || open.back() != tag.substr(1)) return cat("</", tag.substr(1), "> closes nothing");
            open.pop_back();
        } else if (tag.back() != '/') {
            open.push_back(name);
        }
        if (std::ranges::count(tag, '"') % 2 != 0) return cat("an open quote in <", tag);
        at = end;
    }
    return open.empty() ? "" : cat("<", open.back(), "> is not closed");
}

size_t count(const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

ResultFile file_of(const std::vector<Row>& rows, const std::string& name = "a.json") {
    std::string text;
    for (const Row& row : rows) text += (text.empty() ? "[" : ",") + bench_row(row);
    return parse_results(text + "]", name);
}

TEST(Plot, DrawsAPointForEachStageThatComputes) {
    const std::string svg = draw_roofline(file_of({{.prompt = 0, .generate = 64, .more = kStages}}));
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_EQ(count(svg, "class=\"marker"), 3u) << "qkv, attention, one in the legend; embed computes nothing, head takes no time";
    EXPECT_THAT(svg, HasSubstr("qkv/composite: 40.0 GFLOP/s, 20.0 GB/s"));
    EXPECT_THAT(svg, HasSubstr(">qkv</text>"));
    EXPECT_THAT(svg, HasSubstr("memory, 40.0 GB/s"));
    EXPECT_THAT(svg, HasSubstr("AMX bf16, 4000"));
    EXPECT_THAT(svg, Not(HasSubstr("AMX int8"))) << "the machine has none";
    EXPECT_THAT(svg, HasSubstr("Test CPU, 2026-11-23"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Plot, DrawsALineForEachEngineAndFormat) {
    std::vector<Row> rows;
    for (const int depth : {0, 1024, 4096}) {
        rows.push_back({.prompt = 0, .generate = 64, .depth = depth});
        rows.push_back({.prompt = 0, .generate = 64, .depth = depth, .type = "llama 1.10B q4"});
    }
    rows.push_back({});
    const std::string svg = draw_depths({file_of(rows)}, false);
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_EQ(count(svg, "<polyline"), 2u);
    EXPECT_EQ(count(svg, "class=\"marker"), 8u) << "three points and a legend each";
    EXPECT_THAT(svg, HasSubstr("hearth q4 at 1024: 100.00 t/s [99.00, 101.00]"));
    EXPECT_EQ(count(draw_depths({file_of(rows)}, true), "<polyline"), 1u) << "one prompt";
}

TEST(Plot, TellsFilesApart) {
    const std::string svg = draw_depths({file_of({{}}, "old.json"), file_of({{}}, "new.json")}, true);
    EXPECT_THAT(svg, HasSubstr(">hearth q8</text>"));
    EXPECT_THAT(svg, HasSubstr(">hearth q8 (new)</text>"));
}

ResultFile serve_file(const ServeRow& row) { return parse_results(serve_run(row), "s.json"); }

TEST(Plot, DrawsWaitingAndThroughputOverTheLoad) {
    std::vector<ResultFile> files;
    for (const int load : {16, 1, 4}) {
        for (const char* label : {"hearth", "llama-server"}) {
            files.push_back(serve_file({.label = label, .load = cat(R"("rate": 0, "concurrency": )", load), .ttft_ms = 10.0 * load}));
        }
    }
    const std::string svg = draw_serve(files);
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_EQ(count(svg, "<polyline"), 4u) << "two servers, in each of two frames";
    EXPECT_EQ(count(svg, "class=\"marker"), 16u) << "three points and a legend each";
    EXPECT_THAT(svg, HasSubstr("hearth at 4: 40.0 ms, p99 120.0"));
    EXPECT_THAT(svg, HasSubstr("llama-server at 16: 100.0 t/s"));
    EXPECT_THAT(svg, HasSubstr("conversations at once"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Plot, TakesTheMedianOfRunsWithOneLoad) {
    const std::string svg = draw_serve({serve_file({.ttft_ms = 10}), serve_file({.ttft_ms = 30}), serve_file({.ttft_ms = 500})});
    EXPECT_THAT(svg, HasSubstr("hearth at 4: 30.0 ms"));
    EXPECT_EQ(count(svg, "class=\"marker"), 4u);
}

TEST(Plot, RefusesRunsThatShareNoAxis) {
    EXPECT_THROW(draw_serve({serve_file({}), serve_file({.load = R"("rate": 2, "concurrency": 0)"})}), Error);
    EXPECT_THROW(draw_serve({serve_file({}), file_of({{}})}), Error) << "not of perf_serve";
    EXPECT_THROW(draw_serve({serve_file({.ttft_ms = 0, .samples = "[]"})}), Error) << "nothing was answered";
    EXPECT_EQ(xml_problem(draw_serve({serve_file({.label = "<a>&", .ttft_ms = 1e11, .tokens_per_second = 1e300})})), "");
}

TEST(Plot, EscapesWhatFilesSay) {
    auto file = file_of({{.type = "<script>&\\\"q8", .more = kStages}});
    const std::string svg = draw_roofline(file);
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("<script>")));
    file.machine = std::string("a\x01<b>\xff", 6);
    EXPECT_EQ(xml_problem(draw_depths({file}, true)), "");
}

TEST(Plot, RefusesFilesWithoutWhatItDraws) {
    EXPECT_THROW(draw_roofline(file_of({{}})), Error) << "no stages";
    EXPECT_THROW(draw_roofline(file_of({{.more = R"(, "stages": [{"variant": "a/b", "seconds": 1, "bytes": 1e9, "flops": 1e9}])"}})), Error)
        << "no limits";
    EXPECT_THROW(draw_depths({file_of({{}})}, false), Error) << "prompts only";
    EXPECT_THROW(draw_depths({parse_results(kGoogle, "g.json")}, false), Error);
}

TEST(Plot, LeavesOutNumbersThatNoMachineHas) {
    const std::string odd =
        R"(, "limits": {"read_gbps": 40}, "stages": [{"variant": "a/b", "seconds": 1e-300, "bytes": 1e300, "flops": 1e300},
        {"variant": "c/d", "seconds": 1, "bytes": 1e9, "flops": 1e9}])";
    const std::string svg = draw_roofline(file_of({{.more = odd}}));
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
    EXPECT_THROW(draw_depths({file_of({{.samples = "[1e300]"}})}, true), Error);
}

TEST(Axes, PutRoundTicksWithinTheirRange) {
    const Axis linear = rounded({.low = 0, .high = 47, .begin = 0, .end = 100});
    EXPECT_EQ(linear.high, 50);
    EXPECT_EQ(ticks_of(linear).size(), 6u);
    EXPECT_EQ(linear.at(25), 50);
    const Axis decades = rounded({.low = 0.3, .high = 700, .logarithmic = true, .begin = 0, .end = 1});
    EXPECT_EQ(decades.low, 0.2);
    EXPECT_EQ(decades.high, 1000);
    EXPECT_EQ(ticks_of(decades).front().text, "0.2");
    EXPECT_EQ(ticks_of(decades).back().text, "1000");
    EXPECT_NEAR(decades.at(std::sqrt(200)), 0.5, 1e-9);
}

}  // namespace
}  // namespace hearth::perf
