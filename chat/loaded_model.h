// A model made ready to chat: engine, tokenizer and template together, and one turn of a conversation on them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "chat/default_sampling.h"
#include "chat/template/chat_template.h"
#include "loaders/pool/resident_model.h"

namespace hearth {

struct Message {
    std::string role;  // "system", "user", "assistant", ...
    std::string content;
};

/// How a model is opened; the options that all subcommands share.
struct OpenOptions {
    std::string model;  // folder, name in the model directory, or "" for Ember
    BackendOptions backend;
    LoadSettings load;
    std::string chat_template;  // name of a built-in one; "": the checkpoint's
    bool profile = false;       // the engine is to say where its time went
    Progress progress;
    /// One line for people: "context cut to ...", "eos_token_id is ...; left aside".
    std::function<void(const std::string&)> notice;
    /// The same for what must be said to who wants no notices: "no template, using chatml". Where it is not set, notice is called.
    std::function<void(const std::string&)> warning;
};

/// What one loaded model is, and everything that a turn needs. Thread-safe.
class LoadedModel {
public:
    /// Loads; throws Error. Says beforehand, through options.notice, how much memory it will take.
    static std::shared_ptr<LoadedModel> open(const OpenOptions& options);

    /// The same for a model that was found and inspected already: `options.model` is not looked at.
    static std::shared_ptr<LoadedModel> open(const OpenOptions& options, const ModelEntry& entry, CheckpointInfo info);

    const ModelEntry& entry() const { return resident_->entry; }
    const CheckpointInfo& info() const { return resident_->info; }
    const Tokenizer& tokenizer() const { return *resident_->tokenizer; }
    Engine& engine() { return *resident_->engine; }
    const FoundTemplate& chat_template() const { return template_; }

    /// Ids of a conversation through its template, ready for an answer. Exactly one bos. Throws Error when the template refuses.
    std::vector<int32_t> encode_chat(const std::vector<Message>& messages) const;

    /// Ids of plain text, with a bos where the vocabulary wants one.
    std::vector<int32_t> encode_text(const std::string& text) const;

    /// End tokens: the checkpoint's, the tokenizer's, and the one that the template writes after an answer. Each once.
    const std::vector<int32_t>& stop_tokens() const { return stop_tokens_; }

    /// What counts where nothing else is set.
    SampleParams default_sampling() const { return hearth::default_sampling(info().recommended_sampling); }

private:
    LoadedModel() = default;
    std::vector<TextSpan> render(const std::vector<Message>& messages, bool for_an_answer) const;
    std::vector<int32_t> find_stop_tokens() const;

    std::shared_ptr<ResidentModel> resident_;
    FoundTemplate template_;
    std::vector<int32_t> stop_tokens_;
};

}  // namespace hearth
