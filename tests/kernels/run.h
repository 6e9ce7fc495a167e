// Runs a variant as a stage does, and remembers that it ran.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kernels/backend.h"

namespace hearth::testing {

/// Names of the variants that run() has run in this program. When all tests have run, those of a level that this machine has must be here
/// (variants_ran.cpp): one whose supports() is never true is a failure.
std::set<std::string>& variants_ran();

/// On a stream of `backend`, with the scratch that the variant asks for, all of which it must give back.
template <class Args>
void run(const Variant<Args>& variant, const Args& args, const Backend& backend) {
    const auto stream = backend.make_stream();
    stream->reserve(variant.workspace_bytes(args, backend.device()));
    variant.run(args, *stream);
    EXPECT_EQ(stream->mark(), 0u) << variant.name << " keeps scratch";
    variants_ran().emplace(variant.name);
}

}  // namespace hearth::testing
