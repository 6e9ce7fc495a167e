#include "chat/api/unserved_fields.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/api_error.h"
#include "chat/api/fields.h"

namespace hearth {
namespace {

using nlohmann::json;
using enum FieldUse;

constexpr RequestField kFields[] = {
    // served
    {"model", kServed},
    {"messages", kServed},
    {"temperature", kServed},
    {"top_p", kServed},
    {"top_k", kServed},
    {"min_p", kServed},
    {"repetition_penalty", kServed},
    {"frequency_penalty", kServed},
    {"presence_penalty", kServed},
    {"seed", kServed},
    {"max_tokens", kServed},
    {"max_completion_tokens", kServed},
    {"stop", kServed},
    {"ignore_eos", kServed},
    {"stream", kServed},
    {"stream_options", kServed},

    // OpenAI's API
    {"user", kNoEffect},
    {"store", kNoEffect},
    {"metadata", kNoEffect},
    {"service_tier", kNoEffect},
    {"safety_identifier", kNoEffect},
    {"prompt_cache_key", kNoEffect},
    {"prompt_cache_retention", kNoEffect},
    {"prediction", kNoEffect},           // makes the same answer come sooner
    {"parallel_tool_calls", kNoEffect},  // without tools
    {"n", kNotServed, "1"},
    {"best_of", kNotServed, "1"},
    {"echo", kNotServed},
    {"suffix", kNotServed},
    {"logprobs", kNotServed},
    {"top_logprobs", kNotServed, "0"},
    {"logit_bias", kNotServed},
    {"tools", kNotServed},
    {"tool_choice", kNotServed, R"("none", "auto")"},
    {"functions", kNotServed},
    {"function_call", kNotServed, R"("none", "auto")"},
    {"response_format", kNotServed, R"({"type": "text"})"},
    {"modalities", kNotServed, R"(["text"])"},
    {"audio", kNotServed},
    {"web_search_options", kNotServed},
    {"reasoning_effort", kNotServed, R"("medium")"},
    {"verbosity", kNotServed, R"("medium")"},

    // vLLM's
    {"priority", kNoEffect},
    {"request_id", kNoEffect},
    {"cache_salt", kNoEffect},
    {"kv_transfer_params", kNoEffect},
    {"length_penalty", kNoEffect},  // of beams, as the next
    {"early_stopping", kNoEffect},
    {"guided_decoding_backend", kNoEffect},  // how a constraint is kept, as the next; the constraints themselves stand below
    {"guided_whitespace_pattern", kNoEffect},
    {"return_tokens_as_token_ids", kNoEffect},  // in logprobs
    {"use_beam_search", kNotServed},
    {"stop_token_ids", kNotServed},
    {"include_stop_str_in_output", kNotServed},
    {"min_tokens", kNotServed, "0"},
    {"bad_words", kNotServed},
    {"allowed_token_ids", kNotServed},
    {"logits_processors", kNotServed},
    {"prompt_logprobs", kNotServed, "0"},
    {"return_token_ids", kNotServed},
    {"truncate_prompt_tokens", kNotServed, "-1"},
    {"skip_special_tokens", kNotServed, "true"},
    {"spaces_between_special_tokens", kNotServed, "true"},
    {"add_generation_prompt", kNotServed, "true"},
    {"continue_final_message", kNotServed},
    {"add_special_tokens", kNotServed},
    {"chat_template", kNotServed},
    {"chat_template_kwargs", kNotServed},
    {"documents", kNotServed},
    {"mm_processor_kwargs", kNotServed},
    {"structured_outputs", kNotServed},
    {"guided_json", kNotServed},
    {"guided_regex", kNotServed},
    {"guided_choice", kNotServed},
    {"guided_grammar", kNotServed},
    {"guided_json_object", kNotServed},
    {"structural_tag", kNotServed},
    {"include_reasoning", kNotServed, "true"},
    {"thinking_token_budget", kNotServed},
    {"vllm_xargs", kNotServed},

    // llama.cpp's
    {"cache_prompt", kNoEffect},
    {"n_cache_reuse", kNoEffect},
    {"id_slot", kNoEffect},
    {"timings_per_token", kNoEffect},
    {"return_progress", kNoEffect},
    {"verbose", kNoEffect},
    {"min_keep", kNoEffect},  // one is always kept; more, only where a filter leaves fewer: see samplers
    {"parse_tool_calls", kNoEffect},
    {"backend_sampling", kNoEffect},
    {"speculative.n_max", kNoEffect},
    {"speculative.n_min", kNoEffect},
    {"speculative.p_min", kNoEffect},
    {"dry_base", kNoEffect},  // these mean something only beside the switch of their sampler, which is refused
    {"dry_allowed_length", kNoEffect},
    {"dry_penalty_last_n", kNoEffect},
    {"dry_sequence_breakers", kNoEffect},
    {"xtc_threshold", kNoEffect},
    {"mirostat_tau", kNoEffect},
    {"mirostat_eta", kNoEffect},
    {"dynatemp_exponent", kNoEffect},
    {"adaptive_decay", kNoEffect},
    {"n_predict", kNotServed, "-1", "max_tokens"},
    {"repeat_penalty", kNotServed, "1", "repetition_penalty"},
    {"repeat_last_n", kNotServed, "64, -1, 0"},  // the default, everything as here, and off
    {"penalize_nl", kNotServed},
    {"grammar", kNotServed},
    {"grammar_lazy", kNotServed},
    {"grammar_triggers", kNotServed},
    {"json_schema", kNotServed},
    {"samplers", kNotServed,
     R"(["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"])"},  // llama.cpp's default
    {"typical_p", kNotServed, "1"},
    {"tfs_z", kNotServed, "1"},
    {"top_n_sigma", kNotServed, "-1, 0"},
    {"mirostat", kNotServed, "0"},
    {"dynatemp_range", kNotServed, "0"},
    {"xtc_probability", kNotServed, "0"},
    {"dry_multiplier", kNotServed, "0"},
    {"adaptive_target", kNotServed, "-1"},
    {"n_probs", kNotServed, "0"},
    {"post_sampling_probs", kNotServed},
    {"return_tokens", kNotServed},
    {"response_fields", kNotServed},
    {"n_keep", kNotServed, "0, -1"},
    {"n_discard", kNotServed, "0"},
    {"n_indent", kNotServed, "0"},
    {"t_max_predict_ms", kNotServed, "0, -1"},
    {"image_data", kNotServed},
    {"lora", kNotServed},
    {"reasoning_format", kNotServed, R"("none", "auto")"},  // thoughts stay in the text
    {"reasoning_in_content", kNotServed},
    {"thinking_forced_open", kNotServed},
    {"thinking_budget_tokens", kNotServed, "-1"},
};

/// Numbers by their value: the parser's own comparison takes 2^64 - 1 for -1.
bool is_same(const json& a, const json& b) { return a.is_number() && b.is_number() ? a.get<double>() == b.get<double>() : a == b; }

bool is_neutral(const RequestField& field, const json& value) {
    if (value.is_null() || ((value.is_array() || value.is_object()) && value.empty()) || value == "") return true;
    const json neutral = json::parse(cat('[', field.neutral, ']'));
    const auto has = [&](const json& wanted) {
        return std::any_of(neutral.begin(), neutral.end(), [&](const json& each) { return is_same(each, wanted); });
    };
    return value == false ? !has(true) : has(value);
}

[[noreturn]] void refuse(const RequestField& field, const json& value) {
    std::string message = cat(field.name, ": ", describe(value), " is not supported");
    if (*field.neutral) message += cat("; expected nothing or ", field.neutral);
    if (*field.instead) message += cat("; ", field.instead, " says it here");
    throw ApiError(400, message, field.name, "unsupported");
}

}  // namespace

std::span<const RequestField> request_fields() { return kFields; }

void refuse_unserved_fields(const json& request) {
    for (const RequestField& field : kFields) {
        if (field.use != kNotServed) continue;
        const auto found = request.find(field.name);
        if (found != request.end() && !is_neutral(field, *found)) refuse(field, *found);
    }
}

}  // namespace hearth
