// A fuzz target: one function that takes any bytes. libFuzzer calls it with what it invents (build with -DHEARTH_FUZZ=ON under clang), the
// tests call it with its seeds and the corpus that such runs left (tests/fuzz/corpus).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::fuzz {

struct Target {
    std::string_view name;                // the corpus' folder, and what tools/dev.sh fuzz takes
    void (*run)(std::string_view);        // returns, or ends the process: what an input may draw is an Error, which run() catches itself
    std::vector<std::string> (*seeds)();  // inputs to begin with, from goldens and from ../shared where it is
};

std::span<const Target> targets();  // targets.cpp

/// The parts of an input that stands for several files: separated by lines of "----". At most `most`; missing ones are empty.
std::vector<std::string_view> parts(std::string_view input, size_t most);

/// Ends the process with a message that names what did not hold: what an oracle found is a finding like a crash.
[[noreturn]] void broken(std::string_view what);
inline void require(bool holds, std::string_view what) {
    if (!holds) broken(what);
}

/// Runs `body`; an Error is a right answer to hostile input. True when there was none.
template <class Body>
bool accepted(Body&& body);

/// A whole file, "" where it is not there.
std::string file_text(const std::string& path);

/// Texts of the files below tests/golden whose names end so, in the order of their paths.
std::vector<std::string> golden_files(std::string_view ending);

/// The same of a folder below ../shared, each at most `longest` bytes. Files of others: what grows out of them stays out of the project.
/// Nothing once without_shared_files() was called.
std::vector<std::string> shared_files(const std::string& folder, std::string_view ending, size_t longest);
void without_shared_files();

}  // namespace hearth::fuzz

#include "base/error.h"

template <class Body>
bool hearth::fuzz::accepted(Body&& body) {
    try {
        body();
        return true;
    } catch (const Error&) {
        return false;
    }
}
