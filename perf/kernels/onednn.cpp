// matmul/bf16_onednn: oneDNN's product, for perf_kernels to measure our own variants against. Built only where oneDNN is found.
//
// Each of our threads multiplies its own run of panels with a primitive of its own: oneDNN reads our panels as its format BA16a16b2a.
// Inside a thread it must not start others, so OpenMP is told so (its number of threads belongs to the calling thread). Primitives are made
// once for each shape and thread. Order of summation: oneDNN's, which may differ with the number of rows.
#include <dlfcn.h>

#include <cmath>
#include <dnnl.hpp>
#include <map>
#include <memory>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/scratch.h"
#include "perf/kernels/onednn.h"

namespace hearth::perf {
namespace {

using Memory = dnnl::memory;

/// One product y[T, n] = x[T, K'] w[K', n] with its scratch inside, for one thread.
struct Product {
    dnnl::matmul primitive;
    Memory x, w, y;
};

struct Shape {
    int64_t tokens, depth, n, row_stride;
    auto operator<=>(const Shape&) const = default;
};

/// Products by shape of one thread.
class Products {
public:
    Products() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

    void run(const Shape& shape, const void* x, const std::byte* w, float* y) {
        Product& product = of(shape);
        product.x.set_data_handle(const_cast<void*>(x));
        product.w.set_data_handle(const_cast<std::byte*>(w));
        product.y.set_data_handle(y);
        product.primitive.execute(stream_, {{DNNL_ARG_SRC, product.x}, {DNNL_ARG_WEIGHTS, product.w}, {DNNL_ARG_DST, product.y}});
        stream_.wait();
    }

private:
    Product& of(const Shape& shape) {
        const auto found = products_.find(shape);
        if (found != products_.end()) return found->second;
        const Memory::desc x({shape.tokens, shape.depth}, Memory::data_type::bf16, Memory::format_tag::ab);
        const Memory::desc w({shape.depth, shape.n}, Memory::data_type::bf16, Memory::format_tag::BA16a16b2a);
        const Memory::desc y({shape.tokens, shape.n}, Memory::data_type::f32, Memory::dims{shape.row_stride, 1});
        const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(x, w, y), engine_);
        Product product{dnnl::matmul(desc), Memory(x, engine_, nullptr), Memory(w, engine_, nullptr), Memory(y, engine_, nullptr)};
        return products_.emplace(shape, std::move(product)).first->second;
    }

    dnnl::engine engine_;
    dnnl::stream stream_;
    std::map<Shape, Product> products_;
};

/// OpenMP's own function, where oneDNN brought OpenMP: our build does not link it.
using SetThreads = void (*)(int);
SetThreads find_set_threads() { return reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads")); }

int64_t depth_of(const MatmulArgs& a) { return round_up(a.w.k, kPanelDepth); }

/// Writes the product with one weight, without bias, to y[T, N].
void multiply(const Weight& weight, const uint16_t* x, int64_t tokens, Range panels, Products& products, float* y, int64_t stride) {
    const int64_t depth = round_up(weight.k, kPanelDepth), begin = panels.begin * kPanelRows,
                  n = std::min(weight.n, panels.end * kPanelRows) - begin;
    if (n <= 0) return;
    products.run({tokens, depth, n, stride}, x, static_cast<const std::byte*>(weight.data) + begin * depth * 2, y + begin);
}

/// Bias, residual, SiLU and up for columns [begin, end) of y, which holds the first product; `second` that of up or null.
void finish(const MatmulArgs& a, Range tokens, const float* first, const float* second) {
    for (int64_t t = tokens.begin; t < tokens.end; ++t) {
        float* y = a.y.row(t);
        for (int64_t n = 0; n < a.w.n; ++n) {
            float v = first[t * a.w.n + n];
            if (a.bias.data) v += a.bias.data[n];
            if (second) {
                const float up = second[t * a.w.n + n] + (a.up_bias.data ? a.up_bias.data[n] : 0);
                v = v / (1 + std::exp(-v)) * up;
            } else if (a.residual.data) {
                v += a.residual.row(t)[n];
            }
            y[n] = v;
        }
    }
}

void run(const MatmulArgs& a, Stream& stream) noexcept {
    static const SetThreads set_threads = find_set_threads();
    ThreadPool& pool = pool_of(stream);
    static std::vector<Products> of_threads(static_cast<size_t>(pool.threads()));  // perf_kernels has one stream
    Scratch scratch(stream);
    const int64_t tokens = a.x.extent[0], depth = depth_of(a), panels = ceil_div(a.w.n, kPanelRows), threads = pool.threads();
    auto* x = scratch.take<uint16_t>(tokens * depth);
    const bool plain = !a.up && !a.bias.data && !a.residual.data;
    float* first = plain ? a.y.data : scratch.take<float>(tokens * a.w.n);
    float* second = a.up ? scratch.take<float>(tokens * a.w.n) : nullptr;
    share(stream, tokens, tokens * depth, [&](Range rows) {
        for (int64_t t = rows.begin; t < rows.end; ++t) {
            for (int64_t k = 0; k < depth; ++k) x[t * depth + k] = k < a.w.k ? to_bf16(a.x.row(t)[k]).bits : 0;
        }
    });
    pool.run([&](int thread) noexcept {
        if (set_threads) set_threads(1);
        const Range part = part_of(panels, thread, threads);
        Products& products = of_threads[static_cast<size_t>(thread)];
        multiply(a.w, x, tokens, part, products, first, plain ? a.y.stride[0] : a.w.n);
        if (second) multiply(a.up, x, tokens, part, products, second, a.w.n);
    });
    if (!plain) share(stream, tokens, tokens * a.w.n, [&](Range rows) { finish(a, rows, first, second); });
}

constexpr int64_t kLeastTokens = 16;  // below, our own variants stream weights faster than a primitive starts

bool supports(const MatmulArgs& a, const Device& device) {
    const bool weights = a.w.layout == WeightLayout::kPanels && a.w.format == WeightFormat::kBf16 &&
                         (!a.up || (a.up.layout == a.w.layout && a.up.format == a.w.format));
    return device.level >= CpuLevel::kAvx512 && weights && a.x.extent[0] >= kLeastTokens && a.x.stride[1] == 1 && a.y.stride[1] == 1;
}

size_t workspace(const MatmulArgs& a, const Device&) {
    const int64_t tokens = a.x.extent[0];
    return scratch_bytes<uint16_t>(tokens * depth_of(a)) + 2 * scratch_bytes<float>(tokens * a.w.n);
}

}  // namespace

const Variant<MatmulArgs> kMatmulOneDnn{"matmul/bf16_onednn", supports, workspace, run};

}  // namespace hearth::perf
