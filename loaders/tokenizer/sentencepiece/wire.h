// Protocol buffers' wire format, read with suspicion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

/// One field of a message.
struct WireField {
    uint32_t number = 0;
    uint8_t type = 0;        // 0 varint, 1 fixed 64, 2 bytes, 5 fixed 32; groups are refused
    uint64_t value = 0;      // types 0, 1 and 5
    std::string_view bytes;  // type 2; points into the message
};

/// Walks over the fields of one message, which must outlive it.
class WireReader {
public:
    /// `where` is named in errors.
    WireReader(std::string_view message, std::string where) : rest_(message), where_(std::move(where)) {}

    /// The next field, or false at the end. Throws Error{kBadInput} where the message ends too soon or holds what no writer makes.
    bool next(WireField& field);

    /// Throws Error{kBadInput} unless `field` has `type`.
    void expect(const WireField& field, uint8_t type) const;

    const std::string& where() const { return where_; }

private:
    uint64_t varint();
    uint64_t fixed(size_t bytes);

    std::string_view rest_;
    std::string where_;
};

void append_varint_field(std::string& out, uint32_t number, uint64_t value);
void append_float_field(std::string& out, uint32_t number, float value);
void append_bytes_field(std::string& out, uint32_t number, std::string_view bytes);

}  // namespace hearth
