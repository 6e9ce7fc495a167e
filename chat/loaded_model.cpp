#include "chat/loaded_model.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/weights/plan_weights.h"
#include "runtime/engine/model_engine.h"

namespace hearth {
namespace {

constexpr int64_t kSmallestContext = 256;  // a chat needs about this much to say anything; less is taken only where asked for

void say(const OpenOptions& options, const std::string& line) {
    if (options.notice) options.notice(line);
}

void warn(const OpenOptions& options, const std::string& line) {
    if (options.warning) return options.warning(line);
    say(options, line);
}

/// What may be taken of the device's memory: some of it belongs to the files' cache, to the page and to everybody else.
int64_t usable_bytes(const Backend& backend) { return backend.device().memory_bytes / 10 * 9; }

int64_t cache_bytes(const ModelConfig& config, int64_t context, DType cache_dtype) {
    EngineOptions options;
    options.context = context;
    options.cache_dtype = cache_dtype;
    return ModelEngine::planned_bytes(config, options);
}

/// The context that the model gets: what was asked for, else its own, cut to what fits beside the weights.
int64_t choose_context(const OpenOptions& options, const CheckpointInfo& info, int64_t weights, int64_t usable) {
    const int64_t own = info.config.context, longest = info.config.longest_context();
    if (options.context > longest) {
        throw Error(ErrorKind::kBadInput,
                    cat("a context of ", options.context, " tokens was asked for, but this model was made for at most ", longest));
    }
    const auto fits = [&](int64_t context) {
        return usable <= 0 || cache_bytes(info.config, context, options.cache_dtype) <= usable - weights;
    };
    if (options.context > 0) {
        if (fits(options.context)) return options.context;
        throw Error(ErrorKind::kNoResources, cat("a context of ", options.context, " tokens takes ",
                                                 human_bytes(cache_bytes(info.config, options.context, options.cache_dtype)), " beside ",
                                                 human_bytes(weights), " for the weights; there are ", human_bytes(usable), " to use"));
    }
    if (fits(own)) return own;
    int64_t low = std::min(own, kSmallestContext), high = own;  // low is to fit, high does not
    if (!fits(low)) {
        throw Error(ErrorKind::kNoResources, cat("this model takes ", human_bytes(weights), " for its weights and ",
                                                 human_bytes(cache_bytes(info.config, low, options.cache_dtype)),
                                                 " for the smallest context; there are ", human_bytes(usable), " to use"));
    }
    while (high - low > 1) (fits(low + (high - low) / 2) ? low : high) = low + (high - low) / 2;
    say(options, cat("context cut to ", low, " of ", own, " tokens: more does not fit in memory; --context chooses another"));
    return low;
}

FoundTemplate choose_template(const OpenOptions& options, const std::filesystem::path& folder) {
    if (!options.chat_template.empty()) return builtin_template(options.chat_template);
    if (auto found = find_template(folder)) return *std::move(found);
    warn(options, "the checkpoint has no chat template, using chatml; --chat-template chooses another");
    return builtin_template("chatml");
}

std::string text_of(const Tokenizer& tokenizer, std::optional<int32_t> id) { return id ? tokenizer.token_bytes(*id, true) : std::string(); }

void add_once(std::vector<int32_t>& ids, int32_t id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

}  // namespace

std::shared_ptr<LoadedModel> LoadedModel::open(const OpenOptions& options) {
    const ModelEntry entry = find_model(options.model);
    return open(options, entry, inspect_checkpoint(entry.folder));
}

std::shared_ptr<LoadedModel> LoadedModel::open(const OpenOptions& options, const ModelEntry& entry, CheckpointInfo info) {
    std::shared_ptr<LoadedModel> out(new LoadedModel());
    out->entry_ = entry;
    out->info_ = std::move(info);
    const auto backend = make_backend(options.backend);
    // The small files first: what is wrong with them should be said before gigabytes are read.
    for (const std::string& notice : out->info_.notices) say(options, notice);
    std::vector<std::string> left_aside;
    out->tokenizer_ = open_tokenizer(entry.folder, &left_aside);
    for (const std::string& notice : left_aside) say(options, notice);
    out->template_ = choose_template(options, entry.folder);
    const int64_t weights = planned_weight_bytes(out->info_, *backend, options.quantize);
    EngineOptions engine;
    engine.cache_dtype = options.cache_dtype;
    engine.context = choose_context(options, out->info_, weights, usable_bytes(*backend));
    say(options, cat(entry.name, " takes ", human_bytes(weights), " of memory for weights and ",
                     human_bytes(cache_bytes(out->info_.config, engine.context, options.cache_dtype)), " for a context of ", engine.context,
                     " tokens"));
    LoadOptions load;
    engine.profile = options.profile;
    load.max_context = engine.context;
    load.quantize = options.quantize;
    load.progress = options.progress;
    out->model_ = load_model(out->info_, backend, load);
    out->info_.checkpoint.reset();  // nothing more is read
    if (out->tokenizer_->vocab_size() > out->info_.config.vocab) {
        say(options, cat("the tokenizer has ", out->tokenizer_->vocab_size(), " tokens, the model only ", out->info_.config.vocab,
                         ": text that needs the others is refused"));
    }
    out->engine_ = std::make_unique<ModelEngine>(out->model_, engine);
    out->stop_tokens_ = out->find_stop_tokens();
    return out;
}

std::vector<TextSpan> LoadedModel::render(const std::vector<Message>& messages, bool for_an_answer) const {
    nlohmann::json list = nlohmann::json::array();
    for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
    const nlohmann::json context{{"messages", std::move(list)},
                                 {"add_generation_prompt", for_an_answer},
                                 {"bos_token", text_of(*tokenizer_, tokenizer_->bos())},
                                 {"eos_token", text_of(*tokenizer_, tokenizer_->eos())}};
    return template_.chat_template->render(context, static_cast<int64_t>(std::time(nullptr)));
}

std::vector<int32_t> LoadedModel::encode_chat(const std::vector<Message>& messages) const {
    std::vector<int32_t> ids = tokenizer_->encode(render(messages, true));
    const auto bos = tokenizer_->bos();
    if (!bos) return ids;
    // Templates disagree on whose business the bos is: some write it, some leave it to the tokenizer, some do so twice.
    const auto first_other = std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id != *bos; });
    if (first_other - ids.begin() > 1) ids.erase(ids.begin() + 1, first_other);
    if (tokenizer_->adds_bos() && (ids.empty() || ids.front() != *bos)) ids.insert(ids.begin(), *bos);
    return ids;
}

std::vector<int32_t> LoadedModel::encode_text(const std::string& text) const {
    std::vector<int32_t> ids = tokenizer_->encode_plain(text);
    if (tokenizer_->adds_bos() && tokenizer_->bos()) ids.insert(ids.begin(), *tokenizer_->bos());
    return ids;
}

std::vector<int32_t> LoadedModel::find_stop_tokens() const {
    std::vector<int32_t> out;
    for (const int32_t id : info_.eos_tokens) add_once(out, id);
    if (const auto eos = tokenizer_->eos()) add_once(out, *eos);
    // Some checkpoints leave out of their lists the very token that their template ends an answer with.
    constexpr const char* kMark = "hearth-answer";
    std::vector<TextSpan> spans;
    try {
        spans = render({{"user", "hello"}, {"assistant", kMark}}, false);
    } catch (const Error&) {
        return out;  // a template that wants other conversations; the lists must do
    }
    std::string after;  // template text between the answer and the next text of people
    bool seen = false;
    for (const TextSpan& span : spans) {
        const size_t at = span.text.find(kMark);
        if (seen) {
            if (!span.trusted) break;
            after += span.text;
        } else if (at != std::string::npos) {
            seen = true;
            if (span.trusted) after = span.text.substr(at + std::string(kMark).size());
        }
    }
    const std::string_view tail = trim(after);
    for (const SpecialToken& special : tokenizer_->specials()) {
        if (special.control && special.id != tokenizer_->bos() && !special.text.empty() && tail.starts_with(special.text))
            add_once(out, special.id);
    }
    return out;
}

}  // namespace hearth
