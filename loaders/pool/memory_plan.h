// What a model will take of a device's memory, and the context that it gets there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kernels/backend.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/pool/load_settings.h"
#include "runtime/engine/engine.h"

namespace hearth {

/// Bytes of one model that is ready to answer. While it is loaded, the largest of its matrices comes on top for a moment.
struct MemoryPlan {
    int64_t weights = 0;        // of the model
    int64_t draft_weights = 0;  // of its draft model
    int64_t cache = 0;          // KV cache and activations, of both
    int64_t context = 0;        // tokens
    int64_t total() const { return weights + draft_weights + cache; }
};

/// What may be taken of the device's memory: some of it belongs to the files' cache, to the page and to everybody else. 0: not known.
int64_t usable_bytes(const Backend& backend);

/// The engine that `settings` ask for, with a context of so many tokens.
EngineOptions engine_options(const LoadSettings& settings, int64_t context);

/// `draft`: of the draft model, or null. The context is what is asked for, else the model's own, cut to what fits into `usable` bytes (0:
/// no limit) and to the draft's; `notice` is told of a cut. Throws Error{kBadInput} for a context beyond what the model was made for,
/// Error{kNoResources} with the numbers where it does not fit.
MemoryPlan plan_memory(const CheckpointInfo& info, const CheckpointInfo* draft, const LoadSettings& settings, const Backend& backend,
                       int64_t usable, const std::function<void(const std::string&)>& notice);

}  // namespace hearth
