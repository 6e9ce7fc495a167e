// The one seam to a device: memory, streams, tables of rows.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/ops.h"
#include "kernels/select.h"

namespace hearth {

/// Every row of a device, by stage and primitive, in order of preference.
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

/// Bytes on a device, freed with the last copy of the pointer. Zeroed, 64-byte aligned. Throws Error{kNoResources}.
using DeviceBytes = std::shared_ptr<std::byte>;

/// A device that can run models.
class Backend {
public:
    virtual ~Backend() = default;

    virtual std::string_view name() const = 0;  // "cpu", "reference", later "cuda"
    virtual const Device& device() const = 0;   // its `tables` are all rows
    virtual std::unique_ptr<Stream> make_stream() const = 0;
    virtual DeviceBytes allocate(int64_t bytes) const = 0;
    virtual void copy_to_device(void* to, const void* from, int64_t bytes) const = 0;
    virtual void copy_to_host(void* to, const void* from, int64_t bytes) const = 0;

    /// The layout that the rows of this device read for `parts` stacked in order; bytes set, data null.
    virtual Weight plan(std::span<const HostMatrix> parts, WeightUse use) const = 0;

    /// Fills `storage` (plan(...).bytes of this device) from `parts` with the stream's threads, and returns the weight over it.
    virtual Weight prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const = 0;

    const Tables& tables() const { return *device().tables; }
};

/// prepare() for devices whose memory is the host's: packs with the stream's threads.
Weight prepare_on_host(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream);

/// The rows named in a list like "matmul/fma_avx2,attention/reference". Throws Error{kBadInput} for a name that no table of `tables` has,
/// listing those that its stage has.
std::vector<std::string> parse_forced(std::string_view list, const Tables& tables);

constexpr int kMaxThreads = 1024;

/// How to make a backend; part of the command line (--device, --threads, --order) and of the environment (HEARTH_FORCE).
struct BackendOptions {
    std::string device = "cpu";  // "cpu", "cpu:avx2" (a lower level than the machine's), "reference"
    int threads = 0;             // 0: physical cores; at most kMaxThreads
    bool fixed_order = true;
    std::string forced = "";  // "matmul/fma_avx2,attention/reference"
};

/// Throws Error{kUnsupported or kBadInput} with what is there to choose from: an unknown device, level or row.
std::shared_ptr<const Backend> make_backend(const BackendOptions& options);

}  // namespace hearth
