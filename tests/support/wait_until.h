// Waiting for what another thread or process will do.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace hearth::testing {

/// Ends the test when `condition` does not come true for a minute: what decides is whether it comes true, never how soon.
template <class Condition>
void wait_until(Condition&& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << "waited for nothing";
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace hearth::testing
