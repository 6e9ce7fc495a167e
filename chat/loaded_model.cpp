#include "chat/loaded_model.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

void say(const OpenOptions& options, const std::string& line) {
    if (options.notice) options.notice(line);
}

void warn(const OpenOptions& options, const std::string& line) {
    if (options.warning) return options.warning(line);
    say(options, line);
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
    out->template_ = choose_template(options, entry.folder);
    const OpenPlace place{.backend = make_backend(options.backend), .profile = options.profile, .notice = options.notice};
    out->resident_ = plan_model(entry, std::move(info), options.load, place).open(options.progress);
    out->stop_tokens_ = out->find_stop_tokens();
    return out;
}

std::vector<TextSpan> LoadedModel::render(const std::vector<Message>& messages, bool for_an_answer) const {
    nlohmann::json list = nlohmann::json::array();
    for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
    const nlohmann::json context{{"messages", std::move(list)},
                                 {"add_generation_prompt", for_an_answer},
                                 {"bos_token", text_of(tokenizer(), tokenizer().bos())},
                                 {"eos_token", text_of(tokenizer(), tokenizer().eos())}};
    return template_.chat_template->render(context, static_cast<int64_t>(std::time(nullptr)));
}

std::vector<int32_t> LoadedModel::encode_chat(const std::vector<Message>& messages) const {
    std::vector<int32_t> ids = tokenizer().encode(render(messages, true));
    const auto bos = tokenizer().bos();
    if (!bos) return ids;
    // Templates disagree on whose business the bos is: some write it, some leave it to the tokenizer, some do so twice.
    const auto first_other = std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id != *bos; });
    if (first_other - ids.begin() > 1) ids.erase(ids.begin() + 1, first_other);
    if (tokenizer().adds_bos() && (ids.empty() || ids.front() != *bos)) ids.insert(ids.begin(), *bos);
    return ids;
}

std::vector<int32_t> LoadedModel::encode_text(const std::string& text) const {
    std::vector<int32_t> ids = tokenizer().encode_plain(text);
    if (tokenizer().adds_bos() && tokenizer().bos()) ids.insert(ids.begin(), *tokenizer().bos());
    return ids;
}

std::vector<int32_t> LoadedModel::find_stop_tokens() const {
    std::vector<int32_t> out;
    for (const int32_t id : info().eos_tokens) add_once(out, id);
    if (const auto eos = tokenizer().eos()) add_once(out, *eos);
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
    for (const SpecialToken& special : tokenizer().specials()) {
        if (special.control && special.id != tokenizer().bos() && !special.text.empty() && tail.starts_with(special.text))
            add_once(out, special.id);
    }
    return out;
}

}  // namespace hearth
