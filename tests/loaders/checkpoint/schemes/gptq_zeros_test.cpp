// GPTQ with zero points that differ (sym false), 0 and the largest among them: both versions of the format against the format's formula.
#include <bit>
#include <cstring>

#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::ChangedGolden;
using testing::MadeTensor;
using testing::Tensors;

/// One golden folder with zero points of the test's own.
class Gptq : public ::testing::TestWithParam<int> {
protected:
    int bits() const { return GetParam(); }
    uint32_t mask() const { return (1u << bits()) - 1; }
    uint32_t ones() const { return bits() == 4 ? 0x11111111 : 0x01010101; }  // one in every field

    /// The folder with the words of zero points that `word` gives for the i-th word of all.
    template <class Word>
    ChangedGolden folder(const char* version, Word&& word) const {
        const auto change = [&](Tensors& tensors) {
            size_t at = 0;
            for (MadeTensor& tensor : tensors.all()) {
                if (!tensor.name.ends_with("qzeros")) continue;
                for (size_t i = 0; i < tensor.bytes.size() / 4; ++i) testing::set_word(tensor, i, std::bit_cast<int32_t>(word(at++)));
            }
        };
        return ChangedGolden(bits() == 4 ? "gptq-g128-sym" : "gptq-8bit", change, [&](json& section) {
            section["sym"] = false;
            section["checkpoint_format"] = section["format"] = version;
        });
    }

    /// Random fields from 0 to the largest, so that every eighth or so of 4 bits is 0.
    static uint32_t random_word(size_t i) {
        uint64_t x = (i + 1) * 0x9E3779B97F4A7C15u;
        x = (x ^ x >> 31) * 0xBF58476D1CE4E5B9u;
        return static_cast<uint32_t>(x >> 32);
    }

    /// FORMATS.md's formula on the tensors of a file of the second version, for a matrix with groups of 128 columns.
    float formula(Tensors& stored, const std::string& module, int64_t row, int64_t column) const {
        const int64_t per_word = 32 / bits(), n = stored.at(module + ".qweight").shape[1], group = column / 128;
        const auto field = [&](const char* tensor, int64_t word, int64_t i) {
            const auto value = std::bit_cast<uint32_t>(testing::word_at(stored.at(module + tensor), static_cast<size_t>(word)));
            return static_cast<int>(value >> (i * bits()) & mask());
        };
        const int code = field(".qweight", column / per_word * n + row, column % per_word);
        const int zero = field(".qzeros", group * (n / per_word) + row / per_word, row % per_word);
        F16 scale;
        std::memcpy(&scale, stored.at(module + ".scales").bytes.data() + 2 * (group * n + row), 2);
        return static_cast<float>(code - zero) * to_float(scale);
    }
};

TEST_P(Gptq, ZeroPointOfZeroBorrowsFromItsNeighbour) {
    const ChangedGolden second = folder("gptq_v2", random_word);
    const ChangedGolden first = folder("gptq", [&](size_t i) { return random_word(i) - ones(); });  // as its writers do it: whole words
    const auto want = testing::packed_weights(*testing::load(second.path())), got = testing::packed_weights(*testing::load(first.path()));
    EXPECT_TRUE(got == want);
}

TEST_P(Gptq, ReadsEveryZeroPointAsTheFormulaSays) {
    const ChangedGolden asymmetric = folder("gptq_v2", random_word),
                        borrowed = folder("gptq", [&](size_t i) { return random_word(i) - ones(); });
    Tensors stored(asymmetric.path() / "model.safetensors");
    const std::string down = "model.layers.0.mlp.down_proj";
    for (const auto* made : {&asymmetric, &borrowed}) {
        const auto model = testing::load(made->path());
        const Weight& weight = model->weights().layers[0].down.weight;
        EXPECT_TRUE(weight.has_zeros);
        for (int64_t row = 0; row < 64; ++row) {
            const auto values = testing::row_of(weight, row);
            for (int64_t c = 0; c < weight.k; c += 37)
                ASSERT_EQ(values[static_cast<size_t>(c)], formula(stored, down, row, c)) << row << ", " << c;
        }
    }
}

TEST_P(Gptq, AllZeroPointsOfZeroAreReadInBothVersions) {
    const ChangedGolden second = folder("gptq_v2", [](size_t) { return 0u; }), first = folder("gptq", [&](size_t) { return 0u - ones(); });
    const auto want = testing::load(second.path()), got = testing::load(first.path());
    EXPECT_TRUE(testing::packed_weights(*got) == testing::packed_weights(*want));
    Tensors stored(second.path() / "model.safetensors");
    const Weight& weight = got->weights().layers[0].out.weight;
    EXPECT_EQ(testing::row_of(weight, 5)[130], formula(stored, "model.layers.0.self_attn.o_proj", 5, 130));
}

INSTANTIATE_TEST_SUITE_P(Bits, Gptq, ::testing::Values(4, 8), [](const auto& test) { return std::to_string(test.param) + "_bits"; });

}  // namespace
}  // namespace hearth
