// Memory that fails at any allocation ends requests with an error, never the program, and no block is lost.
#include <gtest/gtest.h>

#include "runtime/engine/model_engine.h"
#include "tests/runtime/allocation_failure.h"
#include "tests/runtime/engine/mixed_requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"
#include "tests/support/wait_until.h"

namespace hearth::testing {
namespace {

constexpr int kRequests = 12;

/// Some requests side by side while allocation number `number` of the engine's thread fails; true where it came to so many.
class Exhaustion {
public:
    Exhaustion() : model_(tiny_model()), engine_(std::make_unique<ModelEngine>(model_, options(), model_)) {
        for (int n = 0; n < kRequests; ++n) alone_.push_back(run_request(*engine_, mixed_request(n, 61)));
    }

    bool fail_at(int64_t number) {
        engine_ = std::make_unique<ModelEngine>(model_, options(), model_);  // with all its vectors still small
        std::vector<std::shared_ptr<TokenStream>> streams;
        int failures = 0;
        {
            const AllocationFailure none = AllocationFailure::of_number(number);
            for (int n = 0; n < kRequests; ++n) streams.push_back(submit_or_throw(*engine_, mixed_request(n, 61)));
            for (int n = 0; n < kRequests; ++n) check(n, read_transcript(*streams[static_cast<size_t>(n)]));
            failures = none.failures();
        }
        wait_until([&] { return engine_->stats().running + engine_->stats().waiting == 0; });
        EXPECT_EQ(engine_->stats().blocks_in_use, 0) << "allocation " << number;
        EXPECT_EQ(difference(alone_[0], run_request(*engine_, mixed_request(0, 61))), "") << "it goes on, allocation " << number;
        return failures > 0;
    }

    int64_t num_failed() const { return failed_; }

private:
    static EngineOptions options() { return {.context = kMixedContext, .max_sequences = 4, .max_step_tokens = 64, .num_blocks = 9}; }

    void check(int n, const Transcript& got) {
        if (got.end.finish == FinishReason::kError) {
            ++failed_;
            return;
        }
        EXPECT_EQ(difference(alone_[static_cast<size_t>(n)], got), "") << n;
    }

    std::shared_ptr<const Model> model_;
    std::unique_ptr<ModelEngine> engine_;
    std::vector<Transcript> alone_;
    int64_t failed_ = 0;
};

TEST(MemoryExhaustion, AtAnyAllocationOfTheEngineEndsRequestsAndNothingElse) {
    Exhaustion exhaustion;
    const int64_t step = is_trial() ? 1 : 23;
    const int64_t most = is_trial() ? 5000 : 1200;
    int64_t reached = 0;
    for (int64_t number = 1; number <= most; number += number < 60 ? 3 : step) {
        if (!exhaustion.fail_at(number)) break;
        ++reached;
        if (HasFailure()) break;
    }
    EXPECT_GT(reached, 20);
    EXPECT_GT(exhaustion.num_failed(), 0);
}

}  // namespace
}  // namespace hearth::testing
