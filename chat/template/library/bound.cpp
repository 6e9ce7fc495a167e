#include "base/text.h"
#include "chat/template/library/library.h"

namespace hearth::jinja {

namespace {
const Value kAbsent;
}

Bound::Bound(Runtime& runtime, std::string_view function, const Args& args, std::initializer_list<std::string_view> parameters)
    : runtime_(runtime), function_(function) {
    std::copy(parameters.begin(), parameters.end(), names_);
    if (args.positional.size() > parameters.size()) runtime.fail(cat(function, "() takes at most ", parameters.size(), " arguments"));
    for (size_t i = 0; i < args.positional.size(); ++i) values_[i] = &args.positional[i];
    for (const auto& [name, value] : args.named) {
        const auto found = std::find(parameters.begin(), parameters.end(), name);
        if (found == parameters.end()) runtime.fail(cat(function, "() has no parameter '", printable(name), "'"));
        const Value*& slot = values_[found - parameters.begin()];
        if (slot) runtime.fail(cat(function, "() got two values for '", printable(name), "'"));
        slot = &value;
    }
}

const Value& Bound::operator[](size_t i) const { return values_[i] ? *values_[i] : kAbsent; }

const Value& Bound::required(size_t i) const {
    if (!values_[i]) runtime_.fail(cat(function_, "() needs '", names_[i], "'"));
    return *values_[i];
}

int64_t Bound::integer(size_t i, int64_t otherwise) const {
    if (!has(i)) return otherwise;
    if (!values_[i]->is_integral()) fail_type(i, "an int");
    return values_[i]->integer();
}

TextPtr Bound::text(size_t i) const {
    if (!has(i) || values_[i]->is_none()) return nullptr;
    if (!values_[i]->is_text()) fail_type(i, "a str");
    return values_[i]->text();
}

void Bound::fail_type(size_t i, std::string_view expected) const {
    if (values_[i]->is_undefined()) fail_undefined(runtime_, *values_[i]);
    runtime_.fail(cat(function_, "(): '", names_[i], "' must be ", expected, ", not ", type_name(*values_[i])));
}

}  // namespace hearth::jinja
