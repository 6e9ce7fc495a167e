#include "loaders/pool/memory_plan.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "loaders/weights/plan_weights.h"
#include "runtime/engine/model_engine.h"

namespace hearth {
namespace {

constexpr int64_t kSmallestContext = 256;  // a chat needs about this much to say anything; less is taken only where asked for

/// Finds the context; see plan_memory.
class ContextChooser {
public:
    ContextChooser(const CheckpointInfo& info, const CheckpointInfo* draft, const LoadSettings& settings, int64_t weights, int64_t usable)
        : config_(info.config), draft_(draft ? &draft->config : nullptr), settings_(settings), weights_(weights), usable_(usable) {}

    int64_t choose(const std::function<void(const std::string&)>& notice) const {
        if (settings_.context > 0) return asked_for();
        const int64_t own = draft_ ? std::min(config_.context, draft_->longest_context()) : config_.context;
        const int64_t fitting = fits(own) ? own : longest_fitting(own);
        if (notice && fitting < own) {
            notice(cat("context cut to ", fitting, " of ", own, " tokens: more does not fit in memory; --context chooses another"));
        } else if (notice && own < config_.context) {
            notice(cat("context cut to ", own, " of ", config_.context, " tokens: the draft model was made for no more"));
        }
        return fitting;
    }

    int64_t cache_bytes(int64_t context) const { return ModelEngine::planned_bytes(config_, engine_options(settings_, context), draft_); }

private:
    bool fits(int64_t context) const { return usable_ <= 0 || cache_bytes(context) <= usable_ - weights_; }

    int64_t asked_for() const {
        const int64_t longest = config_.longest_context();
        const int64_t context = settings_.context_at_most ? std::min(settings_.context, longest) : settings_.context;
        if (context > longest) {
            throw Error(ErrorKind::kBadInput,
                        cat("a context of ", context, " tokens was asked for, but this model was made for at most ", longest));
        }
        if (draft_ && context > draft_->longest_context()) {
            throw Error(ErrorKind::kBadInput,
                        cat("a context of ", context, " tokens was asked for, but the draft model was made for at most ",
                            draft_->longest_context()));
        }
        if (fits(context)) return context;
        throw Error(ErrorKind::kNoResources, cat("a context of ", context, " tokens takes ", human_bytes(cache_bytes(context)), " beside ",
                                                 human_bytes(weights_), " for the weights; there are ", human_bytes(usable_), " to use"));
    }

    int64_t longest_fitting(int64_t own) const {
        int64_t low = std::min(own, kSmallestContext), high = own;  // low is to fit, high does not
        if (!fits(low)) {
            throw Error(ErrorKind::kNoResources,
                        cat("this model takes ", human_bytes(weights_), " for its weights and ", human_bytes(cache_bytes(low)),
                            " for the smallest context; there are ", human_bytes(usable_), " to use"));
        }
        while (high - low > 1) (fits(low + (high - low) / 2) ? low : high) = low + (high - low) / 2;
        return low;
    }

    const ModelConfig& config_;
    const ModelConfig* draft_;
    const LoadSettings& settings_;
    const int64_t weights_, usable_;
};

}  // namespace

int64_t usable_bytes(const Backend& backend) { return backend.device().memory_bytes / 10 * 9; }

EngineOptions engine_options(const LoadSettings& settings, int64_t context) {
    EngineOptions out;
    out.context = context;
    out.cache_dtype = settings.cache_dtype;
    if (settings.max_sequences > 0) out.max_sequences = settings.max_sequences;
    return out;
}

MemoryPlan plan_memory(const CheckpointInfo& info, const CheckpointInfo* draft, const LoadSettings& settings, const Backend& backend,
                       int64_t usable, const std::function<void(const std::string&)>& notice) {
    MemoryPlan out;
    out.weights = planned_weight_bytes(info, backend, settings.quantize);
    if (draft) out.draft_weights = planned_weight_bytes(*draft, backend);
    const ContextChooser chooser(info, draft, settings, out.weights + out.draft_weights, usable);
    out.context = chooser.choose(notice);
    out.cache = chooser.cache_bytes(out.context);
    return out;
}

}  // namespace hearth
