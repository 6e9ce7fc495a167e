// Options of llama-bench that mean nothing here, or go by another name: a command line for it runs as it stands.
#pragma once

#include <string>
#include <vector>

#include "tools/hearth/bench/plan.h"

namespace hearth::tool {

class Arguments;

/// -ub is our -b; -ctk and -ctv are our --cache; the rest is read and said to have no effect.
class LlamaBenchHabits {
public:
    void declare(Arguments& arguments);

    /// Puts -ub, -ctk and -ctv into their places. Throws UsageError: keys and values of different types, types that we have not.
    void apply(BenchSweep& sweep);

    /// A line for each option that was given without effect.
    const std::vector<std::string>& notes() const { return notes_; }

private:
    std::string ubatches_, cache_k_, cache_v_;
    std::vector<std::string> notes_;
};

}  // namespace hearth::tool
