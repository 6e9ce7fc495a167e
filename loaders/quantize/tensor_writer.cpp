#include "loaders/quantize/tensor_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

[[noreturn]] void fail(const std::string& name, int error) {
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    throw Error(full ? ErrorKind::kNoResources : ErrorKind::kIo, cat(name, ": cannot be written: ", std::strerror(error)));
}

}  // namespace

TensorWriter::TensorWriter(const std::filesystem::path& path, const std::vector<NewTensor>& tensors) : name_(path.string()) {
    nlohmann::ordered_json header;
    header["__metadata__"] = {{"format", "pt"}};
    int64_t end = 0;
    for (const NewTensor& tensor : tensors) {
        header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {end, end + tensor.bytes}}};
        begin_.push_back(end);
        bytes_.push_back(tensor.bytes);
        end += tensor.bytes;
    }
    std::string text = header.dump();
    text.resize(static_cast<size_t>(round_up<int64_t>(std::ssize(text), 8)), ' ');
    const int64_t data = 8 + std::ssize(text);
    for (int64_t& begin : begin_) begin += data;
    std::error_code unknown;
    const auto room = std::filesystem::space(path.parent_path(), unknown);
    if (!unknown && room.available < static_cast<uintmax_t>(data + end)) {
        throw Error(ErrorKind::kNoResources, cat(name_, ": needs ", human_bytes(data + end), ", the disk has room for ",
                                                 human_bytes(static_cast<int64_t>(room.available))));
    }
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(name_, errno);
    const uint64_t length = text.size();
    write_at(0, &length, 8);  // little-endian, as every machine that this runs on
    write_at(8, text.data(), std::ssize(text));
}

TensorWriter::~TensorWriter() {
    if (fd_ >= 0) ::close(fd_);
}

void TensorWriter::write_at(int64_t offset, const void* data, int64_t bytes) {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t count = ::pwrite(fd_, from, static_cast<size_t>(bytes), offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail(name_, count < 0 ? errno : EIO);
        from += count;
        offset += count;
        bytes -= count;
    }
}

void TensorWriter::write(size_t index, const void* data, int64_t bytes) {
    HEARTH_CHECK(index < bytes_.size() && bytes == bytes_[index]);
    write_at(begin_[index], data, bytes);
}

void TensorWriter::finish() {
    // The folder gets its name afterwards: a power cut must not leave a name over bytes that never reached the disk.
    if (::fdatasync(fd_) != 0) fail(name_, errno);
    if (::close(std::exchange(fd_, -1)) != 0) fail(name_, errno);
}

void write_whole(const std::filesystem::path& path, std::string_view text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) fail(path.string(), errno);
    const ssize_t count = ::write(fd, text.data(), text.size());
    int error = count < 0 ? errno : ENOSPC;  // a short write of a small file: there is no room
    const bool whole = count == std::ssize(text), synced = whole && ::fdatasync(fd) == 0;
    if (whole && !synced) error = errno;
    if (::close(fd) != 0 || !synced) fail(path.string(), error);
}

}  // namespace hearth
