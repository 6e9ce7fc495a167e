// How a model is to stand in memory.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/dtype.h"
#include "loaders/quantize/options.h"

namespace hearth {

/// Everything that decides about a model's bytes in memory and about what its engine can do. One folder with equal settings is one model in
/// memory, by however many names it is asked for.
struct LoadSettings {
    int64_t context = 0;               // tokens; 0: the model's own, cut to what memory allows
    bool context_at_most = false;      // a model whose own context is shorter gets that one; else it is an error
    DType cache_dtype = DType::kBf16;  // of the KV cache: kBf16, kI8 or kF32
    QuantizeOptions quantize = {};     // what plain weights become while they are loaded
    std::string draft = {};            // a smaller model of the same vocabulary: a folder or a name of the model directory; "": none
    int64_t max_sequences = 0;         // answers at once; 0: as many as the engine runs by itself
    bool operator==(const LoadSettings&) const = default;
};

/// The settings as one line, equal for equal settings: part of what names a model in memory. context_at_most is not in it: where a model
/// can be loaded with both, it is the same model.
std::string settings_key(const LoadSettings& settings);

}  // namespace hearth
