#include "loaders/tokenizer/bpe/merges.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

using Ids = std::vector<int32_t>;

/// The definition: again and again the leftmost pair of the lowest rank.
Ids merge_naively(Ids ids, const MergeTable& table) {
    while (true) {
        size_t best = ids.size();
        for (size_t i = 0; i + 1 < ids.size(); ++i) {
            const int32_t merge = table.find(ids[i], ids[i + 1]);
            if (merge < 0) continue;
            if (best == ids.size() || table[merge].rank < table[table.find(ids[best], ids[best + 1])].rank) best = i;
        }
        if (best == ids.size()) return ids;
        ids[best] = table[table.find(ids[best], ids[best + 1])].result;
        ids.erase(ids.begin() + static_cast<ptrdiff_t>(best) + 1);
    }
}

Ids merged(Ids ids, const MergeTable& table) {
    MergeScratch scratch;
    merge_all(ids, table, scratch);
    return ids;
}

TEST(Merges, FindsWhatWasSetAndTheLastOfTwo) {
    MergeTable table;
    for (int32_t i = 0; i < 1000; ++i) table.set(i, 2 * i, {i, i + 1});
    for (int32_t i = 0; i < 1000; ++i) {
        ASSERT_GE(table.find(i, 2 * i), 0);
        EXPECT_EQ(table[table.find(i, 2 * i)].result, i + 1);
        EXPECT_EQ(table.find(i, 2 * i + 1), -1);
    }
    table.set(5, 10, {2000, 7});
    EXPECT_EQ(table[table.find(5, 10)].rank, 2000);
    EXPECT_EQ(table.size(), 1000u);
    EXPECT_EQ(table.num_ranks(), 2001);
}

TEST(Merges, TakesTheLeftmostOfEqualRanks) {
    MergeTable table;
    table.set(0, 0, {0, 1});
    for (const size_t length : {1u, 2u, 3u, 7u, 41u, 1001u}) {
        Ids expected(length / 2, 1);
        if (length % 2) expected.push_back(0);
        EXPECT_EQ(merged(Ids(length, 0), table), expected) << length;
    }
}

/// Vocabularies as training makes them, with results that rank after their parts, and ones that no training makes.
MergeTable random_table(std::mt19937& random, int32_t symbols, int32_t merges, bool ordered) {
    MergeTable table;
    int32_t next = symbols;
    for (int32_t i = 0; i < merges; ++i) {
        const auto left = static_cast<int32_t>(random() % static_cast<uint32_t>(next)),
                   right = static_cast<int32_t>(random() % static_cast<uint32_t>(next));
        table.set(left, right, {ordered ? i : static_cast<int32_t>(random() % 50), next});
        ++next;
    }
    return table;
}

TEST(Merges, AgreeWithTheDefinitionOnRandomTablesAndWords) {
    std::mt19937 random(11);
    for (int round = 0; round < 400; ++round) {
        const auto symbols = static_cast<int32_t>(1 + random() % 5);
        const MergeTable table = random_table(random, symbols, static_cast<int32_t>(1 + random() % 30), round % 2 == 0);
        for (const size_t length : {2u, 17u, 40u, 41u, 90u, 300u}) {
            Ids ids(length);
            const bool runs = random() % 2;  // long runs of one symbol are swept, the rest goes to the buckets
            for (size_t i = 0; i < length; ++i)
                ids[i] = runs && i > 0 && random() % 16 ? ids[i - 1] : static_cast<int32_t>(random() % static_cast<uint32_t>(symbols));
            ASSERT_EQ(merged(ids, table), merge_naively(ids, table)) << "round " << round << ", length " << length;
        }
    }
}

TEST(Merges, ReuseTheirScratchFromWordToWord) {
    std::mt19937 random(3);
    MergeScratch scratch;
    for (int round = 0; round < 50; ++round) {
        const MergeTable table = random_table(random, 3, 12, round % 2 == 0);
        Ids ids(60 + random() % 200);
        for (int32_t& id : ids) id = static_cast<int32_t>(random() % 3);
        const Ids expected = merge_naively(ids, table);
        merge_all(ids, table, scratch);
        ASSERT_EQ(ids, expected);
    }
}

/// The work for a word of n symbols: 10 times the word may cost 11 times the steps, whatever the table.
TEST(Merges, TakeStepsInProportion) {
    std::mt19937 random(5);
    for (int round = 0; round < 12; ++round) {
        const MergeTable table = random_table(random, 2, 8 + round, true);
        const auto steps = [&](size_t length) {
            std::mt19937 symbols(17);
            Ids ids(length);
            for (int32_t& id : ids) id = round % 3 == 0 ? 0 : static_cast<int32_t>(symbols() % 2);
            MergeScratch scratch;
            merge_all(ids, table, scratch);
            return scratch.steps;
        };
        EXPECT_LE(steps(200'000), 11 * steps(20'000)) << "round " << round;
        EXPECT_LE(steps(200'000), 60 * 200'000) << "round " << round;
    }
}

}  // namespace
}  // namespace hearth
