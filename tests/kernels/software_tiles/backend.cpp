#include "tests/kernels/software_tiles/backend.h"

#include <algorithm>
#include <utility>

#include "kernels/cpu/cpu_stream.h"
#include "kernels/host/host_backend.h"
#include "tests/kernels/software_tiles/variants.h"

namespace hearth::testing {
namespace {

/// A table with `first` in front, without the variants of the same names.
template <class Args>
std::vector<Variant<Args>> with(std::vector<Variant<Args>> first, std::span<const Variant<Args>> table) {
    const auto ours = static_cast<std::ptrdiff_t>(first.size());
    for (const Variant<Args>& variant : table) {
        const bool replaced = std::any_of(first.begin(), first.begin() + ours, [&](const auto& v) { return v.name == variant.name; });
        if (!replaced) first.push_back(variant);
    }
    return first;
}

class SoftwareTilesBackend final : public HostBackend {
public:
    explicit SoftwareTilesBackend(BackendOptions options) {
        const std::string forced = std::exchange(options.forced, "");
        options.device = "cpu:avx512";
        vectors_ = make_backend(options);
        matmul_ = with({kMatmulBf16Tiles, kMatmulQTiles}, vectors_->tables().matmul);
        attention_ = with({kAttentionTiles}, vectors_->tables().attention);
        tables_ = vectors_->tables();
        tables_.matmul = matmul_;
        tables_.attention = attention_;
        device_ = vectors_->device();
        device_.tables = &tables_;
        unforced_ = device_;
        if (!forced.empty()) device_.forced = parse_forced(forced, tables_);
        if (!device_.forced.empty()) device_.unforced = &unforced_;
    }
    std::string_view name() const override { return "cpu, tiles in software"; }
    const Device& device() const override { return device_; }
    std::unique_ptr<Stream> make_stream() const override { return std::make_unique<CpuStream>(device_); }

private:
    std::shared_ptr<const Backend> vectors_;
    std::vector<Variant<MatmulArgs>> matmul_;
    std::vector<Variant<AttentionArgs>> attention_;
    Tables tables_;
    Device device_, unforced_;
};

}  // namespace

std::shared_ptr<const Backend> make_device(const BackendOptions& options) {
    if (options.device != kSoftwareTilesDevice) return make_backend(options);
    return std::make_shared<SoftwareTilesBackend>(options);
}

}  // namespace hearth::testing
