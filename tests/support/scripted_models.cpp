#include "tests/support/scripted_models.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/text.h"

namespace hearth::testing {

std::shared_ptr<const Tokenizer> ember_tokenizer() {
    static const auto tokenizer = open_tokenizer(find_model("ember").folder);
    return tokenizer;
}

ScriptedModels::ScriptedModels() { ::setenv("HEARTH_MODELS", path().c_str(), 1); }

ScriptedModels::~ScriptedModels() { ::unsetenv("HEARTH_MODELS"); }

void ScriptedModels::add(const std::string& name, Model model) {
    folder_.write(name + "/config.json", "{}");
    folder_.write(name + "/model.safetensors", "no weights");
    const std::lock_guard lock(mutex_);
    models_[std::filesystem::weakly_canonical(path() / name).string()] = std::move(model);
}

ModelPool::Planner ScriptedModels::planner() {
    return [this](const ModelSpec& spec, const OpenPlace&) {
        const std::lock_guard lock(mutex_);
        const auto model = models_.find(std::filesystem::weakly_canonical(spec.entry.folder).string());
        if (model == models_.end()) throw Error(ErrorKind::kBadInput, cat(spec.name, ": no script has this name"));
        PlannedModel out;
        out.bytes = model->second.bytes;
        out.open = [this, spec, model](const Progress& progress) { return open(spec, model->second, progress); };
        return out;
    };
}

ModelPool::Options ScriptedModels::options(const std::string& first, int64_t budget) {
    ModelPool::Options out;
    out.catalogue.first = first;
    out.memory_bytes = budget;
    out.plan = planner();
    return out;
}

std::shared_ptr<ResidentModel> ScriptedModels::open(const ModelSpec& spec, const Model& model, const Progress& progress) {
    bool fails = false;
    {
        const std::lock_guard lock(mutex_);
        ++loads_[spec.entry.name];
        bytes_ += model.bytes;  // memory is taken from the beginning of a load
        most_bytes_ = std::max(most_bytes_, bytes_);
        ++loading_;
        Model& counted = models_.at(std::filesystem::weakly_canonical(spec.entry.folder).string());
        fails = counted.failures > 0;
        counted.failures -= fails;
    }
    const auto release = [this, bytes = model.bytes] {
        const std::lock_guard lock(mutex_);
        bytes_ -= bytes;
    };
    try {
        do {
            if (progress) progress({"loading " + spec.entry.name, 1, 2});
            if (model.loads && !model.loads->is_open()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        } while (model.loads && !model.loads->is_open());
        if (fails) throw Error(ErrorKind::kIo, cat(spec.entry.name, ": the script says that this load fails"));
    } catch (...) {
        release();
        const std::lock_guard lock(mutex_);
        --loading_;
        throw;
    }
    std::shared_ptr<ResidentModel> out(new ResidentModel, [release](ResidentModel* resident) {
        delete resident;
        release();
    });
    out->entry = spec.entry;
    out->tokenizer = ember_tokenizer();
    const Script script = model.script ? model.script : says(*out->tokenizer, "I am " + spec.entry.name);
    EngineOptions options;
    options.context = model.context;
    out->engine = std::make_unique<ScriptedEngine>(script, options);
    const std::lock_guard lock(mutex_);
    --loading_;
    return out;
}

int64_t ScriptedModels::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

int64_t ScriptedModels::most_bytes() const {
    const std::lock_guard lock(mutex_);
    return most_bytes_;
}

int ScriptedModels::loads(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto at = loads_.find(name);
    return at == loads_.end() ? 0 : at->second;
}

int ScriptedModels::loading() const {
    const std::lock_guard lock(mutex_);
    return loading_;
}

std::string answer_of(const ModelPool::Lease& lease) {
    Request request;
    request.prompt = {1};
    request.max_tokens = 100;
    const auto stream = submit_or_throw(*lease.model->engine, std::move(request));
    std::vector<int32_t> ids;
    for (auto event = stream->next(); !event->finish; event = stream->next()) ids.push_back(event->token.id);
    return std::string(trim(lease.model->tokenizer->decode(ids)));
}

}  // namespace hearth::testing
