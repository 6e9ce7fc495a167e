// The chat templates of published models against what Python's Jinja2 makes of them.
//
// HEARTH_TEMPLATES names another file of the layout of goldens.json.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <set>

#include "base/text.h"
#include "support.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using testing::Json;

constexpr const char* kRaised = "TemplateError: ";  // what Python's raise_exception throws
constexpr double kWantedShare = 0.99;

Json read_json(const std::filesystem::path& file) {
    std::ifstream in(file);
    EXPECT_TRUE(in.good()) << file;
    return Json::parse(in);
}

/// Seconds since 1970 of a local time like 2024-07-26T12:00:00.
int64_t seconds_of(const std::string& clock) {
    std::tm time{};
    EXPECT_EQ(std::sscanf(clock.c_str(), "%d-%d-%dT%d:%d:%d", &time.tm_year, &time.tm_mon, &time.tm_mday, &time.tm_hour, &time.tm_min,
                          &time.tm_sec),
              6)
        << clock;
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    time.tm_isdst = -1;
    return static_cast<int64_t>(std::mktime(&time));
}

struct Outcome {
    bool failed = false;
    std::string text;  // what was printed, or the error
};

Outcome outcome_of(const std::string& source, const Json& context, int64_t now) {
    try {
        return {false, testing::joined(ChatTemplate::parse(source)->render(context, now))};
    } catch (const Error& error) {
        return {true, error.what()};
    }
}

/// Empty when `got` is what `expected` ({"ok": text} or {"error": text}) says, else how it differs.
std::string difference(const Outcome& got, const Json& expected) {
    if (expected.contains("ok")) {
        const auto& text = expected["ok"].get_ref<const std::string&>();
        if (!got.failed && got.text == text) return "";
        size_t at = 0;
        while (at < std::min(text.size(), got.text.size()) && text[at] == got.text[at]) ++at;
        return (got.failed ? "an error: " : "differs at byte " + std::to_string(at) + ": ") +
               printable(got.text.substr(got.failed ? 0 : at));
    }
    const auto& error = expected["error"].get_ref<const std::string&>();
    if (!got.failed) return "no error, but expected " + error;
    const bool raised = error.rfind(kRaised, 0) == 0;
    return !raised || got.text == error.substr(std::string(kRaised).size()) ? "" : "raised '" + got.text + "', expected " + error;
}

/// One line for each case that differs; fails when they are more than 1 % of all.
class Report {
public:
    void add(const std::string& name, const std::string& how) {
        ++cases_;
        if (how.empty()) return;
        ++different_;
        std::cout << "  " << name << ": " << how << "\n";
    }
    void expect_agreement(int at_least) const {
        std::cout << "  " << cases_ - different_ << " of " << cases_ << " equal\n";
        EXPECT_GE(cases_, at_least);
        EXPECT_GE(cases_ - different_, kWantedShare * cases_);
    }
    int different() const { return different_; }

private:
    int cases_ = 0, different_ = 0;
};

class TemplateGoldens : public ::testing::Test {
protected:
    /// Empty when there is nothing to read; the test is skipped then.
    static Json load() {
        if (const char* other = std::getenv("HEARTH_TEMPLATES")) return read_json(other);
        return testing::have_shared_data() ? read_json(testing::shared_data() / "chat_templates" / "goldens.json") : Json();
    }

    static Json context_of(const Json& goldens, const Json& each, const std::string& name) {
        Json context = goldens["contexts"][name];
        context["bos_token"] = "<s>";
        context["eos_token"] = "</s>";
        if (each.contains("tokens")) context.update(each["tokens"]);
        return context;
    }
};

#define NEEDS_GOLDENS(goldens)   \
    const Json goldens = load(); \
    if (goldens.is_null()) GTEST_SKIP() << "skipped: ../shared/data absent"

TEST_F(TemplateGoldens, RenderAsInPython) {
    NEEDS_GOLDENS(goldens);
    const int64_t now = seconds_of(goldens["clock"]);
    Report report;
    int conversations = 0;
    for (const auto& each : goldens["templates"]) {
        for (const auto& [name, expected] : each["out"].items()) {
            ++conversations;
            const Outcome got = outcome_of(each["template"], context_of(goldens, each, name), now);
            report.add(each["name"].get<std::string>() + " with " + name, difference(got, expected));
        }
    }
    report.expect_agreement(std::max(1, conversations));
    if (!std::getenv("HEARTH_TEMPLATES")) {
        EXPECT_EQ(goldens["templates"].size(), 159u);
        EXPECT_EQ(report.different(), 0);
    }
}

TEST_F(TemplateGoldens, RenderAsInTheVectorsOfHuggingFace) {
    HEARTH_NEEDS_SHARED_DATA();
    const Json vectors = read_json(testing::shared_data() / "chat_templates" / "hf_e2e.json");
    Report report;
    for (const auto& each : vectors) {
        const bool same = each["python_jinja2"] == "same";
        const Json expected = same ? Json{{"ok", each["expected"]}} : each["python_jinja2"];
        // One of them was made on another day than the rest.
        const bool summer =
            expected.contains("ok") && expected["ok"].get_ref<const std::string&>().find("10 July 2025") != std::string::npos;
        const int64_t now = seconds_of(summer ? "2025-07-10T12:00:00" : "2024-07-26T12:00:00");
        report.add(each["name"], difference(outcome_of(each["template"], each["context"], now), expected));
    }
    report.expect_agreement(53);
    EXPECT_EQ(report.different(), 0);
}

// --- text of messages never yields a special token ---------------------------------------------------------------------------------

/// What looks like a special token between `open` and `close` in `source`.
void collect(const std::string& source, const std::string& open, const std::string& close, std::set<std::string>& out) {
    constexpr size_t kLongest = 40;
    for (size_t at = source.find(open); at != std::string::npos; at = source.find(open, at + 1)) {
        const size_t end = source.find(close, at + open.size());
        if (end == std::string::npos || end == at + open.size() || end - at > kLongest) continue;
        const std::string inside = source.substr(at + open.size(), end - at - open.size());
        const bool plain = inside.find_first_of(" \n\t'\"{}()[]<>+,.=\\") == std::string::npos;
        const bool upper = open != "[" || inside.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_/") == std::string::npos;
        if (plain && upper) out.insert(open + inside + close);
    }
}

/// The vocabulary of the small tokenizer: every special-looking text of a template, its bos and its eos.
std::set<std::string> specials_of(const std::string& source, const Json& context) {
    std::set<std::string> out = {context["bos_token"], context["eos_token"]};
    collect(source, "<|", "|>", out);
    collect(source, "<｜", "｜>", out);
    collect(source, "[", "]", out);
    collect(source, "<", ">", out);
    return out;
}

// Private characters around a message's tokens: they show up in the rendering wherever a message does.
const std::string kBefore = "\uE000", kAfter = "\uE001";

/// Every text below `json` with `poison` at both ends, but for what the template compares: roles, types, ids.
void poison_texts(Json& json, const std::string& poison) {
    for (auto& [key, value] : json.items()) {
        const bool compared = key == "role" || key == "type" || key == "id" || key == "tool_call_id";
        if (value.is_string() && !compared) {
            const auto text = value.get<std::string>();
            // Arguments written as JSON stay JSON.
            value = text.rfind('{', 0) == 0 ? text : poison + " " + text + " " + poison;
        }
        if (value.is_structured()) poison_texts(value, poison);
    }
}

struct Marked {
    std::string text, trusted;  // trusted: one byte '1' or '0' for each of the text
};

Marked flattened(const std::vector<TextSpan>& spans) {
    Marked out;
    for (const TextSpan& span : spans) {
        out.text += span.text;
        out.trusted.append(span.text.size(), span.trusted ? '1' : '0');
    }
    return out;
}

/// Whether the template takes messages apart at this text (the thoughts of an answer) and then writes its own in its place. A message's
/// token is gone there, and the template's stands between the same neighbours.
bool cuts_at(const std::string& source, const std::string& special) {
    return source.find("split('" + special) != std::string::npos || source.find("split(\"" + special) != std::string::npos;
}

struct Counts {
    int own = 0, of_messages = 0, taken_from_messages = 0;
};

/// Goes through all places where a special token's text stands.
Counts count(const std::string& source, const Marked& rendering, const std::set<std::string>& specials) {
    Counts counts;
    for (const std::string& special : specials) {
        for (size_t at = rendering.text.find(special); at != std::string::npos; at = rendering.text.find(special, at + 1)) {
            const bool recognised = rendering.trusted.substr(at, special.size()).find('0') == std::string::npos;
            const bool from_message = at >= kBefore.size() && rendering.text.compare(at - kBefore.size(), kBefore.size(), kBefore) == 0 &&
                                      rendering.text.compare(at + special.size(), kAfter.size(), kAfter) == 0;
            counts.of_messages += from_message;
            counts.taken_from_messages += from_message && recognised && !cuts_at(source, special);
            counts.own += !from_message && recognised;
        }
    }
    return counts;
}

TEST_F(TemplateGoldens, TextOfMessagesYieldsNoSpecialToken) {
    NEEDS_GOLDENS(goldens);
    int rendered = 0, of_messages = 0, silent = 0;
    for (const auto& each : goldens["templates"]) {
        const std::string source = each["template"], name = each["name"];
        int own = 0, clean_own = 0, seen = 0, successes = 0;
        for (const auto& [conversation, unused] : goldens["contexts"].items()) {
            const Json clean = context_of(goldens, each, conversation);
            const auto specials = specials_of(source, clean);
            std::string poison;
            for (const std::string& special : specials) poison += kBefore + special + kAfter;
            Json context = clean;
            for (const char* key : {"messages", "tools"}) {
                if (context.contains(key)) poison_texts(context[key], poison);
            }
            try {
                const auto chat_template = ChatTemplate::parse(source);
                clean_own += count(source, flattened(chat_template->render(clean, 0)), specials).own;
                const Marked rendering = flattened(chat_template->render(context, 0));
                const Counts counts = count(source, rendering, specials);
                EXPECT_EQ(counts.taken_from_messages, 0) << name << " with " << conversation;
                for (size_t at = rendering.text.find(kBefore); at != std::string::npos; at = rendering.text.find(kBefore, at + 1)) {
                    ASSERT_EQ(rendering.trusted[at], '0')
                        << name << " with " << conversation << ": a message's text counts as the template's";
                }
                own += counts.own;
                seen += counts.of_messages;
                ++successes;
            } catch (const Error&) {
                continue;  // this conversation is not for this template
            }
        }
        if (successes == 0) continue;
        ++rendered;
        of_messages += seen;
        silent += seen == 0;
        EXPECT_TRUE(clean_own == 0 || own > 0) << name << ": the template's own tokens are no longer recognised";
    }
    std::cout << "  " << rendered << " templates rendered, " << of_messages << " special texts in messages, " << silent
              << " templates print none of them\n";
    EXPECT_GE(rendered, static_cast<int>(goldens["templates"].size() * 9 / 10));
    EXPECT_GE(of_messages, rendered);
    EXPECT_LE(silent, rendered / 20);
}

TEST_F(TemplateGoldens, EveryTemplateTokensThatAreItsOwnAreTrusted) {
    NEEDS_GOLDENS(goldens);
    for (const auto& each : goldens["templates"]) {
        const std::string source = each["template"], name = each["name"];
        for (const auto& [conversation, unused] : goldens["contexts"].items()) {
            const Json context = context_of(goldens, each, conversation);
            std::vector<TextSpan> spans;
            try {
                spans = ChatTemplate::parse(source)->render(context, 0);
            } catch (const Error&) {
                continue;
            }
            // No message of these conversations holds a special token, so wherever one stands the template wrote it.
            const Marked rendering = flattened(spans);
            for (const char* special :
                 {"<|im_start|>", "<|im_end|>", "[INST]", "[/INST]", "<|start_header_id|>", "<|eot_id|>", "<|end|>", "<|assistant|>"}) {
                for (size_t at = rendering.text.find(special); at != std::string::npos; at = rendering.text.find(special, at + 1)) {
                    const auto trust = rendering.trusted.substr(at, std::string(special).size());
                    EXPECT_EQ(trust.find('0'), std::string::npos) << name << " with " << conversation << ": " << special;
                }
            }
        }
    }
}

}  // namespace
}  // namespace hearth
