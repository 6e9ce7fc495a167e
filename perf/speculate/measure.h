// Answers with and without drafts, in turns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/model_engine.h"

namespace hearth::perf {

/// A way to draft, by the name that the table shows.
struct DraftWay {
    std::string name;  // "none", "text", "model", "scripted 50 %"
    EngineOptions options;
    MakeDrafter drafter;
};

/// What one way did with all prompts, one after the other on one engine.
struct DraftRun {
    double seconds = 0;  // of decoding: from first tokens to last ones
    int64_t tokens = 0, drafted = 0, kept = 0;
    std::vector<std::vector<int32_t>> texts;  // prompts and answers
};

DraftRun run_way(const std::shared_ptr<const Model>& model, const DraftWay& way, const std::vector<Request>& requests);

}  // namespace hearth::perf
