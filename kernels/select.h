// Which implementation of a stage or primitive runs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/device.h"
#include "kernels/stream.h"

namespace hearth {

/// One way to compute a stage or primitive. The variants of a table stand in order of preference.
template <class Args>
struct Variant {
    std::string_view name;  // "matmul/bf16_avx512": its stage or primitive, then what it is
    /// Whether dtypes, shapes, alignment and instruction set suit; of a variant made of primitives also whether each of them has one.
    bool (*supports)(const Args&, const Device&);
    size_t (*workspace_bytes)(const Args&, const Device&);  // scratch taken from the stream's arena while it runs
    void (*run)(const Args&, Stream&) noexcept;             // never allocates, never waits for another stage
};

/// True when `name` may run: nothing of its stage or primitive ("matmul" of "matmul/bf16_avx512") is forced, or it is.
bool allowed(std::string_view name, const std::vector<std::string>& forced);

/// True for "matmul/reference".
bool is_reference(std::string_view name);

/// True when `forced` has `name` itself.
bool forced_by_name(std::string_view name, const std::vector<std::string>& forced);

/// Throws Error: no variant of the table `stage` supports some arguments, or none that HEARTH_FORCE leaves (`forced`).
[[noreturn]] void no_variant(std::string_view stage, const std::vector<std::string>& forced);

/// True when a faster variant than the reference would run if nothing were forced: a forced primitive has taken it from one made of
/// primitives, as matmul/q_avx2 takes qkv/composite from bf16 weights.
template <class Args>
bool forced_onto_reference(std::span<const Variant<Args>> table, const Args& args, const Device& device) {
    if (device.unforced == nullptr) return false;
    for (const auto& variant : table) {
        if (!is_reference(variant.name) && variant.supports(args, *device.unforced)) return true;
    }
    return false;
}

/// The first variant that supports `args` on `device`, or null. With forced variants of this table, the first among those. A forced choice
/// never falls back in silence: the reference does not stand in for a variant that forcing took away, unless it is forced by name.
template <class Args>
const Variant<Args>* find_variant(std::span<const Variant<Args>> table, const Args& args, const Device& device) {
    for (const auto& variant : table) {
        if (!allowed(variant.name, device.forced) || !variant.supports(args, device)) continue;
        if (device.forced.empty() || !is_reference(variant.name) || forced_by_name(variant.name, device.forced)) return &variant;
        return forced_onto_reference(table, args, device) ? nullptr : &variant;
    }
    return nullptr;
}

/// find_variant, or Error{kUnsupported}.
template <class Args>
const Variant<Args>& select(std::span<const Variant<Args>> table, const Args& args, const Device& device) {
    if (const auto* found = find_variant(table, args, device)) return *found;
    no_variant(table.empty() ? "?" : table.front().name.substr(0, table.front().name.find('/')), device.forced);
}

/// Scratch that running `args` takes; 0 where no variant supports them.
template <class Args>
size_t workspace_of(std::span<const Variant<Args>> table, const Args& args, const Device& device) {
    const auto* found = find_variant(table, args, device);
    return found ? found->workspace_bytes(args, device) : 0;
}

/// Selects and runs. Inside a variant made of primitives, whose supports() saw to it that each of those has one.
template <class Args>
void run_variant(std::span<const Variant<Args>> table, const Args& args, Stream& stream) {
    select(table, args, stream.device()).run(args, stream);
}

}  // namespace hearth
