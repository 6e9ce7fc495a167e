#include "loaders/pool/presets.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "loaders/io/json_file.h"

namespace hearth {
namespace {

using nlohmann::json;

constexpr size_t kMaxNameBytes = 200, kMaxPromptBytes = 256 << 10;
constexpr int64_t kMostContext = int64_t{1} << 27, kMostKeepAlive_s = 366 * 24 * 3600;

std::string found(const json& value) { return printable(value.dump(-1, ' ', false, json::error_handler_t::replace), 60); }

/// The keys of one object. Each reader takes its key away, so that what is left at the end is not known.
class Entry {
public:
    Entry(const json& object, std::string where) : object_(object), where_(std::move(where)) {
        for (const auto& [key, value] : object.items()) left_.insert(key);
    }

    [[noreturn]] void refuse(const std::string& key, const std::string& expected, const json& value) const {
        throw Error(ErrorKind::kBadInput, cat(where_, ": ", key, ": expected ", expected, ", found ", found(value)));
    }

    const json* take(const std::string& key) {
        left_.erase(key);
        const auto at = object_.find(key);
        return at == object_.end() ? nullptr : &*at;
    }

    std::optional<std::string> text(const std::string& key, size_t most, bool one_line = true) {
        const json* value = take(key);
        if (!value) return std::nullopt;
        if (!value->is_string()) refuse(key, "a text", *value);
        std::string out = *value;
        if (out.empty() || out.size() > most) refuse(key, cat("a text of 1 to ", most, " bytes"), *value);
        if (one_line && printable(out, most + 1) != out) refuse(key, "a text of one line without control characters", *value);
        return out;
    }

    std::optional<std::string> choice(const std::string& key, const std::vector<std::string>& allowed) {
        const auto out = text(key, kMaxNameBytes);
        if (out && std::ranges::find(allowed, *out) == allowed.end()) refuse(key, cat("one of ", join(allowed, ", ")), *out);
        return out;
    }

    std::optional<int64_t> integer(const std::string& key, int64_t least, int64_t most) {
        const json* value = take(key);
        if (!value) return std::nullopt;
        const bool whole = value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t(INT64_MAX));
        if (!whole || value->get<int64_t>() < least || value->get<int64_t>() > most)
            refuse(key, cat("a whole number from ", least, " to ", most), *value);
        return value->get<int64_t>();
    }

    std::optional<float> number(const std::string& key, double least, double most) {
        const json* value = take(key);
        if (!value) return std::nullopt;
        if (!value->is_number() || !(value->get<double>() >= least && value->get<double>() <= most))
            refuse(key, cat("a number from ", least, " to ", most), *value);
        return static_cast<float>(value->get<double>());
    }

    bool flag(const std::string& key, bool otherwise) {
        const json* value = take(key);
        if (!value) return otherwise;
        if (!value->is_boolean()) refuse(key, "true or false", *value);
        return *value;
    }

    /// Call it last.
    void refuse_unknown() const {
        if (!left_.empty())
            throw Error(ErrorKind::kBadInput, cat(where_, ": \"", printable(*left_.begin(), 60), "\" is no key that is known here"));
    }

private:
    const json& object_;
    const std::string where_;
    std::set<std::string> left_;
};

PresetSampling read_sampling(Entry& entry, const std::string& where) {
    PresetSampling out;
    const json* object = entry.take("sampling");
    if (!object) return out;
    if (!object->is_object()) entry.refuse("sampling", "an object", *object);
    Entry fields(*object, cat(where, ": sampling"));
    out.temperature = fields.number("temperature", 0, 2);
    out.top_p = fields.number("top_p", 0, 1);
    out.min_p = fields.number("min_p", 0, 1);
    out.repetition_penalty = fields.number("repetition_penalty", 0.1, 10);
    out.frequency_penalty = fields.number("frequency_penalty", -2, 2);
    out.presence_penalty = fields.number("presence_penalty", -2, 2);
    if (const auto k = fields.integer("top_k", 0, 1'000'000)) out.top_k = static_cast<int32_t>(*k);
    fields.refuse_unknown();
    return out;
}

void read_quantize(Entry& entry, const std::string& where, Preset& out) {
    const auto quant = entry.choice("quant", {"q8", "q4", "none"});
    const auto keep = entry.text("keep", 4096);
    if (keep && (!quant || *quant == "none"))
        throw Error(ErrorKind::kBadInput, cat(where, ": keep: expected together with quant, found it alone"));
    if (!quant) return;
    out.quantize.emplace();
    if (*quant != "none") out.quantize->kind = parse_quant_kind(*quant, "quant");
    try {
        if (keep) out.quantize->keep = parse_keep(*keep, "keep");
    } catch (const Error& e) {
        throw Error(e.kind(), cat(where, ": ", e.what()));
    }
}

/// Fills `out` as far as it goes.
void read_entry(Entry& entry, const std::string& where, const std::vector<std::string>& templates, Preset& out) {
    if (!entry.take("model")) throw Error(ErrorKind::kBadInput, cat(where, ": model: expected a name or a folder, found nothing"));
    out.model = *entry.text("model", 4096);
    if (out.alias.empty()) out.alias = out.model;
    out.context = entry.integer("context", 1, kMostContext);
    if (const auto cache = entry.choice("cache", {"bf16", "q8", "f32"}))
        out.cache_dtype = *cache == "q8" ? DType::kI8 : *cache == "f32" ? DType::kF32 : DType::kBf16;
    read_quantize(entry, where, out);
    out.draft = entry.text("draft", 4096).value_or("");
    out.sampling = read_sampling(entry, where);
    out.system_prompt = entry.text("system_prompt", kMaxPromptBytes, false).value_or("");
    out.chat_template = entry.choice("template", templates).value_or("");
    if (const auto seconds = entry.integer("keep_alive", 0, kMostKeepAlive_s)) out.keep_alive = std::chrono::seconds(*seconds);
    out.load_at_start = entry.flag("load_at_start", false);
    out.hidden = entry.flag("hidden", false);
    out.keep_quantized = entry.flag("keep_quantized", true);
    entry.refuse_unknown();
}

/// The entry at `index`: whole, or with its error.
Preset read_preset(const json& value, size_t index, const std::vector<std::string>& templates) {
    Preset out;
    std::string where = cat("models[", index, "]");
    try {
        if (!value.is_object()) throw Error(ErrorKind::kBadInput, cat(where, ": expected an object, found ", found(value)));
        Entry named(value, where);
        out.alias = named.text("alias", kMaxNameBytes).value_or("");
        if (!out.alias.empty()) where += cat(" (\"", out.alias, "\")");
        Entry entry(value, where);
        entry.take("alias");
        read_entry(entry, where, templates, out);
    } catch (const Error& e) {
        out.error = e.what();
        if (out.alias.empty()) out.alias = out.model.empty() ? where : out.model;
    }
    return out;
}

}  // namespace

Presets read_presets(const std::filesystem::path& file, const std::vector<std::string>& templates) {
    const json document = parse_json(read_small_file(file, kMaxPresetBytes), file.string());
    const auto refuse = [&](const std::string& what) { throw Error(ErrorKind::kBadInput, cat(file.string(), ": ", what)); };
    if (!document.is_object()) refuse(cat("expected an object with the key \"models\", found ", found(document)));
    for (const auto& [key, value] : document.items()) {
        if (key != "models") refuse(cat("\"", printable(key, 60), "\" is no key that is known here; expected \"models\""));
    }
    if (!document.contains("models")) refuse("expected the key \"models\", found none");
    const json& models = document["models"];
    if (!models.is_array()) refuse(cat("models: expected a list, found ", found(models)));
    if (models.size() > kMaxPresets) refuse(cat("models: expected at most ", kMaxPresets, " entries, found ", models.size()));
    Presets out{.folder = std::filesystem::absolute(file).parent_path(), .list = {}};
    std::set<std::string> names;
    for (size_t i = 0; i < models.size(); ++i) {
        Preset preset = read_preset(models[i], i, templates);
        if (!names.insert(preset.alias).second) {
            preset.error = cat("models[", i, "]: alias: expected a name that no other entry has, found \"", preset.alias, "\" again");
            preset.alias = cat("models[", i, "]");
        }
        out.list.push_back(std::move(preset));
    }
    return out;
}

LoadSettings settings_of(const Preset& preset, LoadSettings out) {
    if (preset.context) {
        out.context = *preset.context;
        out.context_at_most = false;
    }
    out.cache_dtype = preset.cache_dtype.value_or(out.cache_dtype);
    if (preset.quantize) out.quantize = *preset.quantize;
    out.draft = preset.draft;
    return out;
}

}  // namespace hearth
