// A file that is read piece by piece, from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace hearth {

/// Owns a descriptor, or shows a file that is a part of this program
/// (loaders/builtin). Move-only; const functions may be called from any thread.
///
/// Bytes are read, never mapped: a mapped file that somebody cuts short ends the whole process (SIGBUS) when a lost page is touched, and so
/// does a disk that fails. Call check_unchanged() before a long read and after it, so that what was read is known to be of one file.
class InputFile {
public:
    /// Opens a plain file (links are followed). Throws Error: kNotFound, kIo, kBadInput for a folder, pipe or device.
    static InputFile open(const std::filesystem::path& path);

    InputFile(InputFile&& other) noexcept;
    InputFile& operator=(InputFile&&) = delete;
    ~InputFile();

    const std::string& name() const { return name_; }  // as given to open()
    int64_t size() const { return size_; }

    /// Bytes [offset, offset + bytes) into `out`. Throws Error{kIo}, also when the file ends before.
    void read(int64_t offset, int64_t bytes, std::byte* out) const;

    /// The contents, for small files. Throws Error{kIo}, also when the file is no longer size() long.
    std::string read_all() const;

    /// Throws Error{kIo} when size or time of change differ from those at open().
    void check_unchanged() const;

    /// A hint: these bytes will be needed soon.
    void will_need(int64_t offset, int64_t bytes) const;

private:
    InputFile() = default;

    std::string name_;
    int fd_ = -1;                         // -1: a part of this program
    const std::byte* builtin_ = nullptr;  // then its bytes
    int64_t size_ = 0;
    int64_t changed_ns_ = 0;
};

}  // namespace hearth
