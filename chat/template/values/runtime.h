// What one rendering may take, and what it has taken: every value, step and byte of a template is charged here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chat/template/template_limits.h"

namespace hearth::jinja {

/// What a value can point to besides data: namespaces, macros, loops, ... Owned by the Runtime until the rendering ends, because
/// these alone can form cycles.
struct Object {
    enum class Kind : uint8_t { kNamespace, kMacro, kMethod, kFunction, kLoop, kGenerator, kScope };
    explicit Object(Kind k) : kind(k) {}
    virtual ~Object() = default;
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    const Kind kind;
};

/// The account of one rendering. Belongs to one thread. Outlives every value that was made with it.
class Runtime {
public:
    Runtime(const TemplateLimits& limits, int64_t now) : limits_(limits), now_(now), start_(std::chrono::steady_clock::now()) {}
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    const TemplateLimits& limits() const { return limits_; }
    int64_t now() const { return now_; }

    /// Charges work: one node evaluated, one item visited. Throws Error when steps or time are used up.
    void step(int64_t n = 1) {
        if (n >= next_look_ - steps_) return look(n);
        steps_ += n;
    }

    /// Charges work on `bytes` bytes of text: far cheaper than steps, but not free.
    void work(size_t bytes) { step(static_cast<int64_t>(bytes >> 12)); }

    /// Memory that a value takes and gives back. hold() throws Error when there is none left.
    void hold(int64_t bytes);
    void release(int64_t bytes) noexcept { held_ -= bytes; }

    /// Throws Error when `count` values of `each` bytes would not fit. For whoever makes many at once, before making them.
    void check_room(int64_t count, int64_t each) const;

    /// Throws Error when a text of `bytes` bytes would be longer than the output may be.
    void check_text(size_t bytes) const;

    /// The line that fail() names.
    void at_line(int line) { line_ = line; }

    /// Throws Error{kBadInput} with the line in front.
    [[noreturn]] void fail(const std::string& message) const;

    template <class T, class... Parts>
    T* make(Parts&&... parts) {
        hold(static_cast<int64_t>(sizeof(T)) + 64);
        objects_.push_back(std::make_unique<T>(std::forward<Parts>(parts)...));
        return static_cast<T*>(objects_.back().get());
    }

private:
    void look(int64_t n);

    const TemplateLimits limits_;
    const int64_t now_;
    const std::chrono::steady_clock::time_point start_;
    int64_t steps_ = 0, next_look_ = 1024, held_ = 0;
    int line_ = 1;
    std::vector<std::unique_ptr<Object>> objects_;
};

/// Base of values on the heap: charged while they live. Constants of a template have no runtime and are not charged.
class Counted {
public:
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

protected:
    Counted(Runtime* runtime, int64_t bytes) : runtime_(runtime), bytes_(bytes) {
        if (runtime_) runtime_->hold(bytes_);
    }
    ~Counted() {
        if (runtime_) runtime_->release(bytes_);
    }

private:
    Runtime* const runtime_;
    const int64_t bytes_;
};

}  // namespace hearth::jinja
