#include "chat/template/chat_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "chat/template/run/interpreter.h"
#include "chat/template/syntax/parser.h"

namespace hearth {
namespace {

using namespace jinja;
using Json = nlohmann::ordered_json;

constexpr size_t kLongestSource = 1 << 20;  // the longest that anybody published has 17 KB

/// Whose the texts of a value are.
enum class Origin : uint8_t { kTemplate, kPerson, kMessages, kMessage };

/// Variables of a context whose text may become special tokens, because the checkpoint or we wrote it. The text of every variable that is
/// not named here is a person's: whoever adds one decides.
constexpr std::string_view kTemplateVariables[] = {"bos_token", "eos_token"};

Origin origin_of(const std::string& variable) {
    if (variable == "messages") return Origin::kMessages;
    const bool ours = std::ranges::find(kTemplateVariables, variable) != std::end(kTemplateVariables);
    return ours ? Origin::kTemplate : Origin::kPerson;
}

Value convert(Runtime& runtime, const Json& json, Origin origin, int depth);

/// Most text is ASCII, which needs no second look.
std::string clean(const std::string& text) {
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return ascii ? text : sanitize_utf8(text);
}

Value convert_dict(Runtime& runtime, const Json& json, Origin origin, int depth) {
    const bool trusted = origin == Origin::kTemplate;
    DictBuilder out(runtime);
    for (const auto& [key, value] : json.items()) {
        runtime.hold(64);  // returned with the runtime; what matters is that it is bounded
        const bool is_role = origin == Origin::kMessage && key == "role" && value.is_string();
        out.set(make_string(runtime, clean(key), trusted), convert(runtime, value,
                                                                   is_role   ? Origin::kTemplate
                                                                   : trusted ? Origin::kTemplate
                                                                             : Origin::kPerson,
                                                                   depth + 1));
    }
    return out.finish(trusted);
}

Value convert_list(Runtime& runtime, const Json& json, Origin origin, int depth) {
    const Origin inner = origin == Origin::kMessages ? Origin::kMessage : origin == Origin::kTemplate ? Origin::kTemplate : Origin::kPerson;
    Values items;
    items.reserve(json.size());
    for (const Json& each : json) items.push_back(convert(runtime, each, inner, depth + 1));
    return make_list(runtime, std::move(items), List::Sort::kList, origin == Origin::kTemplate);
}

Value convert(Runtime& runtime, const Json& json, Origin origin, int depth) {
    if (depth > kMaxNesting) throw Error(ErrorKind::kBadInput, cat("chat context: nested more than ", kMaxNesting, " deep"));
    switch (json.type()) {
        case Json::value_t::boolean: return json.get<bool>();
        case Json::value_t::number_integer: return json.get<int64_t>();
        case Json::value_t::number_float: return json.get<double>();
        case Json::value_t::string: return make_string(runtime, clean(json.get_ref<const std::string&>()), origin == Origin::kTemplate);
        case Json::value_t::array: return convert_list(runtime, json, origin, depth);
        case Json::value_t::object: return convert_dict(runtime, json, origin, depth);
        case Json::value_t::number_unsigned: {
            const auto value = json.get<uint64_t>();
            if (value > static_cast<uint64_t>(INT64_MAX))
                throw Error(ErrorKind::kBadInput, cat("chat context: the integer ", value, " has more than 64 bits"));
            return static_cast<int64_t>(value);
        }
        default: return None{};
    }
}

std::vector<TextSpan> spans_of(const Text& text) {
    std::vector<TextSpan> out;
    text.for_each_run([&](std::string_view piece, bool trusted) { out.push_back({std::string(piece), trusted}); });
    return out;
}

}  // namespace

struct ChatTemplate::Program {
    jinja::Program parsed;
};

ChatTemplate::ChatTemplate() = default;
ChatTemplate::~ChatTemplate() = default;

std::shared_ptr<const ChatTemplate> ChatTemplate::parse(std::string_view source, const TemplateLimits& limits) {
    if (source.size() > kLongestSource) {
        throw Error(ErrorKind::kTooLarge, cat("chat template: ", source.size(), " bytes, at most ", kLongestSource, " are taken"));
    }
    if (!is_utf8(source)) throw Error(ErrorKind::kBadInput, "chat template: not UTF-8");
    std::shared_ptr<ChatTemplate> out(new ChatTemplate);
    out->source_ = source;
    out->limits_ = limits;
    out->program_ = std::make_unique<Program>(Program{Parser(source, limits.parse_depth).parse()});
    return out;
}

std::vector<TextSpan> ChatTemplate::render(const nlohmann::ordered_json& context, int64_t now) const {
    if (!context.is_object()) throw Error(ErrorKind::kBadInput, "chat context: expected an object");
    Runtime runtime(limits_, now);
    Interpreter interpreter(program_->parsed, runtime);
    for (const auto& [name, value] : context.items()) {
        interpreter.define(name, convert(runtime, value, origin_of(name), 0));
    }
    return spans_of(*interpreter.run());
}

}  // namespace hearth
