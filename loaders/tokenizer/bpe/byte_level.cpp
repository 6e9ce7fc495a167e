#include "loaders/tokenizer/bpe/byte_level.h"

#include <array>

#include "base/utf8.h"

namespace hearth {

namespace {

constexpr bool shows_itself(uint32_t byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

/// Bytes that can be seen stand for themselves, the others for U+0100, U+0101, ... in order.
constexpr std::array<uint32_t, 256> make_codes() {
    std::array<uint32_t, 256> codes{};
    uint32_t next = 0x100;
    for (uint32_t byte = 0; byte < 256; ++byte) codes[byte] = shows_itself(byte) ? byte : next++;
    return codes;
}

constexpr std::array<uint32_t, 256> kCodes = make_codes();

constexpr std::array<int16_t, 0x144> make_bytes() {
    std::array<int16_t, 0x144> bytes{};
    for (int16_t& byte : bytes) byte = -1;
    for (size_t byte = 0; byte < 256; ++byte) bytes[kCodes[byte]] = static_cast<int16_t>(byte);
    return bytes;
}

constexpr std::array<int16_t, 0x144> kBytes = make_bytes();

std::optional<uint8_t> hex(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace

std::string byte_level_char(uint8_t byte) {
    std::string out;
    append_utf8(out, kCodes[byte]);
    return out;
}

std::optional<std::string> bytes_of_byte_level(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        if (!c.valid || c.code >= kBytes.size() || kBytes[c.code] < 0) return std::nullopt;
        out += static_cast<char>(kBytes[c.code]);
        text.remove_prefix(c.length);
    }
    return out;
}

std::optional<uint8_t> parse_byte_token(std::string_view text) {
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
    const auto high = hex(text[3]), low = hex(text[4]);
    if (!high || !low) return std::nullopt;
    return static_cast<uint8_t>(*high << 4 | *low);
}

}  // namespace hearth
