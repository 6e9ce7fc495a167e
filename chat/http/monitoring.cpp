// What who watches the server asks: does it live, can it answer, how much does it do.
#include <nlohmann/json.hpp>

#include "chat/api/json_body.h"
#include "chat/api/metrics.h"
#include "chat/http/readiness.h"
#include "chat/http/routes.h"

namespace hearth {
HttpResponse get_health(Services& services, const HttpRequest&) {
    const EngineStats stats = services.pool.engine_stats();
    return json_response(200, json_text({{"status", "ok"},
                                         {"running", stats.running},
                                         {"waiting", stats.waiting},
                                         {"steps", stats.steps},
                                         {"tokens", stats.tokens},
                                         {"cancelled", stats.cancelled}}));
}

HttpResponse get_ready(Services& services, const HttpRequest&) {
    if (services.shutdown.cancelled()) return error_response(503, "the server is stopping", "not_ready");
    const std::string problem = services.readiness.problem();
    if (!problem.empty()) return error_response(503, problem, "not_ready");
    return json_response(200, json_text({{"status", "ready"}}));
}

HttpResponse get_metrics(Services& services, const HttpRequest&) {
    HttpResponse out = json_response(200, metrics_text(services.pool.engine_stats(), services.pool.load_counts()));
    for (auto& [name, value] : out.headers) {
        if (name == "Content-Type") value = "text/plain; version=0.0.4; charset=utf-8";
    }
    return out;
}

}  // namespace hearth
