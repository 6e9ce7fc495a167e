#include "loaders/io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "loaders/builtin/builtin_files.h"

namespace hearth {
namespace {

[[noreturn]] void throw_errno(const std::string& name, const char* doing, int error) {
    const ErrorKind kind = error == ENOENT || error == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
    throw Error(kind, cat(name, ": ", doing, ": ", std::generic_category().message(error)));
}

int64_t change_time_ns(const struct stat& s) { return int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec; }

}  // namespace

InputFile InputFile::open(const std::filesystem::path& path) {
    InputFile file;
    file.name_ = path.string();
    if (const BuiltinFile* builtin = find_builtin_file(path)) {
        file.builtin_ = builtin->bytes.data();
        file.size_ = static_cast<int64_t>(builtin->bytes.size());
        return file;
    }
    // Without O_NONBLOCK a named pipe in a model folder would hold us for ever.
    file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file.fd_ < 0) throw_errno(file.name_, "cannot open", errno);
    struct stat s {};
    if (::fstat(file.fd_, &s) != 0) throw_errno(file.name_, "cannot stat", errno);
    if (!S_ISREG(s.st_mode))
        throw Error(ErrorKind::kBadInput, cat(file.name_, ": expected a file, found ", S_ISDIR(s.st_mode) ? "a folder" : "something else"));
    file.size_ = s.st_size;
    file.changed_ns_ = change_time_ns(s);
    return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : name_(std::move(other.name_)),
      fd_(std::exchange(other.fd_, -1)),
      builtin_(other.builtin_),
      size_(other.size_),
      changed_ns_(other.changed_ns_) {}

InputFile::~InputFile() {
    if (fd_ >= 0) ::close(fd_);
}

void InputFile::read(int64_t offset, int64_t bytes, std::byte* out) const {
    if (fd_ < 0) {
        HEARTH_CHECK(offset >= 0 && bytes >= 0 && offset <= size_ && bytes <= size_ - offset);
        std::memcpy(out, builtin_ + offset, static_cast<size_t>(bytes));
        return;
    }
    int64_t got = 0;
    while (got < bytes) {
        const ssize_t n = ::pread(fd_, out + got, static_cast<size_t>(bytes - got), offset + got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_errno(name_, "cannot read", errno);
        if (n == 0) throw Error(ErrorKind::kIo, cat(name_, ": ended after ", offset + got, " bytes, expected ", size_));
        got += n;
    }
}

std::string InputFile::read_all() const {
    std::string out(static_cast<size_t>(size_), '\0');
    read(0, size_, reinterpret_cast<std::byte*>(out.data()));
    return out;
}

void InputFile::check_unchanged() const {
    if (fd_ < 0) return;
    struct stat s {};
    if (::fstat(fd_, &s) != 0) throw_errno(name_, "cannot stat", errno);
    if (s.st_size != size_)
        throw Error(ErrorKind::kIo, cat(name_, ": changed while it was read: ", s.st_size, " bytes now, ", size_, " before"));
    if (change_time_ns(s) != changed_ns_) throw Error(ErrorKind::kIo, cat(name_, ": was written to while it was read"));
}

void InputFile::will_need(int64_t offset, int64_t bytes) const {
    if (bytes > 0 && fd_ >= 0) ::posix_fadvise(fd_, offset, bytes, POSIX_FADV_WILLNEED);
}

}  // namespace hearth
