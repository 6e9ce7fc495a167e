#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "kernels/composite/composite.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/detect.h"
#include "kernels/cpu/variants.h"
#include "kernels/host/host_backend.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

#define HEARTH_NAME(name) cpu::name,

/// The variants of all levels in order of preference (variants.h), then the reference; each says by itself from which level on it runs.
struct CpuTables {
    explicit CpuTables(bool slow_bf16_dot) {
        if (slow_bf16_dot) prefer(matmul, "matmul/fma_avx512", "matmul/bf16_avx512");
        tables = {.embed = embed,
                  .qkv = qkv,
                  .attention = attention,
                  .project = project,
                  .gate_up = gate_up,
                  .experts = experts,
                  .head = head,
                  .matmul = matmul,
                  .norm = norm,
                  .rope_append = rope_append,
                  .sample = sample};
    }

    /// Moves the variant `first` to the place before `second`, behind which it stands.
    template <class Args>
    static void prefer(std::vector<Variant<Args>>& table, std::string_view first, std::string_view second) {
        const auto named = [&](std::string_view name) { return std::ranges::find(table, name, &Variant<Args>::name); };
        const auto from = named(first), to = named(second);
        HEARTH_CHECK(from != table.end() && to < from);
        std::rotate(to, from, from + 1);
    }

    std::vector<Variant<EmbedArgs>> embed{HEARTH_CPU_EMBED(HEARTH_NAME) kEmbedReference};
    std::vector<Variant<QkvArgs>> qkv{kQkvComposite, kQkvReference};
    std::vector<Variant<AttentionArgs>> attention{HEARTH_CPU_ATTENTION(HEARTH_NAME) kAttentionReference};
    std::vector<Variant<ProjectArgs>> project{kProjectComposite, kProjectReference};
    std::vector<Variant<GateUpArgs>> gate_up{kGateUpComposite, kGateUpReference};
    std::vector<Variant<ExpertsArgs>> experts{kExpertsComposite, kExpertsReference};
    std::vector<Variant<HeadArgs>> head{kHeadComposite, kHeadReference};
    std::vector<Variant<MatmulArgs>> matmul{HEARTH_CPU_MATMUL(HEARTH_NAME) kMatmulReference};
    std::vector<Variant<NormArgs>> norm{HEARTH_CPU_NORM(HEARTH_NAME) kNormReference};
    std::vector<Variant<RopeAppendArgs>> rope_append{HEARTH_CPU_ROPE_APPEND(HEARTH_NAME) kRopeAppendReference};
    std::vector<Variant<SampleArgs>> sample{HEARTH_CPU_SAMPLE(HEARTH_NAME) kSampleReference};
    Tables tables;  // of the vectors above
};

#undef HEARTH_NAME

constexpr CpuLevel kLevels[] = {CpuLevel::kPortable, CpuLevel::kAvx2, CpuLevel::kAvx512, CpuLevel::kAmx};

/// The level after the colon of "cpu:avx2"; that of the machine for "cpu".
CpuLevel level_of(const std::string& device, CpuLevel machine) {
    const size_t colon = device.find(':');
    if (colon == std::string::npos) return machine;
    const std::string wanted = device.substr(colon + 1);
    std::vector<std::string> names;
    for (const CpuLevel level : kLevels) {
        names.emplace_back(name_of(level));
        if (name_of(level) != wanted) continue;
        if (level > machine) {
            throw Error(ErrorKind::kUnsupported,
                        cat("device '", printable(device), "': this machine has no ", wanted, ", but ", name_of(machine)));
        }
        return level;
    }
    throw Error(ErrorKind::kBadInput,
                cat("device '", printable(device), "': no level '", printable(wanted), "'; there are ", join(names, ", ")));
}

class CpuBackend final : public HostBackend {
public:
    CpuBackend(const BackendOptions& options, const CpuInfo& cpu) : tables_(cpu.slow_bf16_dot) {
        if (options.threads < 0 || options.threads > kMaxThreads) {
            throw Error(ErrorKind::kBadInput, cat("threads: ", options.threads, " is not between 0 (one for each core) and ", kMaxThreads));
        }
        device_.name = cpu.name;
        device_.level = level_of(options.device, cpu.level);
        device_.threads = options.threads > 0 ? options.threads : cpu.physical_cores;
        device_.memory_bytes = cpu.memory_bytes;
        device_.l2_bytes = cpu.l2_bytes;
        device_.last_cache_bytes = cpu.last_cache_bytes;
        device_.fixed_order = options.fixed_order;
        device_.tables = &tables_.tables;
        unforced_ = device_;
        if (!options.forced.empty()) device_.forced = parse_forced(options.forced, tables_.tables);
        if (!device_.forced.empty()) device_.unforced = &unforced_;
    }

    std::string_view name() const override { return "cpu"; }
    const Device& device() const override { return device_; }

    /// All streams share one set of threads, which is made with the first of them.
    std::unique_ptr<Stream> make_stream() const override {
        const std::lock_guard lock(mutex_);
        if (!threads_) threads_ = std::make_shared<SharedThreads>(device_.threads);
        return std::make_unique<CpuStream>(device_, threads_);
    }

private:
    mutable std::mutex mutex_;
    mutable std::shared_ptr<SharedThreads> threads_;
    CpuTables tables_;
    Device device_, unforced_;
};

}  // namespace

std::shared_ptr<const Backend> make_cpu_backend(const BackendOptions& options) {
    return std::make_shared<CpuBackend>(options, detect_cpu());
}

}  // namespace hearth
