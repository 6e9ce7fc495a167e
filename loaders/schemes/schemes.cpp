#include "loaders/schemes/scheme.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

extern const SchemeRow kCompressedTensors, kFp8, kGptq, kAwq, kHearth;

namespace {

constexpr const SchemeRow* kSchemes[] = {&kCompressedTensors, &kFp8, &kGptq, &kAwq, &kHearth};

std::string shape_text(const std::vector<int64_t>& shape) {
    std::vector<std::string> parts;
    for (const int64_t extent : shape) parts.push_back(cat(extent));
    return cat("[", join(parts, ", "), "]");
}

std::string describe(const Checkpoint::Entry& entry) {
    return cat(entry.file->file().name(), ": tensor \"", printable(entry.tensor->name), "\"");
}

}  // namespace

std::span<const SchemeRow* const> schemes() { return kSchemes; }

void refuse_quantization(const std::string& where, const std::string& method) {
    std::vector<std::string> known;
    for (const SchemeRow* row : kSchemes) known.emplace_back(row->method);
    throw Error(ErrorKind::kUnsupported, cat(where, ": quantisation method ", printable(method, 60), " is not supported; supported: ",
                                             join(known, ", "), ", and plain weights in BF16, F16 or F32"));
}

std::shared_ptr<const Scheme> read_scheme(const ConfigFields& config) {
    for (const char* name : {"quantization_config", "compression_config"}) {
        if (!config.has(name)) continue;
        if (!config.is_object(name)) config.refuse(name, "an object");
        const ConfigFields section = config.object(name);
        std::string method = section.text("quant_method", "");
        if (method.empty() && (section.has("load_in_8bit") || section.has("load_in_4bit"))) method = "bitsandbytes";
        return read_scheme_section(section, std::move(method));
    }
    return nullptr;
}

std::unique_ptr<const Scheme> read_scheme_section(const ConfigFields& section, std::string method) {
    for (const SchemeRow* row : kSchemes) {
        if (row->method == method) return row->read(section);
    }
    if (method.empty()) method = "without a name";
    if (section.has("format")) method += cat(" (", section.text("format", ""), ")");
    refuse_quantization(section.where(), method);
}

void check_type(const Checkpoint::Entry& entry, Types types) {
    const auto type = entry.tensor->type->dtype;
    if (type && std::ranges::find(types, *type) != types.end()) return;
    std::vector<std::string> names;
    for (const DType one : types) names.emplace_back(name_of(one));
    throw Error(ErrorKind::kBadInput, cat(describe(entry), " is of ", entry.tensor->type->name, ", expected ", join(names, " or ")));
}

void refuse_shape(const Checkpoint::Entry& entry, std::string_view expected) {
    throw Error(ErrorKind::kBadInput, cat(describe(entry), " has shape ", shape_text(entry.tensor->shape), ", expected ", expected));
}

const Checkpoint::Entry& need_tensor(const Checkpoint& checkpoint, const std::string& name, Types types,
                                     const std::vector<int64_t>& shape) {
    const Checkpoint::Entry* entry = checkpoint.find(name);
    if (!entry)
        throw Error(ErrorKind::kBadInput,
                    cat(checkpoint.folder().string(), ": no tensor ", printable(name), ", which its quantised matrix needs"));
    check_type(*entry, types);
    if (entry->tensor->shape != shape) refuse_shape(*entry, shape_text(shape));
    return *entry;
}

void check_not_plain(const Checkpoint& checkpoint, const std::string& module) {
    if (!checkpoint.find(module + ".weight")) return;
    throw Error(ErrorKind::kBadInput,
                cat(checkpoint.folder().string(), ": ", printable(module), " is there quantised and plain; expected one of the two"));
}

int64_t read_group_size(const ConfigFields& section, std::string_view field) {
    if (!section.has(field)) return 0;
    const int64_t size = section.integer(field, -1, int64_t{1} << 30);
    if (size == -1) return 0;
    if (size == 0 || size % kQuantGroup != 0) section.unsupported(field, cat("multiples of ", kQuantGroup, ", and -1 for whole rows"));
    return size;
}

}  // namespace hearth
