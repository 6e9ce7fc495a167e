#include "base/error.h"
#include "kernels/host/host_arena.h"
#include "kernels/host/host_backend.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

class ReferenceStream final : public Stream {
public:
    using Stream::Stream;
    void* take(size_t bytes) noexcept override { return arena_.take(bytes); }
    size_t mark() const noexcept override { return arena_.mark(); }
    void release(size_t mark) noexcept override { arena_.release(mark); }
    void reserve(size_t bytes) override { arena_.reserve(bytes); }
    void parallel_for(int64_t count, const std::function<void(int64_t)>& task) override {
        for (int64_t i = 0; i < count; ++i) task(i);
    }
    void wait() override {}

private:
    HostArena arena_;
};

class ReferenceBackend final : public HostBackend {
public:
    explicit ReferenceBackend(const BackendOptions& options) {
        device_.name = "reference kernels, one thread";
        device_.tables = &reference_tables();
        if (!options.forced.empty()) device_.forced = parse_forced(options.forced, reference_tables());
    }
    std::string_view name() const override { return "reference"; }
    const Device& device() const override { return device_; }
    std::unique_ptr<Stream> make_stream() const override { return std::make_unique<ReferenceStream>(device_); }

private:
    Device device_;
};

}  // namespace

const Tables& reference_tables() {
    static const Tables tables = {.embed = {&kEmbedReference, 1},
                                  .qkv = {&kQkvReference, 1},
                                  .attention = {&kAttentionReference, 1},
                                  .project = {&kProjectReference, 1},
                                  .gate_up = {&kGateUpReference, 1},
                                  .experts = {&kExpertsReference, 1},
                                  .head = {&kHeadReference, 1},
                                  .matmul = {&kMatmulReference, 1},
                                  .norm = {&kNormReference, 1},
                                  .rope_append = {&kRopeAppendReference, 1},
                                  .sample = {&kSampleReference, 1}};
    return tables;
}

std::shared_ptr<const Backend> make_reference_backend(const BackendOptions& options) { return std::make_shared<ReferenceBackend>(options); }

}  // namespace hearth
