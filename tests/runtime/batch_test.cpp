#include "runtime/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/ops.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Batch, LaysSequencesOneAfterTheOther) {
    Batch batch;
    batch.begin(3);
    batch.add(std::vector<int32_t>{7, 8, 9}, 31, std::vector<BlockId>{5, 2}, 1);  // across the border of a block
    batch.add(std::vector<int32_t>{4}, 64, std::vector<BlockId>{1, 3, 6}, 1);
    EXPECT_EQ(batch.num_tokens(), 4);
    EXPECT_EQ(batch.num_seqs(), 2);
    EXPECT_THAT(batch.token_ids, ElementsAre(7, 8, 9, 4));
    EXPECT_THAT(batch.positions, ElementsAre(31, 32, 33, 64));
    EXPECT_THAT(batch.slots, ElementsAre(5 * 32 + 31, 2 * 32, 2 * 32 + 1, 6 * 32));
    EXPECT_THAT(batch.seq_starts, ElementsAre(0, 3, 4));
    EXPECT_THAT(batch.block_tables, ElementsAre(5, 2, 0, 1, 3, 6));
    EXPECT_THAT(batch.logit_rows, ElementsAre(2, 3));
}

TEST(Batch, AsksForTheLogitsOfAsManyLastTokensAsWanted) {
    Batch batch;
    batch.begin(1);
    batch.add(std::vector<int32_t>{1, 2, 3}, 0, std::vector<BlockId>{0}, 0);
    EXPECT_THAT(batch.logit_rows, IsEmpty());
    batch.add(std::vector<int32_t>{4, 5, 6}, 0, std::vector<BlockId>{1}, 2);
    EXPECT_THAT(batch.logit_rows, ElementsAre(4, 5));
}

TEST(Batch, LeavesOutBlocksThatNoTokenReachesYet) {
    Batch batch;
    batch.begin(1);
    batch.add(std::vector<int32_t>{1}, 31, std::vector<BlockId>{9, 8, 7}, 1);
    EXPECT_THAT(batch.block_tables, ElementsAre(9));
}

TEST(Batch, StartsAfreshAndKeepsItsMemory) {
    Batch batch;
    batch.begin(1);
    batch.add(std::vector<int32_t>(32, 1), 0, std::vector<BlockId>{0}, 32);
    const int32_t* memory = batch.token_ids.data();
    batch.begin(2);
    EXPECT_EQ(batch.num_tokens(), 0);
    EXPECT_EQ(batch.num_seqs(), 0);
    batch.add(std::vector<int32_t>(32, 2), 0, std::vector<BlockId>{0}, 1);
    EXPECT_EQ(batch.token_ids.data(), memory);
    EXPECT_THAT(batch.block_tables, ElementsAre(0, 0));
}

TEST(BatchDeathTest, RefusesTokensThatNoBlockHolds) {
    Batch batch;
    batch.begin(2);
    EXPECT_DEATH(batch.add(std::vector<int32_t>{1, 2}, 31, std::vector<BlockId>{0}, 1), "blocks.size");
}

}  // namespace
}  // namespace hearth
