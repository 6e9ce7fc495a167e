// Arguments of every stage and primitive, filled with random numbers, for tests that compare variants.
#pragma once

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "tests/kernels/software_tiles/backend.h"

namespace hearth::testing {

/// The sizes of one case.
struct Shape {
    std::vector<int64_t> seqs = {1};  // new tokens of each sequence
    std::vector<int64_t> past = {0};  // tokens of each that the cache holds already
    int64_t hidden = 64, heads = 4, groups = 2, head_dim = 16, intermediate = 160, vocab = 100, experts = 4;
    int64_t window = 0;
    bool bias = false, qk_norm = false;
    DType weights = DType::kBf16, cache = DType::kBf16;

    int64_t tokens() const;
    std::string text() const;
};

/// Numbers that a stage wrote to one of its outputs, as float32.
struct Buffer {
    std::string name;  // "k codes"
    DType type = DType::kF32;
    std::vector<float> numbers;
};

/// Memory, weights and views of one shape. Everything an Args points to lives here; `changed` lists what stages write, so that a test can
/// run a variant, keep the results, reset and run another.
class Inputs {
public:
    explicit Inputs(const Shape& shape, uint32_t seed = 1);

    EmbedArgs embed();
    QkvArgs qkv();
    AttentionArgs attention();
    ProjectArgs project();
    GateUpArgs gate_up();
    ExpertsArgs experts();
    HeadArgs head();
    MatmulArgs matmul(bool up, bool residual);
    NormArgs norm();
    RopeAppendArgs rope_append();

    /// What the last built arguments write, each buffer by itself.
    std::vector<Buffer> results() const;
    /// Puts what they write back to what it was.
    void reset();

private:
    float number();
    float* numbers(int64_t count, float scale = 1);
    View<float, 2> matrix(int64_t rows, int64_t columns) { return {numbers(rows * columns), {rows, columns}}; }
    View<const float, 1> vector(int64_t size, float center, float scale);
    Weight weight(int64_t n, int64_t k, WeightUse use = WeightUse::kMatmul);
    KvPages pages();
    void watch(const char* name, void* data, int64_t count, DType type);
    void begin() { watched_.clear(); }
    View<float, 2> out(int64_t rows, int64_t columns);

    struct Watched {
        const char* name;
        void* data;
        int64_t bytes;
        DType type;
        std::vector<std::byte> before;
    };

    Shape shape_;
    std::mt19937 random_;
    std::deque<std::vector<float>> floats_;
    std::deque<std::vector<std::byte>> storage_;
    std::deque<std::vector<Weight>> experts_;
    std::vector<int32_t> ids_, positions_, slots_, seq_starts_, block_tables_, rows_;
    int64_t table_width_ = 1, num_blocks_ = 0;
    std::vector<float> rope_;
    std::vector<Watched> watched_;
};

/// The largest difference of two results, as a share of the largest number of `want`. Not-a-number counts as infinite.
double difference(const std::vector<float>& got, const std::vector<float>& want);

/// Levels of this machine's CPU, as names for make_device: "cpu:avx2", ... Where it has AVX-512 but no AMX, the last is that of tiles in
/// software.
std::vector<std::string> cpu_devices();

}  // namespace hearth::testing
