#include "perf/speculate/measure.h"

namespace hearth::perf {

DraftRun run_way(const std::shared_ptr<const Model>& model, const DraftWay& way, const std::vector<Request>& requests) {
    ModelEngine engine(model, way.options, way.drafter);
    DraftRun out;
    for (const Request& request : requests) {
        const auto stream = submit_or_throw(engine, request);
        std::vector<int32_t>& text = out.texts.emplace_back(request.prompt);
        for (auto event = stream->next(); !event->finish; event = stream->next()) text.push_back(event->token.id);
        const RequestStats stats = stream->stats();
        out.seconds += stats.decode_ms / 1000;
        out.tokens += stats.generated_tokens - 1;
        out.drafted += stats.drafted_tokens;
        out.kept += stats.kept_tokens;
    }
    return out;
}

}  // namespace hearth::perf
