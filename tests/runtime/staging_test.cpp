#include "runtime/staging.h"
#include "kernels/make_backend.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/runtime/allocation_failure.h"

namespace hearth {
namespace {

std::shared_ptr<const Backend> reference() {
    BackendOptions options;
    options.device = "reference";
    return make_backend(options);
}

TEST(Staging, BringsArraysOfAnyTypeAndSizeToTheDevice) {
    const auto backend = reference();
    Staging staging(*backend);
    for (const size_t scale : {1, 1000, 3}) {  // grows, and is used again for less
        std::vector<int32_t> a(7 * scale), c(scale);
        std::vector<double> b(3 * scale);
        for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<int32_t>(i);
        for (size_t i = 0; i < b.size(); ++i) b[i] = 0.5 * static_cast<double>(i);
        for (size_t i = 0; i < c.size(); ++i) c[i] = -static_cast<int32_t>(i);
        staging.begin();
        const size_t at_a = staging.put(a.data(), a.size()), at_b = staging.put(b.data(), b.size()), at_c = staging.put(c.data(), c.size());
        staging.upload();
        const auto x = staging.at<int32_t, 1>(at_a, {static_cast<int64_t>(a.size())});
        const auto y = staging.at<double, 1>(at_b, {static_cast<int64_t>(b.size())});
        const auto z = staging.at<int32_t, 2>(at_c, {1, static_cast<int64_t>(c.size())});
        EXPECT_EQ(std::vector<int32_t>(x.data, x.data + x.size()), a);
        EXPECT_EQ(std::vector<double>(y.data, y.data + y.size()), b);
        EXPECT_EQ(std::vector<int32_t>(z.data, z.data + z.size()), c);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(y.data) % 64, 0u);
    }
}

TEST(Staging, TakesArraysOfNothing) {
    const auto backend = reference();
    Staging staging(*backend);
    staging.begin();
    const size_t nothing = staging.put<int32_t>(nullptr, 0);
    staging.upload();
    EXPECT_EQ((staging.at<int32_t, 1>(nothing, {0}).size()), 0);
    const int32_t one = 5;
    staging.begin();
    const size_t at = staging.put(&one, 1), empty = staging.put<int32_t>(nullptr, 0);
    staging.upload();
    EXPECT_EQ((staging.at<int32_t, 1>(at, {1})(0)), 5);
    EXPECT_EQ((staging.at<int32_t, 2>(empty, {0, 4}).size()), 0);
}

TEST(Staging, AllocatesNothingOnceItHasSeenTheLargestStep) {
    const auto backend = reference();
    Staging staging(*backend);
    const std::vector<int32_t> large(5000, 1);
    staging.begin();
    size_t at = staging.put(large.data(), large.size());
    staging.upload();
    const int32_t* memory = staging.at<int32_t, 1>(at, {5000}).data;
    for (const size_t count : {1, 5000, 17}) {
        staging.begin();
        at = staging.put(large.data(), count);
        staging.upload();
        EXPECT_EQ((staging.at<int32_t, 1>(at, {1}).data), memory);
    }
}

TEST(Staging, IsAsGoodAsBeforeWhereMemoryFailed) {
    const auto backend = reference();
    const std::vector<int32_t> numbers(5000, 7);
    int thrown = 0;
    for (int64_t number = 1; number <= 4; ++number) {
        Staging staging(*backend);
        const auto use = [&](size_t count) {
            staging.begin();
            const size_t at = staging.put(numbers.data(), count);
            staging.upload();
            return staging.at<int32_t, 1>(at, {static_cast<int64_t>(count)})(static_cast<int64_t>(count) - 1);
        };
        {
            const auto none = testing::AllocationFailure::of_number(number);
            std::thread([&] {
                try {
                    use(5000);
                } catch (const std::exception&) {
                    ++thrown;
                }
            }).join();
        }
        EXPECT_EQ(use(5000), 7);
    }
    EXPECT_GT(thrown, 1);
}

}  // namespace
}  // namespace hearth
