#include "loaders/tokenizer/sentencepiece/wire.h"

#include <bit>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

namespace {

void append_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

}  // namespace

uint64_t WireReader::varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < 10; ++i) {
        if (rest_.empty()) throw Error(ErrorKind::kBadInput, cat(where_, ": ends within a number"));
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        if (i == 9 && byte > 1) break;
        value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
        if (byte < 0x80) return value;
    }
    throw Error(ErrorKind::kBadInput, cat(where_, ": holds a number of more than 64 bits"));
}

uint64_t WireReader::fixed(size_t bytes) {
    if (rest_.size() < bytes) throw Error(ErrorKind::kBadInput, cat(where_, ": ends within a number"));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(bytes);
    return value;
}

bool WireReader::next(WireField& field) {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
        throw Error(ErrorKind::kBadInput, cat(where_, ": field number ", tag >> 3, " is out of range"));
    field = {static_cast<uint32_t>(tag >> 3), static_cast<uint8_t>(tag & 7), 0, {}};
    switch (field.type) {
        case 0: field.value = varint(); break;
        case 1: field.value = fixed(8); break;
        case 5: field.value = fixed(4); break;
        case 2: {
            const uint64_t length = varint();
            if (length > rest_.size())
                throw Error(ErrorKind::kBadInput,
                            cat(where_, ": field ", field.number, " says ", length, " bytes, ", rest_.size(), " are left"));
            field.bytes = rest_.substr(0, length);
            rest_.remove_prefix(length);
            break;
        }
        default:
            throw Error(ErrorKind::kBadInput,
                        cat(where_, ": field ", field.number, " has wire type ", int{field.type}, ", expected 0, 1, 2 or 5"));
    }
    return true;
}

void WireReader::expect(const WireField& field, uint8_t type) const {
    if (field.type != type)
        throw Error(ErrorKind::kBadInput,
                    cat(where_, ": field ", field.number, " has wire type ", int{field.type}, ", expected ", int{type}));
}

void append_varint_field(std::string& out, uint32_t number, uint64_t value) {
    append_varint(out, uint64_t{number} << 3);
    append_varint(out, value);
}

void append_float_field(std::string& out, uint32_t number, float value) {
    append_varint(out, uint64_t{number} << 3 | 5);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int i = 0; i < 4; ++i) out += static_cast<char>(bits >> (8 * i));
}

void append_bytes_field(std::string& out, uint32_t number, std::string_view bytes) {
    append_varint(out, uint64_t{number} << 3 | 2);
    append_varint(out, bytes.size());
    out += bytes;
}

}  // namespace hearth
