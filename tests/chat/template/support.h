// Rendering in one line, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "chat/template/chat_template.h"

namespace hearth::testing {

using Json = nlohmann::ordered_json;

inline std::string joined(const std::vector<TextSpan>& spans) {
    std::string out;
    for (const TextSpan& span : spans) out += span.text;
    return out;
}

/// What `source` prints.
inline std::string rendered(std::string_view source, const Json& context = Json::object(), const TemplateLimits& limits = {}) {
    return joined(ChatTemplate::parse(source, limits)->render(context, 0));
}

/// The same with a person's text in angle brackets: "template‹person›".
inline std::string marked(std::string_view source, const Json& context) {
    std::string out;
    for (const TextSpan& span : ChatTemplate::parse(source)->render(context, 0)) out += span.trusted ? span.text : "‹" + span.text + "›";
    return out;
}

/// The message of the Error that parsing or rendering throws; "no error: ..." when there is none.
inline std::string error_of(std::string_view source, const Json& context = Json::object(), const TemplateLimits& limits = {}) {
    try {
        return "no error: " + rendered(source, context, limits);
    } catch (const Error& error) {
        return error.what();
    }
}

/// An expression and what it prints.
struct Case {
    const char* expression;
    const char* expected;
};

/// Each expression renders to what is expected of it.
inline void expect_all(std::initializer_list<Case> cases, const Json& context = Json::object()) {
    for (const Case& each : cases) {
        EXPECT_EQ(error_of(std::string("{{ ") + each.expression + " }}", context), std::string("no error: ") + each.expected)
            << each.expression;
    }
}

/// Each expression is refused with an Error.
inline void expect_errors(std::initializer_list<const char*> expressions, const Json& context = Json::object()) {
    for (const char* each : expressions) EXPECT_THROW(rendered(std::string("{{ ") + each + " }}", context), Error) << each;
}

}  // namespace hearth::testing
