// Threads that cannot be made are an Error like any other resource that is not there.
#pragma once

#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

/// A thread that runs `f`. Throws Error{kNoResources} that says what it was for and why the system refused.
template <class F>
std::thread start_thread(std::string_view purpose, F&& f) {
    try {
        return std::thread(std::forward<F>(f));
    } catch (const std::system_error& e) {
        throw Error(ErrorKind::kNoResources, cat("no thread for ", purpose, ": ", e.code().message()));
    }
}

}  // namespace hearth
