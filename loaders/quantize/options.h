// What a user says about quantising a plain checkpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/weights/quant.h"

namespace hearth {

/// An exception: matrices whose names have `name` as a part get `kind`, or with none stay as they are stored.
struct KeepRule {
    std::string name;  // "lm_head", "embed", "down_proj", "layers.3", "router"
    std::optional<QuantKind> kind;
    bool operator==(const KeepRule&) const = default;
};

/// What is to be done with plain matrices when they are loaded. Matrices that are quantised already stay what they are.
struct QuantizeOptions {
    std::optional<QuantKind> kind = std::nullopt;  // kQ8 or kQ4; none: nothing is quantised
    std::vector<KeepRule> keep = {};               // the last one that fits decides
    bool operator==(const QuantizeOptions&) const = default;
};

/// "q8" or "q4"; `option` is named in the Error{kBadInput}.
QuantKind parse_quant_kind(std::string_view text, std::string_view option);

/// "lm_head=q8,layers.0=float": NAME=q4, NAME=q8 or NAME=float (as stored), with commas between. Throws Error{kBadInput}.
std::vector<KeepRule> parse_keep(std::string_view list, std::string_view option);

std::string_view name_of(QuantKind kind);

}  // namespace hearth
