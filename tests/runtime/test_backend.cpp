#include "tests/runtime/test_backend.h"
#include "kernels/make_backend.h"

#include <utility>

namespace hearth::testing {
namespace {

struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool closed = false, held = false;
    int64_t allowed = 0;
    std::vector<int64_t> seen;

    void pass(int64_t tokens) {
        std::unique_lock lock(mutex);
        if (!closed) return;
        seen.push_back(tokens);
        held = true;
        changed.notify_all();
        changed.wait(lock, [this] { return !closed || allowed > 0; });
        held = false;
        if (allowed > 0) --allowed;
    }
};

Gate& gate() {
    static Gate the_gate;
    return the_gate;
}

const Tables& reference_rows() {
    static const std::shared_ptr<const Backend> backend = [] {
        BackendOptions options;
        options.device = "reference";
        return make_backend(options);
    }();
    return backend->tables();
}

template <int64_t kRefused>
bool supports_embed(const EmbedArgs& args, const Device&) {
    return args.ids.extent[0] != kRefused;
}

void run_gated_embed(const EmbedArgs& args, Stream& stream) noexcept {
    gate().pass(args.ids.extent[0]);
    reference_rows().embed[0].run(args, stream);
}

size_t embed_workspace(const EmbedArgs& args, const Device& device) { return reference_rows().embed[0].workspace_bytes(args, device); }

constexpr int64_t kRefusedTokens = 13;
const Variant<EmbedArgs> kGatedEmbed[] = {{"embed/gated", supports_embed<-1>, embed_workspace, run_gated_embed}};
const Variant<EmbedArgs> kRefusingEmbed[] = {{"embed/refusing", supports_embed<kRefusedTokens>, embed_workspace, run_gated_embed}};

class TestBackend final : public Backend {
public:
    explicit TestBackend(const TestBackendOptions& options) {
        BackendOptions inner;
        inner.device = "reference";
        inner_ = make_backend(inner);
        tables_ = inner_->tables();
        if (options.gated) tables_.embed = kGatedEmbed;
        if (options.refused_tokens == kRefusedTokens) tables_.embed = kRefusingEmbed;
        device_ = inner_->device();
        device_.tables = &tables_;
        device_.forced = options.forced;
    }
    std::string_view name() const override { return "test"; }
    const Device& device() const override { return device_; }
    std::unique_ptr<Stream> make_stream() const override { return std::make_unique<TestStream>(device_, inner_->make_stream()); }
    DeviceBytes allocate(int64_t bytes) const override { return inner_->allocate(bytes); }
    void copy_to_device(void* to, const void* from, int64_t bytes) const override { inner_->copy_to_device(to, from, bytes); }
    void copy_to_host(void* to, const void* from, int64_t bytes) const override { inner_->copy_to_host(to, from, bytes); }
    Weight plan(std::span<const HostMatrix> parts, WeightUse use) const override { return inner_->plan(parts, use); }
    Weight prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const override {
        return inner_->prepare(parts, use, storage, stream);
    }

private:
    class TestStream final : public Stream {
    public:
        TestStream(const Device& device, std::unique_ptr<Stream> inner) : Stream(device), inner_(std::move(inner)) {}
        void lock() override { inner_->lock(); }
        void unlock() override { inner_->unlock(); }
        void* take(size_t bytes) noexcept override { return inner_->take(bytes); }
        size_t mark() const noexcept override { return inner_->mark(); }
        void release(size_t mark) noexcept override { inner_->release(mark); }
        void reserve(size_t bytes) override { inner_->reserve(bytes); }
        void parallel_for(int64_t count, const std::function<void(int64_t)>& task) override { inner_->parallel_for(count, task); }
        void wait() override { inner_->wait(); }

    private:
        std::unique_ptr<Stream> inner_;
    };

    std::shared_ptr<const Backend> inner_;
    Tables tables_;
    Device device_;
};

}  // namespace

GatedSteps::GatedSteps() {
    const std::lock_guard lock(gate().mutex);
    gate().closed = true;
    gate().allowed = 0;
    gate().seen.clear();
}

GatedSteps::~GatedSteps() { open(); }

void GatedSteps::let_through(int64_t steps) {
    const std::lock_guard lock(gate().mutex);
    gate().allowed += steps;
    gate().changed.notify_all();
}

void GatedSteps::open() {
    const std::lock_guard lock(gate().mutex);
    gate().closed = false;
    gate().changed.notify_all();
}

void GatedSteps::wait_until_held() {
    std::unique_lock lock(gate().mutex);
    gate().changed.wait(lock, [] { return gate().held && gate().allowed == 0; });
}

std::vector<int64_t> GatedSteps::seen() const {
    const std::lock_guard lock(gate().mutex);
    return gate().seen;
}

std::shared_ptr<const Backend> make_test_backend(const TestBackendOptions& options) { return std::make_shared<TestBackend>(options); }

}  // namespace hearth::testing
