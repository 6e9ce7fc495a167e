// What models there are, and which are in memory: for OpenAI's clients and for the page.
#include <chrono>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/api_error.h"
#include "chat/api/fields.h"
#include "chat/api/json_body.h"
#include "chat/http/routes.h"

namespace hearth {
namespace {

using nlohmann::json;

const char* name_of(ModelState state) {
    switch (state) {
        case ModelState::kIdle: return "idle";
        case ModelState::kLoading: return "loading";
        case ModelState::kReady: return "ready";
        case ModelState::kFailed: return "failed";
    }
    return "?";
}

/// When the model's files were made (the built-in one's: the program), in seconds since 1970: the same at every call.
int64_t created(const ModelEntry& entry) {
    std::error_code failed;
    const auto time =
        std::filesystem::last_write_time(entry.builtin ? std::filesystem::path("/proc/self/exe") : entry.folder / "config.json", failed);
    if (failed) return 0;
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

json openai_model(const ModelStatus& status) {
    json out{{"id", status.name},
             {"object", "model"},
             {"created", created(status.entry)},
             {"owned_by", "hearth"},
             {"state", name_of(status.state)}};
    if (status.context > 0) out["max_model_len"] = status.context;
    return out;
}

json page_model(const ModelStatus& status) {
    json out{{"name", status.name},
             {"bytes", status.entry.file_bytes},
             {"builtin", status.entry.builtin},
             {"chosen", status.chosen},
             {"state", name_of(status.state)}};
    if (status.state == ModelState::kReady) {
        out["context"] = status.context;
        out["parameters"] = status.parameters;
        out["quantization"] = status.quantization;
    }
    if (status.state == ModelState::kFailed) out["error"] = status.error;
    if (status.state == ModelState::kLoading) {
        const ProgressUpdate& progress = status.progress;
        out["progress"] = {{"what", progress.what}, {"done", progress.done}, {"total", progress.total}, {"unit", progress.unit}};
    }
    return out;
}

}  // namespace

HttpResponse get_openai_models(Services& services, const HttpRequest&) {
    json data = json::array();
    for (const ModelStatus& status : services.pool.list()) {
        if (!status.hidden) data.push_back(openai_model(status));
    }
    return json_response(200, json_text({{"object", "list"}, {"data", std::move(data)}}));
}

HttpResponse get_openai_model(Services& services, const HttpRequest& request) {
    std::string_view rest = std::string_view(request.path).substr(std::string_view("/v1/models/").size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const std::string name(rest);
    for (const ModelStatus& status : services.pool.list()) {
        if (status.name == name) return json_response(200, json_text(openai_model(status)));
    }
    throw ApiError(404, cat("there is no model \"", printable(name), '"'), "model", "model_not_found");
}

HttpResponse get_models(Services& services, const HttpRequest&) {
    json models = json::array();
    for (const ModelStatus& status : services.pool.list()) {
        if (!status.hidden) models.push_back(page_model(status));
    }
    return json_response(200, json_text({{"models", std::move(models)}}));
}

HttpResponse post_load(Services& services, const HttpRequest& request) {
    const json body = parse_json_body(request.body);
    const auto name = Fields(body).text("model", 1024);
    if (!name) throw ApiError(400, "model is missing", "model", "missing");
    try {
        services.pool.choose(*name);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::kNotFound) throw ApiError(404, e.what(), "model", "model_not_found");
        throw;
    }
    return json_response(202, R"({"status":"accepted"})");
}

}  // namespace hearth
