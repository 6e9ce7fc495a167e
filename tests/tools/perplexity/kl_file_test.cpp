#include "tools/hearth/perplexity/kl_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "base/error.h"
#include "tests/support/temp_folder.h"
#include "tools/hearth/perplexity/divergence.h"

namespace hearth::tool {
namespace {

namespace fs = std::filesystem;
using hearth::testing::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

class KlFile : public ::testing::Test {
protected:
    static KlHeader header(int64_t vocab, int64_t scored) {
        return {.vocab = vocab,
                .context = 64,
                .stride = 32,
                .skip = 3,
                .tokens = scored + 1,
                .scored = scored,
                .token_hash = 42,
                .model = "Tiny, f32"};
    }

    /// Log-probabilities of a softmax over logits of this spread.
    static std::vector<float> row(size_t vocab, double spread, unsigned seed) {
        std::mt19937 random(seed);
        std::normal_distribution<double> normal(0, spread);
        std::vector<double> logits(vocab);
        double sum = 0;
        for (double& x : logits) sum += std::exp(x = normal(random));
        std::vector<float> out;
        for (const double x : logits) out.push_back(static_cast<float>(x - std::log(sum)));
        return out;
    }

    void write(int64_t vocab, int64_t scored) const {
        KlWriter writer(path_, header(vocab, scored));
        for (int64_t i = 0; i < scored; ++i)
            writer.write(row(static_cast<size_t>(vocab), 3, static_cast<unsigned>(i)), static_cast<int32_t>(i % vocab));
        writer.finish();
    }

    std::string bytes() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

    template <class T>
    void overwrite(size_t at, T value) const {
        std::string all = bytes();
        ASSERT_LE(at + sizeof value, all.size());
        std::memcpy(all.data() + at, &value, sizeof value);
        put(all);
    }

    /// Reads all of it.
    void read() const {
        KlReader reader(path_);
        for (int64_t i = 0; i < reader.header().scored; ++i) reader.next();
    }

    void expect_refused(const std::string& message) const {
        try {
            read();
            ADD_FAILURE() << "was read; expected: " << message;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
            EXPECT_THAT(error.what(), AllOf(HasSubstr("base.kl"), HasSubstr(message)));
        }
    }

    static constexpr size_t kFixed = 8, kRecords = 8 + 9 * 8 + 9;  // the numbers; behind "Tiny, f32"
    const TempFolder folder_;
    const std::string path_ = (folder_ / "base.kl").string();
};

TEST_F(KlFile, GivesBackWhatWasWrittenToHalfAStep) {
    constexpr int64_t kVocab = 1000;
    std::vector<std::vector<float>> rows;
    for (const double spread : {0.1, 1.0, 3.0, 8.0}) rows.push_back(row(kVocab, spread, 7));
    {
        KlWriter writer(path_, header(kVocab, std::ssize(rows)));
        for (size_t i = 0; i < rows.size(); ++i) writer.write(rows[i], static_cast<int32_t>(i));
        EXPECT_FALSE(fs::exists(path_));  // not before it is complete
        writer.finish();
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);  // and nothing else stays
    KlReader reader(path_);
    EXPECT_EQ(reader.header().vocab, kVocab);
    EXPECT_EQ(reader.header().scored, 4);
    EXPECT_EQ(reader.header().tokens, 5);
    EXPECT_EQ(reader.header().context, 64);
    EXPECT_EQ(reader.header().stride, 32);
    EXPECT_EQ(reader.header().skip, 3);
    EXPECT_EQ(reader.header().token_hash, 42u);
    EXPECT_EQ(reader.header().model, "Tiny, f32");
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto record = reader.next();
        const auto [low, high] = std::ranges::minmax(rows[i]);
        const double half_step = (double{high} - double{low}) / 65535 / 2;
        EXPECT_EQ(record.own, rows[i][i]);
        EXPECT_EQ(record.likeliest, likeliest(rows[i]));
        ASSERT_EQ(record.expected.size(), rows[i].size());
        double sum = 0;
        for (size_t v = 0; v < rows[i].size(); ++v) {
            EXPECT_NEAR(record.expected[v], rows[i][v], 1.05 * half_step + 1e-5) << v;
            sum += std::exp(double{record.expected[v]});
        }
        EXPECT_NEAR(sum, 1, 1e-6);
        const double apart = divergence(record.expected, rows[i]);
        EXPECT_LE(apart, 1e-7);
    }
}

TEST_F(KlFile, HoldsRowsOfOneTokenAndRowsThatAreFlat) {
    {
        KlWriter writer(path_, header(1, 1));
        writer.write(std::vector<float>{0}, 0);
        writer.finish();
    }
    EXPECT_EQ(KlReader(path_).next().expected[0], 0);
    fs::remove(path_);
    {
        KlWriter writer(path_, header(4, 1));
        writer.write(std::vector<float>(4, std::log(0.25f)), 3);
        writer.finish();
    }
    KlReader reader(path_);
    const auto record = reader.next();
    EXPECT_EQ(record.likeliest, 0);
    for (const float x : record.expected) EXPECT_NEAR(x, std::log(0.25), 1e-6);
}

TEST_F(KlFile, OfAnUnfinishedRunIsNotThere) {
    { KlWriter writer(path_, header(100, 3)); }
    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(KlFile, ThatIsNotOneIsRefused) {
    for (const std::string& text : {std::string(), std::string("HEARTHKL"), std::string(500, 'x')}) {
        put(text);
        expect_refused("a file that --kl-base wrote");
    }
    fs::remove(path_);
    try {
        read();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    }
    fs::create_directory(path_);
    expect_refused("no file");
}

TEST_F(KlFile, CutShortAtAnyByteIsRefused) {
    write(5, 3);
    const std::string all = bytes();
    for (size_t length = 0; length < all.size(); ++length) {
        put(all.substr(0, length));
        EXPECT_THROW(read(), Error) << length << " of " << all.size();
    }
    put(all + "x");
    expect_refused(std::to_string(all.size()) + " bytes");
    put(all);
    EXPECT_NO_THROW(read());
}

TEST_F(KlFile, WithNumbersThatCannotBeIsRefused) {
    write(5, 3);
    const std::string all = bytes();
    constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
    int refused = 0;
    for (const size_t number : {0, 1, 2, 3, 4, 5, 6, 8}) {  // 7 is the hash
        for (const int64_t value : {int64_t{0}, int64_t{-1}, kHuge, kHuge / 2, -kHuge, int64_t{1} << 32}) {
            if ((number == 4 || number == 8) && value == 0) continue;
            put(all);
            overwrite(kFixed + 8 * number, value);
            EXPECT_THROW(read(), Error) << "number " << number << " = " << value;
            ++refused;
        }
    }
    EXPECT_EQ(refused, 46);
    put(all);
    overwrite(kFixed, int64_t{2});
    expect_refused("expected version 1, found 2");
    put(all);
    overwrite(kFixed + 8, int64_t{6});
    expect_refused("a vocabulary of 6");
}

TEST_F(KlFile, WithRecordsThatAreNoDistributionsIsRefused) {
    write(5, 3);
    const std::string all = bytes();
    const size_t second = kRecords + 16 + 2 * 5;
    const auto with = [&](size_t at, auto value, const std::string& message) {
        put(all);
        overwrite(second + at, value);
        expect_refused("record 2 of 3");
        expect_refused(message);
    };
    with(0, std::numeric_limits<float>::quiet_NaN(), "finite");
    with(4, int32_t{5}, "below 5, found 5");
    with(4, int32_t{-1}, "found -1");
    with(8, std::numeric_limits<float>::infinity(), "finite");
    with(8, 1.5f, "add up to 1");
    with(8, -80.0f, "add up to 1");
    with(12, -0.001f, "finite");
    with(12, std::numeric_limits<float>::max(), "add up to 1");
}

TEST_F(KlFile, OfAnotherRunIsRefusedWithBothNumbers) {
    const KlHeader file = header(100, 30);
    const auto expect = [&](auto&& change, const std::string& there, const std::string& here) {
        KlHeader run = file;
        change(run);
        try {
            check_comparable("base.kl", file, run);
            ADD_FAILURE() << there;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
            EXPECT_THAT(error.what(), AllOf(HasSubstr("base.kl"), HasSubstr("Tiny"), HasSubstr(there), HasSubstr(here)));
        }
    };
    expect([](KlHeader& run) { run.vocab = 99; }, "vocabulary of 100", "99");
    expect([](KlHeader& run) { run.context = 128; }, "--context 64", "128");
    expect([](KlHeader& run) { run.stride = 16; }, "--stride 32", "16");
    expect([](KlHeader& run) { run.skip = 0; }, "--skip 3", "0");
    expect([](KlHeader& run) { run.tokens = 50; }, "31", "50");
    expect([](KlHeader& run) { run.scored = 29; }, "30", "29");
    expect([](KlHeader& run) { run.token_hash = 1; }, "another text", "");
    EXPECT_NO_THROW(check_comparable("base.kl", file, file));
    KlHeader other = file;
    other.model = "another";
    EXPECT_NO_THROW(check_comparable("base.kl", file, other));
}

TEST_F(KlFile, KnowsATextByItsIds) {
    EXPECT_EQ(hash_of({}), 14695981039346656037u);
    EXPECT_NE(hash_of(std::vector<int32_t>{1, 2}), hash_of(std::vector<int32_t>{2, 1}));
    EXPECT_NE(hash_of(std::vector<int32_t>{1}), hash_of(std::vector<int32_t>{1, 0}));
    EXPECT_EQ(hash_of(std::vector<int32_t>{'a'}), [] {  // the bytes 61 00 00 00
        uint64_t hash = 0xaf63dc4c8601ec8cu;            // of "a", as published with the function
        for (int zero = 0; zero < 3; ++zero) hash *= 1099511628211u;
        return hash;
    }());
}

TEST_F(KlFile, ThatCannotBeMadeSaysWhy) {
    try {
        KlWriter writer("/nonexistent/base.kl", header(5, 1));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
        EXPECT_THAT(error.what(), HasSubstr("/nonexistent/base.kl"));
    }
}

}  // namespace
}  // namespace hearth::tool
