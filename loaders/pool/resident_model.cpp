#include "loaders/pool/resident_model.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "runtime/engine/model_engine.h"

namespace hearth {
namespace {

void say(const OpenPlace& place, const std::string& line) {
    if (place.notice) place.notice(line);
}

/// All that was read and decided before the weights are read.
struct Prepared {
    std::shared_ptr<ResidentModel> out = std::make_shared<ResidentModel>();
    LoadSettings settings;
    OpenPlace place;
    MemoryPlan memory;
};

std::shared_ptr<ResidentModel> open(Prepared& prepared, const Progress& progress) {
    const auto out = std::move(prepared.out);
    LoadOptions load;
    load.max_context = prepared.memory.context;
    load.quantize = prepared.settings.quantize;
    load.progress = progress;
    out->model = load_model(out->info, prepared.place.backend, load);
    out->info.checkpoint.reset();
    EngineOptions engine = engine_options(prepared.settings, prepared.memory.context);
    engine.profile = prepared.place.profile;
    out->engine = std::make_unique<ModelEngine>(out->model, engine);
    return out;
}

}  // namespace

PlannedModel plan_model(const ModelEntry& entry, const LoadSettings& settings, const OpenPlace& place) {
    return plan_model(entry, inspect_checkpoint(entry.folder), settings, place);
}

PlannedModel plan_model(const ModelEntry& entry, CheckpointInfo info, const LoadSettings& settings, const OpenPlace& place) {
    const auto prepared = std::make_shared<Prepared>();
    prepared->settings = settings;
    prepared->place = place;
    ResidentModel& out = *prepared->out;
    out.entry = entry;
    out.info = std::move(info);
    for (const std::string& notice : out.info.notices) say(place, notice);
    std::vector<std::string> left_aside;
    out.tokenizer = open_tokenizer(entry.folder, &left_aside);
    for (const std::string& notice : left_aside) say(place, notice);
    const int64_t usable = place.memory_bytes > 0 ? place.memory_bytes : usable_bytes(*place.backend);
    prepared->memory = plan_memory(out.info, nullptr, settings, *place.backend, usable, place.notice);
    const MemoryPlan& memory = prepared->memory;
    say(place, cat(entry.name, " takes ", human_bytes(memory.weights), " of memory for weights and ", human_bytes(memory.cache),
                   " for a context of ", memory.context, " tokens"));
    if (out.tokenizer->vocab_size() > out.info.config.vocab) {
        say(place, cat("the tokenizer has ", out.tokenizer->vocab_size(), " tokens, the model only ", out.info.config.vocab,
                       ": text that needs the others is refused"));
    }
    return {memory.total(), [prepared](const Progress& progress) { return open(*prepared, progress); }};
}

}  // namespace hearth
