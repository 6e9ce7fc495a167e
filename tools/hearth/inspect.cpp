// hearth inspect: everything that can be said of a model without reading its weights.
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "runtime/engine/admission.h"
#include "runtime/kv_cache.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/inspect/report.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

class Inspect : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.flag("--tensors", all_tensors_, "Every tensor, with its file");
        arguments.flag("--json", json_, "One JSON object (tensors only with --tensors)");
        model_.declare(arguments);
    }

    int run() override {
        ModelReport report;
        report.entry = find_model(model_.model);
        report.info = inspect_checkpoint(report.entry.folder);
        report.tensors = list_tensors(report.info);
        const auto backend = make_backend(model_.backend());
        report.device = cat(backend->name(), ", ", name_of(backend->device().level), ", ", backend->device().threads, " threads");
        report.device_name = backend->device().name;
        find_text_parts(report);
        plan(report, *backend);
        write_out(json_ ? report_json(report, all_tensors_) : report_text(report, all_tensors_));
        return kExitOk;
    }

private:
    /// A broken tokenizer or template is said in its place: the rest is still worth reading.
    void find_text_parts(ModelReport& report) const {
        try {
            report.tokenizer = open_tokenizer(report.entry.folder);
        } catch (const Error& error) {
            report.no_tokenizer = error.what();
        }
        try {
            report.chat_template =
                model_.chat_template.empty() ? find_template(report.entry.folder) : builtin_template(model_.chat_template);
        } catch (const Error& error) {
            report.no_template = error.what();
        }
    }

    void plan(ModelReport& report, const Backend& backend) const {
        const ModelConfig& config = report.info.config;
        const int64_t longest = config.longest_context();
        if (model_.context > longest)
            throw Error(ErrorKind::kTooLarge, cat("--context ", model_.context, ": this model was made for ", longest, " tokens"));
        EngineOptions wanted;
        wanted.cache_dtype = model_.cache_dtype();
        wanted.context = model_.context > 0 ? model_.context : config.context;
        const EngineOptions engine = resolve_options(wanted, longest);
        const Weights planned = planned_layers(report.info, backend, model_.quantize());
        report.kernels = choose_kernels(config, planned, backend, engine);
        report.weights = weight_lines(planned);
        report.formats = formats_of(planned);
        MemoryPlan& memory = report.memory;
        memory.context = engine.context;
        memory.weights = planned_weight_bytes(report.info, backend, model_.quantize());
        memory.cache = engine.num_blocks * KvCache::bytes_per_block(config, engine.cache_dtype);
        memory.cache_tokens = engine.num_blocks * kBlockTokens;
        memory.cache_per_token = memory.cache_tokens > 0 ? memory.cache / memory.cache_tokens : 0;
        memory.activations = Model::Workspace::activation_bytes(config, engine.max_step_tokens, engine.max_sequences);
        memory.scratch = report.kernels.scratch_bytes;
        memory.available = backend.device().memory_bytes;
    }

    ModelOptions model_;
    bool all_tensors_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace hearth::tool
