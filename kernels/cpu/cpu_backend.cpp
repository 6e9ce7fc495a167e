#include "kernels/cpu/cpu_backend.h"

#include "base/error.h"
#include "base/text.h"
#include "kernels/composite/composite.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/detect.h"
#include "kernels/cpu/rows.h"
#include "kernels/host/host_backend.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

/// The rows of all levels in order of preference; each says by itself from which level on it runs.
struct Rows {
    explicit Rows(bool slow_bf16_dot) {
        if (slow_bf16_dot) std::swap(matmul[1], matmul[2]);
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

    std::vector<Variant<EmbedArgs>> embed{cpu::kEmbedAvx512, cpu::kEmbedAvx2, kEmbedReference};
    std::vector<Variant<QkvArgs>> qkv{kQkvComposite, kQkvReference};
    std::vector<Variant<AttentionArgs>> attention{cpu::kAttentionAmx, cpu::kAttentionAvx512, cpu::kAttentionAvx2, kAttentionReference};
    std::vector<Variant<ProjectArgs>> project{kProjectComposite, kProjectReference};
    std::vector<Variant<GateUpArgs>> gate_up{kGateUpComposite, kGateUpReference};
    std::vector<Variant<ExpertsArgs>> experts{kExpertsComposite, kExpertsReference};
    std::vector<Variant<HeadArgs>> head{kHeadComposite, kHeadReference};
    // oneDNN stands behind our own rows, so that it runs only where HEARTH_FORCE asks for it: it has taken a reference kernel of its own
    // for these weights (0.15 GFLOP/s), where it took a fast one ours was still 1.6 times faster.
    std::vector<Variant<MatmulArgs>> matmul{cpu::kMatmulBf16Amx, cpu::kMatmulBf16Avx512,  cpu::kMatmulFmaAvx512, cpu::kMatmulFmaAvx2,
                                            cpu::kMatmulQAmx,    cpu::kMatmulQAvx512,     cpu::kMatmulQAvx2,     cpu::kMatmulF8Avx512,
                                            cpu::kMatmulF8Avx2,  cpu::kMatmulSplitAvx512, cpu::kMatmulSplitAvx2, cpu::kMatmulBf16OneDnn,
                                            kMatmulReference};
    std::vector<Variant<NormArgs>> norm{cpu::kNormAvx512, cpu::kNormAvx2, kNormReference};
    std::vector<Variant<RopeAppendArgs>> rope_append{cpu::kRopeAppendAvx512, cpu::kRopeAppendAvx2, kRopeAppendReference};
    std::vector<Variant<SampleArgs>> sample{cpu::kSampleAvx512, cpu::kSampleAvx2, kSampleReference};
    Tables tables;  // of the vectors above
};

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
    CpuBackend(const BackendOptions& options, const CpuInfo& cpu) : rows_(cpu.slow_bf16_dot) {
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
        device_.tables = &rows_.tables;
        if (!options.forced.empty()) device_.forced = parse_forced(options.forced, rows_.tables);
    }

    std::string_view name() const override { return "cpu"; }
    const Device& device() const override { return device_; }
    std::unique_ptr<Stream> make_stream() const override { return std::make_unique<CpuStream>(device_); }

private:
    Rows rows_;
    Device device_;
};

}  // namespace

std::shared_ptr<const Backend> make_cpu_backend(const BackendOptions& options) {
    return std::make_shared<CpuBackend>(options, detect_cpu());
}

}  // namespace hearth
