// A model in memory: weights, engine and tokenizer together; and how it gets there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/progress.h"
#include "loaders/load_model.h"
#include "loaders/model_directory.h"
#include "loaders/pool/load_settings.h"
#include "loaders/pool/memory_plan.h"
#include "loaders/tokenizer/tokenizer.h"
#include "runtime/engine/engine.h"

namespace hearth {

/// Everything that one model in memory consists of. What others use of it is thread-safe.
struct ResidentModel {
    ModelEntry entry;
    CheckpointInfo info;  // its checkpoint is null: nothing more is read
    std::shared_ptr<const Tokenizer> tokenizer;
    std::shared_ptr<const Model> model;  // null where a script answers in its place (tests); the engine has its draft
    std::unique_ptr<Engine> engine;      // last: its thread uses the model
};

/// Where models are opened; the same for all that share a device.
struct OpenPlace {
    std::shared_ptr<const Backend> backend;
    int64_t memory_bytes = 0;  // that one model may take; 0: usable_bytes of the device
    bool profile = false;      // the engine is to say where its time went

    /// Where copies of what was quantised are kept (kept_quantized.h); empty: nothing is written, and models are quantised in memory.
    std::filesystem::path keep_quantized_in = {};

    /// One line for people: "context cut to ...", "eos_token_id is ...; left aside". May be empty.
    std::function<void(const std::string&)> notice;
};

/// What opening a model will take, and the means to do it.
struct PlannedModel {
    int64_t bytes = 0;                                                    // that the model takes once it is open
    std::function<std::shared_ptr<ResidentModel>(const Progress&)> open;  // once; throws Error, and whatever the progress throws
};

/// Reads the small files of a folder, and of its draft's: what is wrong with them is said before gigabytes are read. Throws Error, also for
/// a draft model whose vocabulary is another one.
PlannedModel plan_model(const ModelEntry& entry, const LoadSettings& settings, const OpenPlace& place);

}  // namespace hearth
