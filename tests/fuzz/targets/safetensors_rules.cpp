#include "tests/fuzz/targets/safetensors_rules.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using Json = nlohmann::json;

int64_t bits_of(const std::string& dtype) {
    static const std::map<std::string, int64_t> kBits = {
        {"BOOL", 8},    {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},          {"I8", 8},         {"F8_E5M2", 8}, {"F8_E4M3", 8},
        {"F8_E8M0", 8}, {"I16", 16}, {"U16", 16},    {"F16", 16},    {"BF16", 16},       {"I32", 32},       {"U32", 32},    {"F32", 32},
        {"C64", 64},    {"F64", 64}, {"I64", 64},    {"U64", 64},    {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};
    const auto found = kBits.find(dtype);
    require(found != kBits.end(), "rules: the dtype is one of the format's");
    return found->second;
}

/// The format's numbers are plain digits that fit 64 bits.
uint64_t count(const Json& value, std::string_view what) {
    require(value.is_number_unsigned(), what);
    return value.get<uint64_t>();
}

/// The begin and the end of one tensor's data.
std::pair<uint64_t, uint64_t> require_tensor(const Json& tensor) {
    require(tensor.is_object() && tensor.contains("dtype") && tensor.contains("shape") && tensor.contains("data_offsets"),
            "rules: a tensor has dtype, shape and data_offsets");
    require(tensor["dtype"].is_string() && tensor["shape"].is_array(), "rules: dtype is a text, shape a list");
    const Json& offsets = tensor["data_offsets"];
    require(offsets.is_array() && offsets.size() == 2, "rules: data_offsets are two");
    const uint64_t begin = count(offsets[0], "rules: an offset is a number"), end = count(offsets[1], "rules: an offset is a number");
    require(begin <= end, "rules: a tensor ends behind its begin");
    unsigned __int128 bits = static_cast<uint64_t>(bits_of(tensor["dtype"].get<std::string>()));
    for (const Json& extent : tensor["shape"]) {
        bits *= count(extent, "rules: an extent is a number");
        require(bits <= UINT64_MAX, "rules: a tensor's size fits 64 bits");
    }
    require(bits % 8 == 0 && bits / 8 == end - begin, "rules: offsets fit dtype and shape");
    return {begin, end};
}

}  // namespace

void require_safetensors_rules(std::string_view header, int64_t data_bytes) {
    require(header.starts_with('{'), "rules: a header begins with {");
    const Json root = Json::parse(header, nullptr, false);
    require(root.is_object(), "rules: a header is one JSON object");
    std::vector<std::pair<uint64_t, uint64_t>> spans;
    for (const auto& [name, value] : root.items()) {
        if (name == "__metadata__") {
            require(value.is_object(), "rules: metadata is an object");
            for (const auto& [key, text] : value.items()) require(text.is_string(), "rules: metadata maps texts to texts");
        } else {
            spans.push_back(require_tensor(value));
        }
    }
    std::sort(spans.begin(), spans.end());
    uint64_t at = 0;
    for (const auto& [begin, end] : spans) {
        require(begin == at, "rules: no hole and no overlap");
        at = end;
    }
    require(at == static_cast<uint64_t>(data_bytes), "rules: the whole data belongs to tensors");
}

}  // namespace hearth::fuzz
