#include "tools/hearth/perplexity/kl_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth::tool {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr std::array<char, 8> kMagic = {'H', 'E', 'A', 'R', 'T', 'H', 'K', 'L'};
constexpr int64_t kVersion = 1, kMostVocab = int64_t{1} << 24, kMostTokens = int64_t{1} << 30, kMostName = 1000;
constexpr double kCodes = 65535, kNearOne = 0.01;  // codes after the first; how far a stored distribution's sum may be from one

/// The numbers of the header as they stand in the file, behind the magic.
struct Fixed {
    int64_t version, vocab, context, stride, skip, tokens, scored;
    uint64_t token_hash;
    int64_t name_bytes;
};

/// What stands in front of the codes of a record.
struct Start {
    float own;
    int32_t likeliest;
    float largest, step;
};

std::optional<int64_t> file_bytes(int64_t vocab, int64_t scored, int64_t name_bytes) {
    const auto record = checked_add<int64_t>(sizeof(Start), 2 * vocab);
    const auto records = record ? checked_mul(*record, scored) : std::nullopt;
    return records ? checked_add<int64_t>(*records, static_cast<int64_t>(kMagic.size() + sizeof(Fixed)) + name_bytes) : std::nullopt;
}

[[noreturn]] void fail(const std::string& path, std::string_view what, int error) {
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    const ErrorKind kind = full ? ErrorKind::kNoResources : error == ENOENT || error == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
    throw Error(kind, cat(printable(path, 300), ": ", what, ": ", std::strerror(error)));
}

}  // namespace

uint64_t hash_of(std::span<const int32_t> tokens) {
    uint64_t hash = 14695981039346656037u;
    for (const int32_t token : tokens) {
        for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (static_cast<uint32_t>(token) >> 8 * byte & 255)) * 1099511628211u;
    }
    return hash;
}

void check_comparable(const std::string& path, const KlHeader& file, const KlHeader& run) {
    const auto compare = [&](std::string_view what, int64_t there, int64_t here) {
        if (there == here) return;
        throw Error(ErrorKind::kBadInput, cat(printable(path, 300), ": written by ", printable(file.model), " with ", what, " ", there,
                                              ", but this run has ", here));
    };
    compare("a vocabulary of", file.vocab, run.vocab);
    compare("--context", file.context, run.context);
    compare("--stride", file.stride, run.stride);
    compare("--skip", file.skip, run.skip);
    compare("a text of so many tokens:", file.tokens, run.tokens);
    compare("so many tokens scored:", file.scored, run.scored);
    if (file.token_hash != run.token_hash) {
        throw Error(ErrorKind::kBadInput, cat(printable(path, 300), ": written by ", printable(file.model), " for another text of ",
                                              file.tokens, " tokens: expected the ids to be the same"));
    }
}

KlWriter::KlWriter(const std::string& path, const KlHeader& header)
    : path_(path), partial_(cat(path, ".", ::getpid(), ".partial")), vocab_(header.vocab), left_(header.scored) {
    const std::string name = header.model.substr(0, kMostName);
    const auto bytes = file_bytes(header.vocab, header.scored, std::ssize(name));
    HEARTH_CHECK(bytes && header.vocab > 0 && header.vocab <= kMostVocab && header.tokens <= kMostTokens);
    std::error_code unknown;
    const auto room = std::filesystem::space(std::filesystem::absolute(path).parent_path(), unknown);
    if (!unknown && room.available < static_cast<uintmax_t>(*bytes)) {
        throw Error(ErrorKind::kNoResources, cat(printable(path, 300), ": needs ", human_bytes(*bytes), ", the disk has room for ",
                                                 human_bytes(static_cast<int64_t>(room.available))));
    }
    fd_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(partial_, "cannot be made", errno);
    const Fixed fixed{.version = kVersion,
                      .vocab = header.vocab,
                      .context = header.context,
                      .stride = header.stride,
                      .skip = header.skip,
                      .tokens = header.tokens,
                      .scored = header.scored,
                      .token_hash = header.token_hash,
                      .name_bytes = std::ssize(name)};
    put(kMagic.data(), kMagic.size());
    put(&fixed, sizeof fixed);
    put(name.data(), name.size());
    codes_.resize(static_cast<size_t>(vocab_));
}

KlWriter::~KlWriter() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(partial_.c_str());
}

void KlWriter::put(const void* data, size_t bytes) {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t count = ::write(fd_, from, bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail(partial_, "cannot be written", count < 0 ? errno : EIO);
        from += count;
        bytes -= static_cast<size_t>(count);
    }
}

void KlWriter::write(std::span<const float> expected, int32_t token) {
    HEARTH_CHECK(left_ > 0 && std::ssize(expected) == vocab_ && token >= 0 && token < vocab_);
    const auto [smallest, largest] = std::ranges::minmax_element(expected);
    Start start{expected[static_cast<size_t>(token)], 0, *largest, static_cast<float>((double{*largest} - double{*smallest}) / kCodes)};
    start.likeliest = static_cast<int32_t>(std::ranges::max_element(expected) - expected.begin());  // the first of several
    const double inverse = start.step > 0 ? 1 / double{start.step} : 0;
    for (size_t i = 0; i < expected.size(); ++i)
        codes_[i] = static_cast<uint16_t>(std::min(kCodes, std::nearbyint((double{start.largest} - double{expected[i]}) * inverse)));
    put(&start, sizeof start);
    put(codes_.data(), codes_.size() * sizeof(uint16_t));
    --left_;
}

void KlWriter::finish() {
    HEARTH_CHECK(left_ == 0);
    if (::close(std::exchange(fd_, -1)) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) {
        const int error = errno;
        ::unlink(partial_.c_str());
        fail(path_, "cannot be written", error);
    }
}

KlReader::KlReader(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail(path, "cannot be opened", errno);
    try {
        read_header();
    } catch (...) {
        ::close(fd_);
        throw;
    }
    codes_.resize(static_cast<size_t>(header_.vocab));
    expected_.resize(static_cast<size_t>(header_.vocab));
}

KlReader::~KlReader() { ::close(fd_); }

void KlReader::refuse(const std::string& expected, const std::string& found) const {
    throw Error(ErrorKind::kBadInput, cat(printable(path_, 300), ": expected ", expected, ", found ", found));
}

void KlReader::read_header() {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail(path_, "cannot be read", errno);
    if (!S_ISREG(status.st_mode)) refuse("a file that --kl-base wrote", "something that is no file");
    const int64_t size = status.st_size;
    std::array<char, kMagic.size()> magic{};
    Fixed fixed{};
    if (size < static_cast<int64_t>(sizeof magic + sizeof fixed)) refuse("a file that --kl-base wrote", cat(size, " bytes"));
    get(magic.data(), magic.size());
    if (magic != kMagic)
        refuse("a file that --kl-base wrote", cat("one that begins with \"", printable({magic.data(), magic.size()}), "\""));
    get(&fixed, sizeof fixed);
    if (fixed.version != kVersion) refuse(cat("version ", kVersion), cat(fixed.version));
    const auto in_range = [&](std::string_view what, int64_t value, int64_t least, int64_t most) {
        if (value < least || value > most) refuse(cat(what, " from ", least, " to ", most), cat(value));
    };
    in_range("a vocabulary", fixed.vocab, 1, kMostVocab);
    in_range("a number of tokens", fixed.tokens, 2, kMostTokens);
    in_range("a number of scored tokens", fixed.scored, 1, fixed.tokens);
    in_range("a context", fixed.context, 2, kMostTokens);
    in_range("a stride", fixed.stride, 1, fixed.context);
    in_range("a number of skipped tokens", fixed.skip, 0, fixed.context - 1);
    in_range("a name of so many bytes", fixed.name_bytes, 0, kMostName);
    const auto bytes = file_bytes(fixed.vocab, fixed.scored, fixed.name_bytes);
    if (!bytes || *bytes != size) {
        refuse(cat(bytes ? *bytes : 0, " bytes for ", fixed.scored, " scored tokens of a vocabulary of ", fixed.vocab), cat(size));
    }
    header_ = {.vocab = fixed.vocab,
               .context = fixed.context,
               .stride = fixed.stride,
               .skip = fixed.skip,
               .tokens = fixed.tokens,
               .scored = fixed.scored,
               .token_hash = fixed.token_hash,
               .model = ""};
    header_.model.resize(static_cast<size_t>(fixed.name_bytes));
    get(header_.model.data(), header_.model.size());
}

void KlReader::get(void* data, size_t bytes) {
    auto* to = static_cast<char*>(data);
    while (bytes > 0) {
        const ssize_t count = ::read(fd_, to, bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(path_, "cannot be read", errno);
        if (count == 0) refuse(cat(bytes, " bytes more"), "the end: it was cut short meanwhile");
        to += count;
        bytes -= static_cast<size_t>(count);
    }
}

KlReader::Record KlReader::next() {
    HEARTH_CHECK(records_ < header_.scored);
    const std::string at = cat("in record ", records_ + 1, " of ", header_.scored, " ");
    Start start{};
    get(&start, sizeof start);
    get(codes_.data(), codes_.size() * sizeof(uint16_t));
    if (!std::isfinite(start.own) || !std::isfinite(start.largest) || !std::isfinite(start.step) || start.step < 0)
        refuse(at + "finite numbers", cat(start.own, ", ", start.largest, ", ", start.step));
    if (start.likeliest < 0 || start.likeliest >= header_.vocab) refuse(cat(at, "a token below ", header_.vocab), cat(start.likeliest));
    double sum = 0;
    for (const uint16_t code : codes_) sum += std::exp(double{start.largest} - double{start.step} * code);
    if (!(std::abs(sum - 1) < kNearOne)) refuse(at + "probabilities that add up to 1", cat(sum));
    const double top = double{start.largest} - std::log(sum);
    for (size_t i = 0; i < codes_.size(); ++i) expected_[i] = static_cast<float>(top - double{start.step} * codes_[i]);
    ++records_;
    return {expected_, start.own, start.likeliest};
}

}  // namespace hearth::tool
