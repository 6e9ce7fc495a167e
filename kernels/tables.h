// Every variant that a device has: one table for each stage and each primitive.
#pragma once

#include <span>
#include <string_view>

#include "kernels/ops.h"
#include "kernels/select.h"

namespace hearth {

/// All variants of a device, by stage and primitive, in order of preference.
struct Tables {
    // stages
    std::span<const Variant<EmbedArgs>> embed;
    std::span<const Variant<QkvArgs>> qkv;
    std::span<const Variant<AttentionArgs>> attention;  // also a primitive
    std::span<const Variant<ProjectArgs>> project;
    std::span<const Variant<GateUpArgs>> gate_up;
    std::span<const Variant<ExpertsArgs>> experts;
    std::span<const Variant<HeadArgs>> head;
    // primitives
    std::span<const Variant<MatmulArgs>> matmul;
    std::span<const Variant<NormArgs>> norm;
    std::span<const Variant<RopeAppendArgs>> rope_append;
    std::span<const Variant<SampleArgs>> sample;
};

/// Calls f(name of the table, table) for each table of `tables`.
template <class F>
void for_each_table(const Tables& tables, F&& f) {
    f(std::string_view("embed"), tables.embed);
    f(std::string_view("qkv"), tables.qkv);
    f(std::string_view("attention"), tables.attention);
    f(std::string_view("project"), tables.project);
    f(std::string_view("gate_up"), tables.gate_up);
    f(std::string_view("experts"), tables.experts);
    f(std::string_view("head"), tables.head);
    f(std::string_view("matmul"), tables.matmul);
    f(std::string_view("norm"), tables.norm);
    f(std::string_view("rope_append"), tables.rope_append);
    f(std::string_view("sample"), tables.sample);
}

}  // namespace hearth
