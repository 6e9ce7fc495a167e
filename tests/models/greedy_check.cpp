#include "tests/models/greedy_check.h"

#include <gtest/gtest.h>

#include "tests/models/run_model.h"

namespace hearth::testing {

void expect_greedy(const std::shared_ptr<const Model>& model, const GreedyGolden& golden, DType cache, float close) {
    const auto& [what, ids, want, gaps] = golden;
    ASSERT_EQ(gaps.size(), want.size());
    const auto got = greedy_answer(model, ids, std::ssize(want), {.cache = cache, .chunk = 512});
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size() && gaps[i] >= close; ++i)
        ASSERT_EQ(got[i], want[i]) << "token " << i << " of the answer to " << what;

    std::vector<int32_t> all = ids;
    all.insert(all.end(), want.begin(), want.end() - 1);
    const auto run = run_prompt(*model, all, {.cache = cache});
    const auto V = static_cast<size_t>(model->config().vocab);
    size_t compared = 0;
    for (size_t i = 0; i < want.size(); ++i) {
        if (gaps[i] < close) continue;
        ++compared;
        EXPECT_EQ(argmax(std::span(run.logits).subspan((ids.size() - 1 + i) * V, V)), want[i])
            << "step " << i << " of the answer to " << what;
    }
    EXPECT_GT(compared, want.size() / 2) << "too few steps are no close calls, after " << what;
}

}  // namespace hearth::testing
