#include "chat/template/values/runtime.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth::jinja {

// In the order of making, so that an object never finds the runtime's own members gone.
Runtime::~Runtime() { objects_.clear(); }

void Runtime::look(int64_t n) {
    if (n > limits_.steps - steps_) fail(cat("more than ", limits_.steps, " steps"));
    steps_ += n;
    const auto spent = std::chrono::steady_clock::now() - start_;
    if (spent > std::chrono::milliseconds(limits_.time_ms)) fail(cat("takes more than ", limits_.time_ms, " ms"));
    next_look_ = steps_ + std::min<int64_t>(1024, limits_.steps - steps_ + 1);
}

void Runtime::hold(int64_t bytes) {
    check_room(bytes, 1);
    held_ += bytes;
}

void Runtime::check_room(int64_t count, int64_t each) const {
    const auto bytes = checked_mul(count, each);
    if (!bytes || *bytes > limits_.memory_bytes - held_) fail(cat("values take more than ", limits_.memory_bytes, " bytes"));
}

void Runtime::check_text(size_t bytes) const {
    if (bytes > static_cast<uint64_t>(limits_.output_bytes)) fail(cat("text of more than ", limits_.output_bytes, " bytes"));
}

void Runtime::fail(const std::string& message) const {
    throw Error(ErrorKind::kBadInput, cat("chat template, line ", line_, ": ", message));
}

}  // namespace hearth::jinja
