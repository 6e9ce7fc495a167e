#include "loaders/pool/resident_model.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "loaders/pool/kept_quantized.h"
#include "loaders/pool/same_vocabulary.h"
#include "runtime/engine/model_engine.h"

namespace hearth {
namespace {

/// All that was read and decided before the weights are read.
struct Prepared {
    std::shared_ptr<ResidentModel> out = std::make_shared<ResidentModel>();
    LoadSettings settings;
    OpenPlace place;
    MemoryPlan memory;
    std::optional<CheckpointInfo> draft;
    std::optional<KeptCopy> copy;          // of what is to be quantised
    std::optional<CheckpointInfo> copied;  // of that copy, where it is there already

    void say(const std::string& line) const {
        if (place.notice) place.notice(line);
    }
};

/// What the copy on disk says of itself; nothing where it cannot be used.
std::optional<CheckpointInfo> inspect_copy(const Prepared& prepared) {
    std::error_code ignored;
    const auto& folder = prepared.copy->folder;
    if (!std::filesystem::is_directory(folder, ignored)) return std::nullopt;
    try {
        return inspect_checkpoint(folder);
    } catch (const Error& e) {
        prepared.say(cat("the kept copy ", folder.string(), " cannot be used and may be removed: ", e.what()));
        return std::nullopt;
    }
}

/// Makes the copy that is not there yet. Where that fails the model is quantised in memory.
void make_copy(Prepared& prepared, const Progress& progress) {
    std::error_code ignored;
    if (!prepared.copy || prepared.copied || std::filesystem::exists(prepared.copy->folder, ignored)) return;
    try {
        const auto stream = prepared.place.backend->make_stream();
        write_kept_copy(*prepared.copy, prepared.out->info, prepared.settings.quantize, *stream, progress);
        prepared.copied = inspect_checkpoint(prepared.copy->folder);
    } catch (const Error& e) {
        prepared.say(cat("what is quantised cannot be kept on disk, so that the next load will quantise again: ", e.what()));
    }
}

std::shared_ptr<const Model> load_draft(const Prepared& prepared, const Progress& progress) {
    if (!prepared.draft) return nullptr;
    LoadOptions load;
    load.max_context = prepared.memory.context;
    load.progress = progress;
    return load_model(*prepared.draft, prepared.place.backend, load);
}

std::shared_ptr<ResidentModel> open(Prepared& prepared, const Progress& progress) {
    make_copy(prepared, progress);
    const auto out = std::move(prepared.out);
    LoadOptions load;
    load.max_context = prepared.memory.context;
    if (!prepared.copied) load.quantize = prepared.settings.quantize;
    load.progress = progress;
    out->model = load_model(prepared.copied ? *prepared.copied : out->info, prepared.place.backend, load);
    if (prepared.copied) out->info.quantization = prepared.copied->quantization;
    const auto draft = load_draft(prepared, progress);
    out->info.checkpoint.reset();
    prepared.draft.reset();
    prepared.copied.reset();
    EngineOptions engine = engine_options(prepared.settings, prepared.memory.context);
    engine.profile = prepared.place.profile;
    out->engine = std::make_unique<ModelEngine>(out->model, engine, draft);
    return out;
}

/// Reads what a draft model's folder says, and whether it speaks of the same tokens.
void prepare_draft(Prepared& prepared) {
    const std::string& name = prepared.settings.draft;
    if (name.empty()) return;
    try {
        const ModelEntry entry = find_model(name);
        prepared.draft = inspect_checkpoint(entry.folder);
        if (const auto difference = vocabulary_difference(*prepared.out->tokenizer, *open_tokenizer(entry.folder)))
            throw Error(ErrorKind::kBadInput, cat("its tokenizer is another one: ", *difference));
        const int64_t vocab = prepared.out->info.config.vocab, other = prepared.draft->config.vocab;
        if (vocab != other) throw Error(ErrorKind::kBadInput, cat("expected ", vocab, " logits as the model has, found ", other));
    } catch (const Error& e) {
        throw Error(e.kind(), cat("the draft model \"", printable(name), "\" cannot draft for ", prepared.out->entry.name, ": ", e.what()));
    }
}

}  // namespace

PlannedModel plan_model(const ModelEntry& entry, const LoadSettings& settings, const OpenPlace& place) {
    const auto prepared = std::make_shared<Prepared>();
    prepared->settings = settings;
    prepared->place = place;
    ResidentModel& out = *prepared->out;
    out.entry = entry;
    out.info = inspect_checkpoint(entry.folder);
    for (const std::string& notice : out.info.notices) prepared->say(notice);
    std::vector<std::string> left_aside;
    out.tokenizer = open_tokenizer(entry.folder, &left_aside);
    for (const std::string& notice : left_aside) prepared->say(notice);
    prepare_draft(*prepared);
    if (settings.quantize.kind && !out.info.scheme && !entry.builtin && !place.keep_quantized_in.empty()) {
        prepared->copy = kept_copy(place.keep_quantized_in, entry, settings.quantize);
        prepared->copied = inspect_copy(*prepared);
    }
    const int64_t usable = place.memory_bytes > 0 ? place.memory_bytes : usable_bytes(*place.backend);
    const CheckpointInfo* draft = prepared->draft ? &*prepared->draft : nullptr;
    prepared->memory = plan_memory(out.info, draft, settings, *place.backend, usable, place.notice);
    const MemoryPlan& memory = prepared->memory;
    prepared->say(cat(entry.name, " takes ", human_bytes(memory.weights), " of memory for weights",
                      draft ? cat(", ", human_bytes(memory.draft_weights), " for those of its draft model") : "", " and ",
                      human_bytes(memory.cache), " for a context of ", memory.context, " tokens"));
    if (out.tokenizer->vocab_size() > out.info.config.vocab) {
        prepared->say(cat("the tokenizer has ", out.tokenizer->vocab_size(), " tokens, the model only ", out.info.config.vocab,
                          ": text that needs the others is refused"));
    }
    return {.bytes = memory.total(), .open = [prepared](const Progress& progress) { return open(*prepared, progress); }};
}

}  // namespace hearth
