// The host's side of the emulator: memory, launches, findings. Tests of kernels use this.
//
//     Emulator gpu({.schedule = Schedule::kReverse, .races = true});
//     auto x = gpu.upload<float>("x", values);
//     auto y = gpu.allocate<float>("y", n);
//     gpu.launch({.name = "scale", .grid = {4}, .block = {128}}, scale, ScaleArgs{x, y, n});
//     gpu.synchronize();
//     EXPECT_TRUE(gpu.report().clean()) << gpu.report().to_string();
//
// One OS thread; several emulators may run on several OS threads. Pointers are valid while the emulator lives.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "kernels/simt/emulator/machine/machine.h"
#include "kernels/simt/emulator/memory/pointers.h"

namespace hearth::simt {

struct LaunchConfig {
    std::string name = {};  // of the kernel, for findings
    Dim grid{1, 1, 1}, block{32, 1, 1};
    uint64_t shared_bytes = 0;
    bool dependent = false;  // programmatic stream serialization: may overlap with the launch before it
};

class Emulator {
public:
    explicit Emulator(const Options& options = {});
    ~Emulator();

    /// Poisoned with NaN; reading what no kernel has written is a finding.
    template <class T>
    GlobalPtr<T> allocate(std::string name, size_t count) {
        return GlobalPtr<T>(allocate_bytes(std::move(name), count * sizeof(T), nullptr));
    }
    /// A copy of the host's values.
    template <class T>
    GlobalPtr<T> upload(std::string name, std::span<const T> values) {
        return GlobalPtr<T>(allocate_bytes(std::move(name), values.size_bytes(), values.data()));
    }
    template <class T>
    GlobalPtr<T> upload(std::string name, const std::vector<T>& values) {
        return upload<T>(std::move(name), std::span<const T>(values));
    }
    /// What a buffer holds from this pointer on, after synchronize(). Throws std::out_of_range.
    template <class T>
    std::vector<std::remove_const_t<T>> download(GlobalPtr<T> pointer, size_t count) const {
        std::vector<std::remove_const_t<T>> values(count);
        copy_out(pointer.region(), pointer.address(), count * sizeof(T), values.data());
        return values;
    }

    /// Queues a kernel. Throws std::invalid_argument for a block of no or of more than 1024 threads.
    template <class... Parameters, class... Arguments>
    void launch(LaunchConfig config, void (*kernel)(Parameters...), Arguments... arguments) {
        enqueue(std::move(config), [=] { kernel(arguments...); });
    }
    /// Runs what is queued.
    void synchronize();

    const Report& report() const { return machine_.report(); }
    Machine& machine() { return machine_; }
    const std::deque<Region>& buffers() const { return regions_; }
    const std::string& last_kernel() const { return last_kernel_; }

private:
    Region* allocate_bytes(std::string name, size_t bytes, const void* values);
    void copy_out(const Region* region, uintptr_t address, size_t bytes, void* to) const;
    void enqueue(LaunchConfig config, std::function<void()> body);

    Machine machine_;
    std::deque<Region> regions_;
    std::vector<std::unique_ptr<unsigned char[]>> storage_;
    std::vector<Launch> queue_;
    std::string last_kernel_;
};

}  // namespace hearth::simt
