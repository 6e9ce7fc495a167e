#include "perf/serve/report/spread.h"

#include <gtest/gtest.h>

namespace hearth::perf {
namespace {

TEST(Spread, PercentilesAreExactOnKnownValues) {
    std::vector<double> values;
    for (int i = 100; i >= 0; --i) values.push_back(i);  // 0 to 100: the share q lies at 100 q
    const Spread spread = spread_of(values);
    EXPECT_EQ(spread.count, 101);
    EXPECT_EQ(spread.mean, 50);
    EXPECT_EQ(spread.median, 50);
    EXPECT_EQ(spread.p90, 90);
    EXPECT_EQ(spread.p99, 99);
    EXPECT_EQ(spread.least, 0);
    EXPECT_EQ(spread.most, 100);
}

TEST(Spread, LiesOnStraightLinesBetweenNeighbours) {
    EXPECT_EQ(spread_of({4, 1, 3, 2}).median, 2.5);
    EXPECT_DOUBLE_EQ(percentile({10, 20}, 0.9), 19);
    EXPECT_DOUBLE_EQ(percentile({10, 20, 40}, 0.75), 30);
    EXPECT_EQ(percentile({10, 20, 40}, 0), 10);
    EXPECT_EQ(percentile({10, 20, 40}, 1), 40);
    EXPECT_EQ(spread_of({7}).p99, 7);
    EXPECT_EQ(spread_of({}).count, 0);
    EXPECT_EQ(percentile({}, 0.5), 0);
}

TEST(Spread, ThinsEvenlyByRankAndKeepsBothEnds) {
    EXPECT_EQ(thinned({3, 1, 2}, 3), (std::vector<double>{3, 1, 2})) << "few enough are left as they stand";
    std::vector<double> many;
    for (int i = 0; i <= 1000; ++i) many.push_back(1000 - i);
    EXPECT_EQ(thinned(many, 5), (std::vector<double>{0, 250, 500, 750, 1000}));
}

}  // namespace
}  // namespace hearth::perf
