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
#include "loaders/pool/model_pool.h"

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
    int64_t memory_bytes = 0;   // that it may take; 0: what the device has to give
    bool profile = false;       // the engine is to say where its time went
    Progress progress;
    /// One line for people: "context cut to ...", "eos_token_id is ...; left aside".
    std::function<void(const std::string&)> notice;
    /// The same for what must be said to who wants no notices: "no template, using chatml". Where it is not set, notice is called.
    std::function<void(const std::string&)> warning;
};

/// What stands between a model and its conversations. Immutable.
struct ChatFront {
    FoundTemplate chat_template;
    /// End tokens: the checkpoint's, the tokenizer's, and the one that the template writes after an answer. Each once.
    std::vector<int32_t> stop_tokens;
};

/// The built-in template of that name, or with "" that of `folder`; where it has none chatml, and `warning` (may be empty) is told so.
/// Throws Error.
FoundTemplate read_template(const std::string& name, const std::filesystem::path& folder,
                            const std::function<void(const std::string&)>& warning);

std::shared_ptr<const ChatFront> make_front(const ResidentModel& model, FoundTemplate chat_template);

/// A model in memory, opened alone or leased of a pool, and everything that a turn needs. Thread-safe.
class LoadedModel {
public:
    /// Loads; throws Error. Says beforehand, through options.notice, how much memory it will take.
    static std::shared_ptr<LoadedModel> open(const OpenOptions& options);

    /// What a lease gave; the lease ends with it.
    static std::shared_ptr<LoadedModel> leased(ModelPool::Lease lease, std::shared_ptr<const ChatFront> front);

    const std::string& name() const { return name_; }  // that it was asked for by
    const ModelEntry& entry() const { return resident_->entry; }
    const CheckpointInfo& info() const { return resident_->info; }
    const Tokenizer& tokenizer() const { return *resident_->tokenizer; }
    Engine& engine() { return *resident_->engine; }
    const FoundTemplate& chat_template() const { return front_->chat_template; }

    /// Ids of a conversation through its template, ready for an answer. Exactly one bos. The preset's system prompt stands in front where
    /// the conversation has no system message. Throws Error when the template refuses.
    std::vector<int32_t> encode_chat(const std::vector<Message>& messages) const;

    /// Ids of plain text, with a bos where the vocabulary wants one.
    std::vector<int32_t> encode_text(const std::string& text) const;

    const std::vector<int32_t>& stop_tokens() const { return front_->stop_tokens; }

    /// What counts where nothing else is set: the preset's, else the model's.
    SampleParams default_sampling() const;

private:
    LoadedModel() = default;

    std::string name_;
    std::shared_ptr<ResidentModel> resident_;
    std::shared_ptr<const ChatFront> front_;
    PresetSampling sampling_;
    std::string system_prompt_;
};

}  // namespace hearth
