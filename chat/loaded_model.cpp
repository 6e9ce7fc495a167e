#include "chat/loaded_model.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

std::string text_of(const Tokenizer& tokenizer, std::optional<int32_t> id) { return id ? tokenizer.token_bytes(*id, true) : std::string(); }

void add_once(std::vector<int32_t>& ids, int32_t id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

std::vector<TextSpan> render(const FoundTemplate& found, const Tokenizer& tokenizer, const std::vector<Message>& messages,
                             bool for_an_answer) {
    nlohmann::json list = nlohmann::json::array();
    for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
    const nlohmann::json context{{"messages", std::move(list)},
                                 {"add_generation_prompt", for_an_answer},
                                 {"bos_token", text_of(tokenizer, tokenizer.bos())},
                                 {"eos_token", text_of(tokenizer, tokenizer.eos())}};
    return found.chat_template->render(context, static_cast<int64_t>(std::time(nullptr)));
}

std::vector<int32_t> find_stop_tokens(const ResidentModel& model, const FoundTemplate& found) {
    const Tokenizer& tokenizer = *model.tokenizer;
    std::vector<int32_t> out;
    for (const int32_t id : model.info.eos_tokens) add_once(out, id);
    if (const auto eos = tokenizer.eos()) add_once(out, *eos);
    // Some checkpoints leave out of their lists the very token that their template ends an answer with.
    constexpr const char* kMark = "hearth-answer";
    std::vector<TextSpan> spans;
    try {
        spans = render(found, tokenizer, {{"user", "hello"}, {"assistant", kMark}}, false);
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
    for (const SpecialToken& special : tokenizer.specials()) {
        if (special.control && special.id != tokenizer.bos() && !special.text.empty() && tail.starts_with(special.text))
            add_once(out, special.id);
    }
    return out;
}

}  // namespace

FoundTemplate read_template(const std::string& name, const std::filesystem::path& folder,
                            const std::function<void(const std::string&)>& warning) {
    if (!name.empty()) return builtin_template(name);
    if (auto found = find_template(folder)) return *std::move(found);
    if (warning) warning("the checkpoint has no chat template, using chatml; --chat-template chooses another");
    return builtin_template("chatml");
}

std::shared_ptr<const ChatFront> make_front(const ResidentModel& model, FoundTemplate chat_template) {
    auto out = std::make_shared<ChatFront>();
    out->stop_tokens = find_stop_tokens(model, chat_template);
    out->chat_template = std::move(chat_template);
    return out;
}

std::shared_ptr<LoadedModel> LoadedModel::open(const OpenOptions& options) {
    std::shared_ptr<LoadedModel> out(new LoadedModel());
    const ModelEntry entry = find_model(options.model);
    FoundTemplate found = read_template(options.chat_template, entry.folder, options.warning ? options.warning : options.notice);
    OpenPlace place;
    place.backend = make_backend(options.backend);
    place.memory_bytes = options.memory_bytes;
    place.profile = options.profile;
    place.notice = options.notice;
    out->resident_ = plan_model(entry, options.load, place).open(options.progress);
    out->name_ = entry.name;
    out->front_ = make_front(*out->resident_, std::move(found));
    return out;
}

std::shared_ptr<LoadedModel> LoadedModel::leased(ModelPool::Lease lease, std::shared_ptr<const ChatFront> front) {
    std::shared_ptr<LoadedModel> out(new LoadedModel());
    out->name_ = std::move(lease.name);
    out->resident_ = std::move(lease.model);
    out->front_ = std::move(front);
    out->sampling_ = lease.preset.sampling;
    out->system_prompt_ = std::move(lease.preset.system_prompt);
    return out;
}

std::vector<int32_t> LoadedModel::encode_chat(const std::vector<Message>& messages) const {
    std::vector<Message> all = messages;
    const bool has_system = std::ranges::find(all, "system", &Message::role) != all.end();
    if (!system_prompt_.empty() && !has_system) all.insert(all.begin(), {"system", system_prompt_});
    std::vector<int32_t> ids = tokenizer().encode(render(front_->chat_template, tokenizer(), all, true));
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

SampleParams LoadedModel::default_sampling() const {
    SampleParams out = hearth::default_sampling(info().recommended_sampling);
    out.temperature = sampling_.temperature.value_or(out.temperature);
    out.top_k = sampling_.top_k.value_or(out.top_k);
    out.top_p = sampling_.top_p.value_or(out.top_p);
    out.min_p = sampling_.min_p.value_or(out.min_p);
    out.repetition_penalty = sampling_.repetition_penalty.value_or(out.repetition_penalty);
    out.frequency_penalty = sampling_.frequency_penalty.value_or(out.frequency_penalty);
    out.presence_penalty = sampling_.presence_penalty.value_or(out.presence_penalty);
    return out;
}

}  // namespace hearth
