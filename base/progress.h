// How long work reports its progress to whoever waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace hearth {

/// One report of a long piece of work. Amounts are bytes unless `unit` says otherwise.
struct ProgressUpdate {
    std::string what;   // "loading model.safetensors"
    int64_t done = 0;   // of total
    int64_t total = 0;  // 0: not known
    std::string unit = "bytes";
};

/// Called from the working thread, now and then and at the end (done == total); may be empty. Throwing from it cancels the work.
using Progress = std::function<void(const ProgressUpdate&)>;

}  // namespace hearth
