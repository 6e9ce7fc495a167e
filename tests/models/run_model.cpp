#include "tests/models/run_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/make_backend.h"
#include "runtime/engine/model_engine.h"

namespace hearth::testing {
namespace {

/// One sequence that is computed chunk by chunk, in every third block.
struct Track {
    std::vector<int32_t> ids;
    int64_t chunk = 1, at = 0;
    std::vector<BlockId> blocks;

    Track(std::span<const int32_t> ids_, int64_t chunk_, BlockId first) : ids(ids_.begin(), ids_.end()), chunk(chunk_) {
        for (int64_t b = 0; b < ceil_div<int64_t>(std::ssize(ids), kBlockTokens); ++b)
            blocks.push_back(static_cast<BlockId>(3 * b + first));
        std::ranges::reverse(blocks);  // no page table is the identity
    }
    int64_t next() const { return std::min(chunk, static_cast<int64_t>(ids.size()) - at); }
};

void add_next(Batch& batch, Track& track, bool wanted) {
    const int64_t count = track.next();
    if (count == 0) return;
    batch.add(std::span(track.ids).subspan(static_cast<size_t>(track.at), static_cast<size_t>(count)), track.at, track.blocks,
              wanted ? count : 0);
    track.at += count;
}

}  // namespace

std::shared_ptr<const Backend> try_backend(const std::string& device, int threads) {
    BackendOptions options;
    options.device = device;
    options.threads = threads;
    try {
        return make_backend(options);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::kUnsupported) throw;
        return nullptr;
    }
}

RunResult run_prompt(const Model& model, std::span<const int32_t> ids, const RunOptions& options) {
    const auto T = static_cast<int64_t>(ids.size());
    const int64_t chunk = std::min(options.chunk, T), width = ceil_div(T, kBlockTokens);
    const std::vector<int32_t> backwards(ids.rbegin(), ids.rend());
    const std::span<const int32_t> half = std::span(backwards).first((ids.size() + 1) / 2);
    Track own(ids, chunk, 1), before(half, std::max<int64_t>(1, chunk / 2), 0), after(backwards, 1, 2);
    const KvCache cache(model.config(), model.backend(), 3 * width, options.cache);
    Model::Workspace workspace(model, 2 * chunk + 2, chunk);
    RunResult out;
    out.hidden.resize(static_cast<size_t>(model.config().layers) + 1);
    Batch batch;
    while (own.next() > 0) {
        batch.begin(width);
        if (options.crowded) add_next(batch, before, false);
        const int64_t first = batch.num_tokens(), count = own.next();
        add_next(batch, own, true);
        if (options.crowded) add_next(batch, after, false);
        const auto logits = model.forward(batch, cache, workspace, [&](int64_t layer, View<const float, 2> x) {
            auto& into = out.hidden[static_cast<size_t>(layer)];
            into.insert(into.end(), x.row(first), x.row(first) + count * x.extent[1]);
        });
        workspace.stream().wait();
        std::vector<float> host(static_cast<size_t>(logits.size()));
        model.backend().copy_to_host(host.data(), logits.data, logits.size() * int64_t{sizeof(float)});
        out.logits.insert(out.logits.end(), host.begin(), host.end());
    }
    out.hidden.back() = final_norm(model, out.hidden.back());
    return out;
}

std::vector<int32_t> greedy_answer(std::shared_ptr<const Model> model, const std::vector<int32_t>& ids, int64_t count,
                                   const RunOptions& options) {
    EngineOptions engine_options;
    engine_options.cache_dtype = options.cache;
    engine_options.max_step_tokens = std::clamp<int64_t>(options.chunk, 1, 512);
    engine_options.max_sequences = options.crowded ? 3 : 1;
    ModelEngine engine(std::move(model), engine_options);
    Request request;
    request.prompt = ids;
    request.max_tokens = count;
    request.sampling.temperature = 0;
    std::vector<std::shared_ptr<TokenStream>> others;
    for (int i = 0; options.crowded && i < 4; ++i) {
        Request other = request;
        std::rotate(other.prompt.begin(), other.prompt.begin() + 1 + i, other.prompt.end());
        other.sampling.temperature = 1;
        others.push_back(submit_or_throw(engine, other));
    }
    const auto stream = submit_or_throw(engine, request);
    std::vector<int32_t> out;
    for (auto event = stream->next(); !event->finish; event = stream->next()) out.push_back(event->token.id);
    return out;
}

std::vector<float> final_norm(const Model& model, const std::vector<float>& x) {
    const int64_t hidden = model.config().hidden;
    std::vector<float> weight(static_cast<size_t>(hidden)), out(x.size());
    model.backend().copy_to_host(weight.data(), model.weights().final_norm.bytes.get(), hidden * int64_t{sizeof(float)});
    for (size_t row = 0; row < x.size(); row += static_cast<size_t>(hidden)) {
        double squares = 0;
        for (size_t i = 0; i < weight.size(); ++i) squares += double{x[row + i]} * double{x[row + i]};
        const double scale = 1 / std::sqrt(squares / static_cast<double>(hidden) + double{model.config().rms_eps});
        for (size_t i = 0; i < weight.size(); ++i) out[row + i] = static_cast<float>(double{x[row + i]} * scale) * weight[i];
    }
    return out;
}

int64_t argmax(std::span<const float> row) { return std::ranges::max_element(row) - row.begin(); }

float gap_of(std::span<const float> row) {
    float best = -std::numeric_limits<float>::infinity(), second = best;
    for (const float x : row) {
        if (x > best) {
            second = std::exchange(best, x);
        } else {
            second = std::max(second, x);
        }
    }
    return best - second;
}

float largest_of(std::span<const float> values) {
    float largest = 0;
    for (const float x : values) largest = std::max(largest, std::abs(x));
    return largest;
}

}  // namespace hearth::testing
