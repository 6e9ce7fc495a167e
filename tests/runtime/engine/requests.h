// Requests that tests of the engine make, and what came of them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/engine/engine.h"

namespace hearth::testing {

struct Outcome {
    std::vector<int32_t> tokens;
    TokenEvent end;
};

/// Reads an answer to its end.
Outcome read_all(TokenStream& stream);

/// A request that differs from others in everything.
Request request_number(int n, int64_t vocab = 61);

/// Greedy.
Request short_request(std::vector<int32_t> prompt, int64_t max_tokens);

/// A tiny model whose steps a GatedSteps lets through.
std::shared_ptr<const Model> gated_model();

/// Waits for what another thread will do; ends the test when it never does.
template <class Condition>
void wait_until(Condition&& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << "waited for nothing";
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace hearth::testing
