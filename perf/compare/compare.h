// Two files of measurements side by side.
#pragma once

#include <string>

#include "perf/results/results.h"

namespace hearth::perf {

struct CompareOptions {
    double within = 0.02;      // differences up to this share are none
    bool any_machine = false;  // files may come from different machines
};

struct Comparison {
    std::string text;  // a table in Markdown, notes, a line with the counts
    int same = 0, faster = 0, slower = 0, unclear = 0;
};

/// Judges every result that both files have, by its name. Throws Error{kBadInput} where the machines differ, or no result is in both.
Comparison compare(const ResultFile& a, const ResultFile& b, const CompareOptions& options = {});

}  // namespace hearth::perf
