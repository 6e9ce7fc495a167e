#include "loaders/random_model.h"

#include <cmath>
#include <set>

#include "kernels/make_backend.h"
#include "loaders/config/config.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::own_goldens;

std::shared_ptr<const Backend> backend() {
    static const auto kBackend = make_backend({.device = "reference"});
    return kBackend;
}

ModelConfig small(const std::string& golden = "llama-plain") { return read_config(own_goldens() / golden / "config.json").config; }

std::vector<float> rows_of(const Weight& weight) {
    std::vector<float> out(static_cast<size_t>(weight.n * weight.k));
    for (int64_t i = 0; i < weight.n; ++i) unpack_row(weight, i, out.data() + i * weight.k);
    return out;
}

TEST(RandomModel, IsTheSameForASeedAndAnotherForTheNext) {
    for (DType type : {DType::kBf16, DType::kF16, DType::kF32}) {
        const auto first = random_model(small(), type, backend(), 7), again = random_model(small(), type, backend(), 7),
                   other = random_model(small(), type, backend(), 8);
        EXPECT_EQ(rows_of(first->weights().layers[1].down.weight), rows_of(again->weights().layers[1].down.weight));
        EXPECT_NE(rows_of(first->weights().layers[1].down.weight), rows_of(other->weights().layers[1].down.weight));
        EXPECT_NE(rows_of(first->weights().layers[1].gate.weight), rows_of(first->weights().layers[1].up.weight));
        EXPECT_NE(rows_of(first->weights().layers[0].gate.weight), rows_of(first->weights().layers[1].gate.weight));
    }
}

TEST(RandomModel, HasWeightsAroundZeroOfTheRightSize) {
    ModelConfig config = small();
    config.hidden = 512;
    config.vocab = 4096;  // more than one chunk
    for (DType type : {DType::kBf16, DType::kF16, DType::kF32}) {
        const auto model = random_model(config, type, backend(), 3);
        const std::vector<float> values = rows_of(model->weights().head.weight);
        double sum = 0, squares = 0;
        for (float x : values) {
            ASSERT_TRUE(std::isfinite(x));
            sum += x;
            squares += double{x} * x;
        }
        const auto count = static_cast<double>(values.size());
        EXPECT_NEAR(sum / count, 0, 1e-3) << name_of(type);
        EXPECT_NEAR(std::sqrt(squares / count), 1 / std::sqrt(512.0), 1e-3) << name_of(type);
        EXPECT_GT(std::set<float>(values.begin(), values.end()).size(), 200u) << name_of(type);
        EXPECT_EQ(model->weights().final_norm.view()(5), 1);
    }
}

TEST(RandomModel, TakesEveryKindOfModel) {
    for (const fs::path& folder : testing::golden_folders(testing::own_goldens(), false)) {
        const std::string name = folder.filename().string();
        const auto model = random_model(small(name), DType::kBf16, backend(), 1);
        EXPECT_EQ(model->weights().layers[0].expert_gate.size(), static_cast<size_t>(small(name).experts)) << name;
        EXPECT_EQ(model->weights().layers[0].qkv_bias.size > 0, small(name).qkv_bias) << name;
        EXPECT_EQ(model->weights().embed.bytes == model->weights().head.bytes, small(name).tied_embeddings) << name;
    }
}

TEST(RandomModel, RefusesADtypeThatIsNoFloat) {
    EXPECT_REFUSED(random_model(small(), DType::kI8, backend(), 1), ErrorKind::kUnsupported, "i8");
}

}  // namespace
}  // namespace hearth
