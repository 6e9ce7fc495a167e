// Every variant of every table against the reference, over shapes that end in every part of a vector, a panel, a block.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "kernels/make_backend.h"
#include "kernels/reference/reference.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

/// What a variant's `buffer` may differ from that of the reference, as a share of its largest number: variants for bf16 round what goes
/// into a product, a cache of bf16 rounds what it keeps, and a code of a q8 cache may be one more or less. Its scales are float32 like the
/// rest.
double tolerance(const Shape& shape, const Buffer& buffer) {
    if (shape.weights == DType::kBf16 || shape.cache == DType::kBf16) return 2e-2;
    return buffer.type == DType::kI8 ? 1e-2 : 2e-4;
}

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    all.push_back({});
    all.push_back(
        {.seqs = {5}, .past = {0}, .hidden = 33, .heads = 3, .groups = 1, .head_dim = 16, .intermediate = 17, .vocab = 31, .experts = 2});
    all.push_back({.seqs = {1, 1, 1},
                   .past = {0, 31, 64},
                   .hidden = 96,
                   .heads = 8,
                   .groups = 2,
                   .head_dim = 32,
                   .intermediate = 100,
                   .vocab = 257,
                   .bias = true});
    all.push_back({.seqs = {40, 1, 7},
                   .past = {0, 100, 29},
                   .hidden = 128,
                   .heads = 4,
                   .groups = 4,
                   .head_dim = 64,
                   .intermediate = 333,
                   .vocab = 64,
                   .qk_norm = true});
    all.push_back({.seqs = {65},
                   .past = {31},
                   .hidden = 256,
                   .heads = 4,
                   .groups = 1,
                   .head_dim = 128,
                   .intermediate = 512,
                   .vocab = 1000,
                   .window = 16});
    all.push_back({.seqs = {3, 2},
                   .past = {33, 200},
                   .hidden = 160,
                   .heads = 6,
                   .groups = 2,
                   .head_dim = 80,
                   .intermediate = 96,
                   .vocab = 48,
                   .window = 64,
                   .bias = true});
    all.push_back({.seqs = {1},
                   .past = {700},
                   .hidden = 576,
                   .heads = 9,
                   .groups = 3,
                   .head_dim = 64,
                   .intermediate = 1536,
                   .vocab = 500,
                   .experts = 2});
    all.push_back({.seqs = {16, 17},
                   .past = {0, 0},
                   .hidden = 64,
                   .heads = 4,
                   .groups = 2,
                   .head_dim = 96,
                   .intermediate = 48,
                   .vocab = 16,
                   .experts = 8});
    std::vector<Shape> out;
    for (const Shape& shape : all) {
        for (const auto& [weights, cache] :
             {std::pair{DType::kBf16, DType::kBf16}, {DType::kF16, DType::kF32}, {DType::kF32, DType::kF32}, {DType::kF32, DType::kI8}}) {
            Shape s = shape;
            s.weights = weights;
            s.cache = cache;
            out.push_back(s);
        }
    }
    return out;
}

/// Runs every variant of `table` that supports the arguments and compares each buffer that it wrote with the reference's.
template <class Args>
void compare(std::span<const Variant<Args>> table, const Variant<Args>& reference, Inputs& inputs, const Args& args, const Backend& backend,
             const Shape& shape, std::set<std::string>& ran, double most = 0) {
    const auto oracle = make_backend({.device = "reference"});
    run(reference, args, *oracle);
    const std::vector<Buffer> want = inputs.results();
    inputs.reset();
    for (const auto& variant : table) {
        if (variant.name.ends_with("/reference") || !variant.supports(args, backend.device())) continue;
        run(variant, args, backend);
        const std::vector<Buffer> got = inputs.results();
        for (size_t i = 0; i < want.size(); ++i) {
            EXPECT_LE(difference(got[i].numbers, want[i].numbers), most > 0 ? most : tolerance(shape, want[i]))
                << want[i].name << " of " << variant.name << " on " << backend.name() << " " << name_of(backend.device().level) << ", "
                << shape.text();
        }
        inputs.reset();
        ran.emplace(variant.name);
    }
}

void for_each_case(const std::function<void(const Backend&, const Shape&, std::set<std::string>&)>& test) {
    for (const std::string& device : cpu_devices()) {
        for (const bool fixed_order : {true, false}) {
            const auto backend = make_device({.device = device, .threads = 2, .fixed_order = fixed_order});
            std::set<std::string> ran;
            for (const Shape& shape : shapes()) test(*backend, shape, ran);
            if (device != "cpu:portable") {
                EXPECT_FALSE(ran.empty()) << device << " has no variant of its own";
            }
        }
    }
}

TEST(EveryVariant, Embed) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().embed, kEmbedReference, inputs, inputs.embed(), backend, shape, ran);
    });
}

TEST(EveryVariant, Qkv) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().qkv, kQkvReference, inputs, inputs.qkv(), backend, shape, ran);
    });
}

TEST(EveryVariant, Attention) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().attention, kAttentionReference, inputs, inputs.attention(), backend, shape, ran,
                shape.cache == DType::kI8 ? 5e-4 : 0);  // codes come as they are: only queries and exponentials may be rounded, to 16 bits
    });
}

TEST(EveryVariant, Project) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().project, kProjectReference, inputs, inputs.project(), backend, shape, ran);
    });
}

TEST(EveryVariant, GateUp) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().gate_up, kGateUpReference, inputs, inputs.gate_up(), backend, shape, ran);
    });
}

TEST(EveryVariant, Experts) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        if (shape.weights == DType::kBf16) return;  // a nearly tied router sends a token elsewhere: see ExpertsWithRoundedWeights
        Inputs inputs(shape);
        compare(backend.tables().experts, kExpertsReference, inputs, inputs.experts(), backend, shape, ran);
    });
}

TEST(EveryVariant, Head) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().head, kHeadReference, inputs, inputs.head(), backend, shape, ran);
    });
}

TEST(EveryVariant, Matmul) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        for (const bool up : {false, true}) {
            Inputs inputs(shape);
            compare(backend.tables().matmul, kMatmulReference, inputs, inputs.matmul(up, false), backend, shape, ran);
        }
        Inputs inputs(shape);
        compare(backend.tables().matmul, kMatmulReference, inputs, inputs.matmul(false, true), backend, shape, ran);
    });
}

TEST(EveryVariant, Norm) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().norm, kNormReference, inputs, inputs.norm(), backend, shape, ran);
    });
}

TEST(EveryVariant, RopeAppend) {
    for_each_case([](const Backend& backend, const Shape& shape, auto& ran) {
        Inputs inputs(shape);
        compare(backend.tables().rope_append, kRopeAppendReference, inputs, inputs.rope_append(), backend, shape, ran);
    });
}

/// With as many experts chosen as there are, no near tie can change the choice.
TEST(EveryVariant, ExpertsWithRoundedWeights) {
    for_each_case([](const Backend& backend, const Shape& base, auto& ran) {
        if (base.weights != DType::kBf16) return;
        Shape shape = base;
        shape.experts = 2;
        Inputs inputs(shape);
        compare(backend.tables().experts, kExpertsReference, inputs, inputs.experts(), backend, shape, ran);
    });
}

TEST(EveryVariant, NoStageOfAModelFallsBackToTheReferenceFromAvx2On) {
    for (const std::string& device : cpu_devices()) {
        if (device == "cpu:portable") continue;
        const auto backend = make_device({.device = device});
        for (const Shape& shape : shapes()) {
            Inputs in(shape);
            const Tables& t = backend->tables();
            const Device& d = backend->device();
            for (const std::string_view name :
                 {select(t.embed, in.embed(), d).name, select(t.qkv, in.qkv(), d).name, select(t.attention, in.attention(), d).name,
                  select(t.project, in.project(), d).name, select(t.gate_up, in.gate_up(), d).name, select(t.experts, in.experts(), d).name,
                  select(t.head, in.head(), d).name, select(t.matmul, in.matmul(true, false), d).name, select(t.norm, in.norm(), d).name,
                  select(t.rope_append, in.rope_append(), d).name}) {
                EXPECT_FALSE(name.ends_with("/reference")) << name << " on " << device << ", " << shape.text();
            }
        }
    }
}

}  // namespace
}  // namespace hearth::testing
