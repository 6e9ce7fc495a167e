// Fields of other servers: refused by name where they would change the answer, else taken.
#include "chat/api/unserved_fields.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "chat/api/api_error.h"
#include "chat/api/chat_request.h"

namespace hearth {
namespace {

using nlohmann::json;

json with(const std::string& name, const json& value) {
    json body = json::parse(R"({"messages":[{"role":"user","content":"hi"}]})");
    body[name] = value;
    return body;
}

/// Empty where the request is taken, else the field that the refusal names.
std::string refused(const std::string& name, const json& value) {
    try {
        parse_chat_request(with(name, value));
        return "";
    } catch (const ApiError& e) {
        EXPECT_EQ(e.status(), 400) << name;
        EXPECT_EQ(std::string(e.what()).find(name), 0u) << e.what();
        return e.param();
    }
}

// Each of these was answered with 200 by an answer that had ignored it.
TEST(UnservedFields, AConstraintOrAContinuationThatIsNotServedIsRefusedByName) {
    const json fields = json::parse(R"({"guided_json": {"type": "object"}, "structured_outputs": {"regex": "a+"}, "grammar": "root ::= x",
        "json_schema": {"type": "object"}, "stop_token_ids": [2], "min_tokens": 5, "bad_words": ["x"], "best_of": 3, "echo": true,
        "modalities": ["text", "audio"], "add_generation_prompt": false, "continue_final_message": true})");
    EXPECT_EQ(fields.size(), 12u);
    for (const auto& [name, value] : fields.items()) EXPECT_EQ(refused(name, value), name);
}

TEST(UnservedFields, WhatOtherServersCallOtherwiseIsRefusedWithOurWordForIt) {
    try {
        parse_chat_request(with("repeat_penalty", 1.3));
        FAIL();
    } catch (const ApiError& e) {
        EXPECT_NE(std::string(e.what()).find("repetition_penalty"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("1.3"), std::string::npos) << e.what();
    }
}

TEST(UnservedFields, AValueThatChangesNothingIsTaken) {
    for (const RequestField& field : request_fields()) {
        if (field.use != FieldUse::kNotServed) continue;
        const json neutral = json::parse(std::string("[") + field.neutral + "]");
        for (const json& value : neutral) EXPECT_EQ(refused(field.name, value), "") << value;
        for (const json& value : {json(nullptr), json(""), json::array(), json::object()})
            EXPECT_EQ(refused(field.name, value), "") << value;
        bool true_is_neutral = false;
        for (const json& value : neutral) true_is_neutral |= value == true;
        EXPECT_EQ(refused(field.name, false), true_is_neutral ? field.name : "");
        for (const json& value :
             {json("x"), json(12345), json::array({"x"}), json{{"x", 1}}, json(-7.5), json(std::numeric_limits<uint64_t>::max())})
            EXPECT_EQ(refused(field.name, value), field.name) << value;
        EXPECT_EQ(refused(field.name, true), true_is_neutral ? "" : field.name);
    }
}

TEST(UnservedFields, DefaultsOfOtherServersAreTaken) {
    const json defaults = json::parse(R"({"n": 1, "best_of": 1, "logprobs": false, "top_logprobs": 0, "logit_bias": {}, "tools": [],
        "tool_choice": "auto", "response_format": {"type": "text"}, "modalities": ["text"], "parallel_tool_calls": true, "store": false,
        "use_beam_search": false, "length_penalty": 1.0, "min_tokens": 0, "skip_special_tokens": true, "add_generation_prompt": true,
        "spaces_between_special_tokens": true, "stop_token_ids": [], "prompt_logprobs": null, "max_tokens": -1, "n_predict": -1,
        "repeat_penalty": 1.0, "repeat_last_n": 64, "typical_p": 1.0, "mirostat": 0, "mirostat_tau": 5.0, "mirostat_eta": 0.1,
        "dynatemp_range": 0.0, "dynatemp_exponent": 1.0, "xtc_probability": 0.0, "xtc_threshold": 0.1, "dry_multiplier": 0.0,
        "dry_base": 1.75, "dry_allowed_length": 2, "dry_penalty_last_n": -1, "dry_sequence_breakers": ["\n", ":"], "grammar": "",
        "n_keep": 0, "n_probs": 0, "min_keep": 0, "cache_prompt": true, "id_slot": -1, "samplers": [], "top_n_sigma": -1.0, "lora": []})");
    for (const auto& [name, value] : defaults.items()) EXPECT_EQ(refused(name, value), "") << name;
    const json samplers = {"penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"};
    EXPECT_EQ(refused("samplers", samplers), "") << "llama.cpp's default, written out";
    EXPECT_EQ(refused("samplers", {"temperature", "top_k"}), "samplers") << "another order";
    json all = with("user", "somebody");
    all.update(defaults);
    EXPECT_NO_THROW(parse_chat_request(all));
}

TEST(UnservedFields, WhatChangesNoAnswerAndWhatNobodyKnowsIsIgnoredWhateverItHolds) {
    for (const RequestField& field : request_fields()) {
        if (field.use != FieldUse::kNoEffect) continue;
        for (const json& value : {json("x"), json(12345), json::array({1}), json{{"x", 1}}, json(true), json(nullptr)})
            EXPECT_EQ(refused(field.name, value), "") << field.name;
    }
    for (const char* name : {"", "x", "Tools", "tools ", "guided", "a_field_of_tomorrow"}) EXPECT_EQ(refused(name, {{"deep", true}}), "");
}

TEST(UnservedFields, StandInTheTableOnce) {
    std::set<std::string> names;
    for (const RequestField& field : request_fields()) EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_GT(names.size(), 100u);
}

TEST(UnservedFields, ServedOnesAreReadAndAnAbsurdValueIsRefused) {
    for (const RequestField& field : request_fields()) {
        if (field.use != FieldUse::kServed) continue;
        EXPECT_TRUE(refused(field.name, -77777).starts_with(field.name) || field.name == std::string("seed")) << field.name;
    }
}

}  // namespace
}  // namespace hearth
