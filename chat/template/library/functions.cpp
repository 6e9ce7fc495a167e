// What templates call by name: raise_exception, strftime_now, namespace, range, dict.
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "chat/template/library/library.h"

namespace hearth::jinja {
namespace {

Value raise_exception(Runtime& runtime, const Args& args) {
    const Bound bound(runtime, "raise_exception", args, {"message"});
    throw Error(ErrorKind::kBadInput, std::string(to_text(runtime, bound.required(0))->bytes()));
}

Value make_namespace(Runtime& runtime, const Args& args) {
    if (args.positional.size() > 1) runtime.fail("namespace() takes one dict");
    auto* out = runtime.make<Namespace>();
    for (const Value& from : args.positional) {
        if (from.is_object(Object::Kind::kNamespace) || !from.is_dict())
            runtime.fail(cat("namespace() takes a dict, not ", type_name(from)));
        runtime.step(static_cast<int64_t>(from.dict()->size()));
        runtime.hold(static_cast<int64_t>(from.dict()->size() * 128));
        for (const auto& [key, value] : from.dict()->entries()) out->fields[std::string(to_text(runtime, key)->bytes())] = value;
    }
    for (const auto& [name, value] : args.named) out->fields[name] = value;
    return out;
}

Value range(Runtime& runtime, const Args& args) {
    const Bound bound(runtime, "range", args, {"start", "stop", "step"});
    bound.required(0);
    const bool only_stop = !bound.has(1);
    const int64_t start = only_stop ? 0 : bound.integer(0, 0), stop = only_stop ? bound.integer(0, 0) : bound.integer(1, 0);
    const int64_t step = bound.integer(2, 1);
    if (step == 0) runtime.fail("range(): the step is 0");
    const uint64_t distance = step > 0 ? (stop > start ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start) : 0)
                                       : (start > stop ? static_cast<uint64_t>(start) - static_cast<uint64_t>(stop) : 0);
    const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
    const uint64_t count = distance / stride + (distance % stride != 0);
    if (count > static_cast<uint64_t>(runtime.limits().range_items))
        runtime.fail(cat("range() of more than ", runtime.limits().range_items, " items"));
    Values items;
    items.reserve(count);
    for (uint64_t i = 0; i < count; ++i)
        items.emplace_back(static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step)));
    return make_list(runtime, std::move(items), List::Sort::kRange);
}

Value make_dict(Runtime& runtime, const Args& args) {
    DictBuilder out(runtime);
    if (args.positional.size() > 1) runtime.fail("dict() takes one dict or list of pairs");
    for (const Value& from : args.positional) {
        const ListPtr pairs =
            from.is_dict() ? iterate(runtime, find_method(from, "items")->run(runtime, from, {})) : iterate(runtime, from);
        for (const Value& pair : pairs->items()) {
            runtime.step();
            const ListPtr both = iterate(runtime, pair);
            if (both->size() != 2) runtime.fail("dict(): a pair is needed");
            out.set(both->items()[0], both->items()[1]);
        }
    }
    for (const auto& [name, value] : args.named) out.set(make_string(runtime, name), value);
    return out.finish(args.positional.empty() || !args.positional[0].is_dict() || args.positional[0].dict()->trusted());
}

/// One conversion of strftime as C has it in its own locale, with the few of Python's that C lacks.
std::string formatted(const std::tm& time, std::string_view conversion) {
    const char letter = conversion.back();
    if (letter == 'f') return "000000";
    if (letter == 'z' || letter == 'Z') return "";  // datetime.now() knows no zone
    char buffer[128];
    const size_t size = std::strftime(buffer, sizeof buffer, std::string(conversion).c_str(), &time);
    return {buffer, size};
}

Value strftime_now(Runtime& runtime, const Args& args) {
    const Bound bound(runtime, "strftime_now", args, {"format"});
    bound.required(0);
    const TextPtr format = bound.text(0);
    if (!format) runtime.fail("strftime_now() needs a format");
    const auto seconds = static_cast<std::time_t>(runtime.now());
    std::tm time{};
    localtime_r(&seconds, &time);
    TextBuilder out(runtime);
    const std::string_view text = format->bytes();
    for (size_t at = 0; at < text.size();) {
        runtime.step();
        const size_t percent = std::min(text.find('%', at), text.size());
        out.add(*format, at, percent);
        if (percent + 1 >= text.size()) {
            out.add(*format, percent, text.size());
            break;
        }
        // One flag at most, and no width: those of C would let a template ask for any length.
        const bool flag = std::string_view("-_0^#").find(text[percent + 1]) != std::string_view::npos && percent + 2 < text.size();
        at = percent + (flag ? 3 : 2);
        const char letter = text[at - 1];
        if (std::isalpha(static_cast<unsigned char>(letter)) || letter == '%') {
            out.add(formatted(time, text.substr(percent, at - percent)), true);
        } else {
            at = percent + 1;
            out.add(*format, percent, at);
        }
    }
    return out.finish();
}

constexpr FunctionRow kFunctions[] = {
    {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
    {"namespace", make_namespace},
    {"range", range},
    {"dict", make_dict},
};

}  // namespace

std::span<const FunctionRow> functions() { return kFunctions; }

}  // namespace hearth::jinja
