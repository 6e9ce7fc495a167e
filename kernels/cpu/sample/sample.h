// The next token of each row. Traffic: the logits once, then scores in L2. Rows of a batch are shared among threads.
#pragma once

#include <algorithm>

#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/sample/sampling.h"
#include "kernels/select.h"

namespace hearth::cpu {

template <class V>
void run_sample(const SampleArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    ThreadPool& pool = pool_of(stream);
    const int64_t rows = a.logits.extent[0], vocab = a.logits.extent[1], parts = std::min<int64_t>(rows, pool.threads());
    auto* spaces = scratch.take<SampleSpace<V>>(parts);
    for (int64_t i = 0; i < parts; ++i) spaces[i] = SampleSpace<V>::take(scratch, vocab);
    const auto work = [&](int64_t part) noexcept {
        Sampling<V> row(spaces[part]);
        const Range range = part_of(rows, part, parts);
        for (int64_t s = range.begin; s < range.end; ++s) a.ids.data[s] = row.run(sample_row_of(a, s));
    };
    if (parts <= 1) return work(0);
    pool.run([&](int thread) noexcept {
        if (thread < parts) work(thread);
    });
}

template <class V>
size_t sample_workspace(const SampleArgs& a, const Device& device) {
    const int64_t parts = std::min<int64_t>(a.logits.extent[0], device.threads);
    return scratch_bytes<SampleSpace<V>>(parts) + static_cast<size_t>(parts) * SampleSpace<V>::bytes(a.logits.extent[1]);
}

}  // namespace hearth::cpu
