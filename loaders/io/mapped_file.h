// A file as memory, read only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace hearth {

/// Owns a descriptor and a mapping of the whole file as it was when opened, or shows a file that is a part of this program
/// (loaders/builtin). Move-only; const functions may be called from any thread.
///
/// A file that becomes shorter while it is mapped ends the process when its lost pages are touched (SIGBUS): call check_unchanged()
/// before a long read, and after it, so that what was read is known to be whole.
class MappedFile {
public:
    /// Opens a plain file (links are followed). Throws Error: kNotFound, kIo, kBadInput for a folder, pipe or device.
    static MappedFile open(const std::filesystem::path& path);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile();

    const std::string& name() const { return name_; }  // as given to open()
    const std::byte* data() const { return data_; }    // [size()]
    int64_t size() const { return size_; }

    /// The contents through read(), for small files. Throws Error{kIo}, also when the file is no longer size() long.
    std::string read_all() const;

    /// Throws Error{kIo} when size or time of change differ from those at open().
    void check_unchanged() const;

    /// Hints: these bytes will be needed soon; these will not be needed again (they leave this process, not the system's cache).
    void will_need(int64_t offset, int64_t bytes) const;
    void done_with(int64_t offset, int64_t bytes) const;

private:
    MappedFile() = default;

    std::string name_;
    int fd_ = -1;  // -1: a part of this program
    const std::byte* data_ = nullptr;
    int64_t size_ = 0;
    int64_t changed_ns_ = 0;
};

}  // namespace hearth
