#include "perf/serve/client/sse.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {

void SseParser::append(std::string& to, std::string_view bytes) const {
    if (bytes.size() > most_bytes_ - std::min(most_bytes_, to.size()))
        throw Error(ErrorKind::kTooLarge, cat("expected at most ", most_bytes_, " bytes in a line or an event, found more"));
    to += bytes;
}

void SseParser::feed(std::string_view bytes, const Handler& handle) {
    while (!bytes.empty()) {
        if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
        after_cr_ = false;
        const size_t end = bytes.find_first_of("\r\n");
        append(line_, bytes.substr(0, end));
        if (end == std::string_view::npos) return;
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        end_line(handle);
    }
}

void SseParser::end_line(const Handler& handle) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::string_view line = line_;
    if (first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    first_line_ = false;
    if (line.empty()) {
        if (has_data_) handle({name_, data_});
        name_.clear(), data_.clear();
        has_data_ = false;
    } else {
        const size_t colon = line.find(':');
        const std::string_view field = line.substr(0, colon);
        std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (field == "event") name_ = value;
        if (field == "error") name_ = field;  // older servers of llama.cpp
        if (field == "data" || field == "error") {
            if (has_data_) append(data_, "\n");
            append(data_, value);
            has_data_ = true;
        }
    }
    line_.clear();
}

}  // namespace hearth::perf
