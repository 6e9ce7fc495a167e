#include "perf/serve/client/request_body.h"

#include <nlohmann/json.hpp>

namespace hearth::perf {

std::string request_path(Api api) { return api == Api::kChat ? "/v1/chat/completions" : "/v1/completions"; }

std::string request_body(const LoadOptions& options, const std::vector<Message>& messages, int64_t answer_tokens) {
    nlohmann::ordered_json out;
    if (!options.model.empty()) out["model"] = options.model;
    if (options.api == Api::kChat) {
        out["messages"] = nlohmann::ordered_json::array();
        for (const Message& message : messages) out["messages"].push_back({{"role", message.role}, {"content", message.text}});
    } else {
        std::string prompt;
        for (const Message& message : messages) prompt += (prompt.empty() || message.role == "assistant" ? "" : "\n") + message.text;
        out["prompt"] = prompt;
    }
    out["stream"] = true;
    if (options.ask_usage) out["stream_options"] = {{"include_usage", true}};
    out["max_tokens"] = answer_tokens;
    if (options.temperature) out["temperature"] = *options.temperature;
    if (options.sampling_seed) out["seed"] = *options.sampling_seed;
    if (options.ignore_eos) out["ignore_eos"] = true;
    return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hearth::perf
