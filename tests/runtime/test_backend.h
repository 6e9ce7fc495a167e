// The reference backend with one variant changed: an embedding that a test can hold, or that refuses some steps.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace hearth::testing {

/// Lets the steps of an engine through one by one. There is one gate, since variants are plain functions; each test that uses it
/// makes a GatedSteps first and the engine after it.
class GatedSteps {
public:
    GatedSteps();   // closed
    ~GatedSteps();  // open

    void let_through(int64_t steps = 1);
    void open();
    void wait_until_held();             // a step stands at the gate
    std::vector<int64_t> seen() const;  // tokens of each step so far, the one that is held included
};

struct TestBackendOptions {
    bool gated = false;
    int64_t refused_tokens = 0;       // a step of this many tokens finds no variant for its embedding
    std::vector<std::string> forced;  // taken as they are, known or not
};

std::shared_ptr<const Backend> make_test_backend(const TestBackendOptions& options);

}  // namespace hearth::testing
