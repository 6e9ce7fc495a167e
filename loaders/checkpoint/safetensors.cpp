#include "loaders/checkpoint/safetensors.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "loaders/io/placeholder.h"

namespace hearth {
namespace {

constexpr StoredType kTypes[] = {
    {"BF16", 16, DType::kBf16},
    {"F16", 16, DType::kF16},
    {"F32", 32, DType::kF32},
    {"F8_E4M3", 8, DType::kF8E4M3},
    {"I8", 8, DType::kI8},
    {"U8", 8, DType::kU8},
    {"I32", 32, DType::kI32},
    {"I64", 64, DType::kI64},
    {"BOOL", 8, {}},
    {"F64", 64, {}},
    {"I16", 16, {}},
    {"U16", 16, {}},
    {"U32", 32, {}},
    {"U64", 64, {}},
    {"C64", 64, {}},
    {"F8_E5M2", 8, {}},
    {"F8_E8M0", 8, {}},
    {"F8_E4M3FNUZ", 8, {}},
    {"F8_E5M2FNUZ", 8, {}},
    {"F4", 4, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
};

[[noreturn]] void refuse(const std::string& file, const std::string& what) { throw Error(ErrorKind::kBadInput, cat(file, ": ", what)); }

/// Takes the header event by event, so that a header of any size costs no more than the tensors it describes.
/// The tree is known: {name: {"dtype": string, "shape": [n...], "data_offsets": [begin, end]}, "__metadata__": {string: string}}.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit HeaderReader(const std::string& file) : file_(file), guard_(file) {}

    std::vector<StoredTensor> take() { return std::move(tensors_); }

    bool start_object(size_t) override {
        if (guard_.depth() == 1 && !in_metadata_) begin_tensor();
        if (guard_.depth() == 2 && field_ != Field::kOther) misplaced("an object");
        if (guard_.depth() > 2 && in_list()) misplaced("an object");
        if (guard_.depth() == 2 && in_metadata_) misplaced("an object");
        guard_.open_object();
        return true;
    }
    bool end_object() override {
        guard_.close_object();
        if (guard_.depth() == 1 && !in_metadata_) end_tensor();
        return true;
    }
    bool key(string_t& name) override {
        guard_.key(name);
        if (guard_.depth() == 1) {
            in_metadata_ = name == "__metadata__";
            name_ = name;
        } else if (guard_.depth() == 2) {
            field_ = in_metadata_             ? Field::kOther
                     : name == "dtype"        ? Field::kType
                     : name == "shape"        ? Field::kShape
                     : name == "data_offsets" ? Field::kOffsets
                                              : Field::kOther;
        }
        return true;
    }
    bool start_array(size_t) override {
        if (guard_.depth() < 2) misplaced("a list");
        if (field_ == Field::kType || in_list() || in_metadata_) misplaced("a list");
        if (guard_.depth() == 2) list_ = field_;
        seen_list_ |= guard_.depth() == 2 ? bit(field_) : 0;
        guard_.open_array();
        return true;
    }
    bool end_array() override {
        guard_.close_array();
        if (guard_.depth() == 2) list_ = Field::kOther;
        return true;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (list_ == Field::kShape) {
            if (static_cast<int64_t>(tensor_.shape.size()) == kMaxRank) refuse_tensor(cat("more than ", kMaxRank, " dimensions"));
            if (value > std::numeric_limits<int64_t>::max()) refuse_tensor(cat("a dimension of ", value));
            tensor_.shape.push_back(static_cast<int64_t>(value));
        } else if (list_ == Field::kOffsets) {
            if (num_offsets_ == 2) refuse_tensor("data_offsets has more than two numbers");
            if (value > std::numeric_limits<int64_t>::max()) refuse_tensor(cat("an offset of ", value));
            (num_offsets_++ == 0 ? tensor_.begin : tensor_.end) = static_cast<int64_t>(value);
        } else {
            scalar("a number");
        }
        return true;
    }
    bool string(string_t& value) override {
        if (guard_.depth() == 2 && field_ == Field::kType) {
            const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const StoredType& t) { return t.name == value; });
            if (found == std::end(kTypes)) refuse_tensor(cat("unknown dtype \"", printable(value, 40), "\""));
            tensor_.type = found;
        } else if (guard_.depth() < 2 || !in_metadata_) {
            scalar("a string");
        }
        return true;
    }
    bool number_integer(number_integer_t value) override { return scalar(cat("the number ", value)); }
    bool number_float(number_float_t, const string_t& text) override { return scalar(cat("the number ", printable(text, 40))); }
    bool null() override { return scalar("null"); }
    bool boolean(bool) override { return scalar("a boolean"); }
    bool binary(binary_t&) override { return scalar("bytes"); }
    bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& e) override {
        throw_bad_json(file_, position, e.what());
    }

private:
    enum class Field : uint8_t { kType, kShape, kOffsets, kOther };

    static unsigned bit(Field field) { return 1u << static_cast<unsigned>(field); }
    bool in_list() const { return list_ != Field::kOther; }

    [[noreturn]] void misplaced(std::string_view what) const {
        refuse(file_, guard_.depth() < 2
                          ? cat("the header holds ", what, " where an object for a tensor belongs (\"", printable(name_), "\")")
                          : cat("tensor \"", printable(name_), "\": ", what, " where it does not belong"));
    }
    [[noreturn]] void refuse_tensor(const std::string& what) const { refuse(file_, cat("tensor \"", printable(name_), "\": ", what)); }

    /// A value that means nothing to us: fine inside unknown fields, wrong elsewhere. Metadata holds texts alone, which string() lets pass.
    bool scalar(std::string_view what) const {
        if (guard_.depth() < 2 || in_metadata_ || in_list() || (guard_.depth() == 2 && field_ != Field::kOther)) misplaced(what);
        return true;
    }

    void begin_tensor() {
        if (static_cast<int64_t>(tensors_.size()) == kMaxTensors) refuse(file_, cat("more than ", kMaxTensors, " tensors"));
        if (static_cast<int64_t>(name_.size()) > kMaxNameBytes)
            refuse_tensor(cat("its name has ", name_.size(), " bytes, at most ", kMaxNameBytes, " are read"));
        tensor_ = {};
        num_offsets_ = 0;
        seen_list_ = 0;
        field_ = Field::kOther;
    }

    void end_tensor() {
        if (!tensor_.type) refuse_tensor("no dtype");
        if (!(seen_list_ & bit(Field::kShape))) refuse_tensor("no shape");
        if (num_offsets_ != 2) refuse_tensor("data_offsets must hold two numbers");
        tensor_.name = name_;
        tensors_.push_back(std::move(tensor_));
    }

    const std::string& file_;
    JsonGuard guard_;
    std::vector<StoredTensor> tensors_;
    std::string name_;  // key of the top level
    bool in_metadata_ = false;
    Field field_ = Field::kOther, list_ = Field::kOther;
    StoredTensor tensor_;  // being read; offsets relative to the data
    int num_offsets_ = 0;
    unsigned seen_list_ = 0;
};

/// Sizes against shapes.
void check_size(const StoredTensor& tensor, int64_t data_bytes, const std::string& file) {
    const std::string who = cat("tensor \"", printable(tensor.name), "\": ");
    if (tensor.begin > tensor.end || tensor.end > data_bytes) {
        refuse(file,
               cat(who, "data_offsets ", tensor.begin, " to ", tensor.end, " do not lie in the file's ", data_bytes, " bytes of data"));
    }
    std::optional<int64_t> bits = tensor.type->bits;
    for (int64_t extent : tensor.shape) bits = bits ? checked_mul(*bits, extent) : bits;
    if (!bits) refuse(file, cat(who, "its shape has more numbers than can be counted"));
    if (*bits % 8 != 0 || *bits / 8 != tensor.bytes()) {
        refuse(file, cat(who, "its shape needs ", *bits / 8, " bytes of ", tensor.type->name, ", data_offsets give ", tensor.bytes()));
    }
}

}  // namespace

std::vector<StoredTensor> parse_safetensors_header(std::string_view header, int64_t data_begin, int64_t data_bytes,
                                                   const std::string& file) {
    if (header.empty() || header.front() != '{') refuse(file, "the header does not begin with {: not a safetensors file");
    // The parser takes a NUL for the end of its input and would not look at what follows.
    if (const size_t nul = header.find('\0'); nul != std::string_view::npos) throw_bad_json(file, nul, "a NUL byte");
    HeaderReader reader(file);
    nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
    std::vector<StoredTensor> tensors = reader.take();
    std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    int64_t covered = 0;
    for (StoredTensor& tensor : tensors) {
        check_size(tensor, data_bytes, file);
        if (tensor.begin != covered) {
            refuse(file, cat("tensor \"", printable(tensor.name), "\" begins at byte ", tensor.begin, " of the data, ",
                             tensor.begin < covered ? "inside the one before it, which ends at " : "which leaves a hole after ", covered));
        }
        covered = tensor.end;
        tensor.begin += data_begin;
        tensor.end += data_begin;
    }
    if (covered != data_bytes) refuse(file, cat("its tensors end at byte ", covered, " of the data, the file has ", data_bytes));
    return tensors;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
    InputFile file = InputFile::open(path);
    std::string begin(static_cast<size_t>(std::min<int64_t>(file.size(), kPlaceholderBytes)), '\0');
    file.read(0, std::ssize(begin), reinterpret_cast<std::byte*>(begin.data()));
    refuse_placeholder(begin, file.name());
    if (file.size() < 8) refuse(file.name(), cat("too short for a safetensors file: ", file.size(), " bytes"));
    uint64_t header_bytes = 0;  // little-endian in the file, as on every machine that this runs on
    file.read(0, sizeof header_bytes, reinterpret_cast<std::byte*>(&header_bytes));
    const auto longest = static_cast<uint64_t>(std::min(kMaxHeaderBytes, file.size() - 8));
    if (header_bytes > longest)
        refuse(file.name(),
               cat("header of ", header_bytes, " bytes, at most ", longest, " are possible: cut short, or not a safetensors file"));
    const int64_t data_begin = 8 + static_cast<int64_t>(header_bytes);
    std::string header(header_bytes, '\0');
    file.read(8, static_cast<int64_t>(header_bytes), reinterpret_cast<std::byte*>(header.data()));
    std::vector<StoredTensor> tensors = parse_safetensors_header(header, data_begin, file.size() - data_begin, file.name());
    return {std::move(file), std::move(tensors)};
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const StoredTensor& t) { return t.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace hearth
