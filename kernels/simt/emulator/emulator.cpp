#include "kernels/simt/emulator/emulator.h"

#include <cstring>
#include <stdexcept>
#include <utility>

namespace hearth::simt {
namespace {
constexpr size_t kGlobalAlign = 256;  // of cudaMalloc
}

Emulator::Emulator(const Options& options) : machine_(options) {}
Emulator::~Emulator() = default;

Region* Emulator::allocate_bytes(std::string name, size_t bytes, const void* values) {
    auto storage = std::make_unique<unsigned char[]>(bytes + kGlobalAlign);
    const auto address = reinterpret_cast<uintptr_t>(storage.get());
    unsigned char* base = storage.get() + (kGlobalAlign - address % kGlobalAlign) % kGlobalAlign;
    Region& region = regions_.emplace_back(std::move(name), false, base, bytes);
    storage_.push_back(std::move(storage));
    if (values != nullptr) {
        std::memcpy(base, values, bytes);
    } else {
        std::memset(base, 0xff, bytes);
        storage_.push_back(std::make_unique<unsigned char[]>(bytes));
        region.state = storage_.back().get();
    }
    return &region;
}

void Emulator::copy_out(const Region* region, uintptr_t address, size_t bytes, void* to) const {
    if (region == nullptr || address - region->base > region->size || region->size - (address - region->base) < bytes) {
        throw std::out_of_range("download of " + std::to_string(bytes) + " bytes: the buffer does not hold them");
    }
    std::memcpy(to, reinterpret_cast<const void*>(address), bytes);
}

void Emulator::enqueue(LaunchConfig config, std::function<void()> body) {
    if (config.block.size() == 0 || config.block.size() > 1024) {
        throw std::invalid_argument("kernel " + config.name + ": a block has 1 to 1024 threads, not " +
                                    std::to_string(config.block.size()));
    }
    Launch& launch = queue_.emplace_back();
    last_kernel_ = config.name;
    launch.name = std::move(config.name);
    launch.grid = config.grid;
    launch.block = config.block;
    launch.shared_bytes = config.shared_bytes;
    launch.dependent = config.dependent;
    launch.body = std::move(body);
}

void Emulator::synchronize() {
    std::vector<Launch> launches = std::exchange(queue_, {});
    machine_.run(launches);
}

}  // namespace hearth::simt
