// The header of a safetensors file. Input: the header; the file is as long as its first tensor's offsets make it, or as its last line says.
// Oracle: what is accepted covers the data without hole or overlap, every size is that of its shape, a second reading of the format's rules
// (safetensors_rules.cpp) accepts it too, and reading takes memory in proportion to the header.
#include "loaders/checkpoint/safetensors.h"

#include "tests/fuzz/cost.h"
#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/safetensors_rules.h"

namespace hearth::fuzz {
namespace {

constexpr long kMemoryPerByte = 8;

int64_t end_of_data(std::string_view header) {
    // The largest number of the text, so that inventing a header that fits is not a matter of luck.
    int64_t largest = 0, number = 0;
    for (const char c : header) {
        number = c >= '0' && c <= '9' && number < (int64_t{1} << 50) ? number * 10 + (c - '0') : 0;
        largest = std::max(largest, number);
    }
    return largest;
}

void check(const std::vector<StoredTensor>& tensors, int64_t begin, int64_t bytes) {
    int64_t at = begin;
    for (const StoredTensor& tensor : tensors) {
        require(tensor.begin == at && tensor.end >= tensor.begin, "tensors follow each other without hole or overlap");
        at = tensor.end;
        __int128 bits = tensor.type->bits;
        for (const int64_t n : tensor.shape) {
            require(n >= 0, "no dimension is negative");
            bits *= n;
            require(bits <= (__int128{1} << 100), "sizes stay far from overflow");
        }
        require(bits == __int128{tensor.bytes()} * 8, "a tensor's bytes are those of its shape");
    }
    require(at == begin + bytes, "the tensors end where the file ends");
}

/// A tensor's entry has 50 bytes at least and becomes one StoredTensor of 80, twice that while the list of them grows; the set of its keys
/// and what a long header holds at the same time is less.
void check_memory(std::string_view header) {
    const PeakMemory memory;
    accepted([&] { parse_safetensors_header(header, 8 + static_cast<int64_t>(header.size()), end_of_data(header), "fuzz.safetensors"); });
    require(memory.bytes() <= kMemoryPerByte * static_cast<long>(header.size()) + (16 << 10),
            "reading a header takes memory in proportion");
}

}  // namespace

void run_safetensors(std::string_view input) {
    for (const int64_t bytes : {end_of_data(input), int64_t{0}}) {
        accepted([&] {
            const int64_t begin = 8 + static_cast<int64_t>(input.size());
            check(parse_safetensors_header(input, begin, bytes, "fuzz.safetensors"), begin, bytes);
            require_safetensors_rules(input, bytes);
        });
    }
    check_memory(input);
}

std::vector<std::string> seeds_safetensors() {
    std::vector<std::string> out = {
        "{}",
        R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}})",
        R"({"__metadata__":{"format":"pt"},"x":{"dtype":"F8_E4M3","shape":[0,4],"data_offsets":[0,0]}})",
        R"({"x":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})",
        R"({"x":{"dtype":"U8","shape":[18446744073709551615,2],"data_offsets":[0,1]}})",
        R"({"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})",
    };
    for (const std::string& file : golden_files(".safetensors")) {
        if (file.size() < 8) continue;
        const size_t header = static_cast<unsigned char>(file[0]) | static_cast<size_t>(static_cast<unsigned char>(file[1])) << 8;
        if (8 + header <= file.size()) out.push_back(file.substr(8, header));
    }
    return out;
}

}  // namespace hearth::fuzz
