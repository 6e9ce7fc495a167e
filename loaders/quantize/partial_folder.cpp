#include "loaders/quantize/partial_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = ".hearth-partial";
constexpr std::string_view kMarkerText = "This folder is being written by hearth quantize. Left over, it is replaced by the next run.\n";

/// Files beside the weights that belong to a model.
constexpr const char* kCarried[] = {"generation_config.json",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    "tokenizer.model",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "tekken.json",
                                    "chat_template.jinja",
                                    "chat_template.json"};

/// Closes a descriptor at the end.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    const int fd_;
};

/// Names in `folder`.
std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> out;
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
        out.push_back(it->path().filename().string());
    return out;
}

/// Removes `names`, all written here, and the folder that `folder` is open at. Nothing else goes: a folder that holds more stays.
void remove_ours(const fs::path& path, int folder, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (name != kMarker) ::unlinkat(folder, name.c_str(), 0);
    }
    ::unlinkat(folder, kMarker, 0);  // last: what is killed here is still known as ours
    ::rmdir(path.c_str());
}

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
    throw Error(ErrorKind::kBadInput,
                cat(path.string(), ": is there already", why, "; nothing is written over, remove it or choose another name"));
}

bool holds_our_text(int marker) {
    char text[kMarkerText.size() + 1];
    const ssize_t count = ::pread(marker, text, sizeof text, 0);
    // Killed while it was written, it holds the beginning.
    return count >= 0 && kMarkerText.substr(0, static_cast<size_t>(count)) == std::string_view(text, static_cast<size_t>(count));
}

/// Removes what a killed process left at `path`, or refuses to.
void replace_leftover(const fs::path& path) {
    const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder.get() < 0) refuse(path, " and is no folder");
    const std::vector<std::string> names = names_in(path);
    if (names.empty()) {  // killed before the marker was there; to remove an empty folder loses nothing
        ::rmdir(path.c_str());
        return;
    }
    const Descriptor marker(::openat(folder.get(), kMarker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (marker.get() < 0 || !holds_our_text(marker.get())) refuse(path, " and is no leftover of an earlier run");
    if (::flock(marker.get(), LOCK_EX | LOCK_NB) != 0) refuse(path, ", and another process is writing it");
    for (const std::string& name : names) {
        if (name != kMarker && !belongs_to_checkpoint(name))
            refuse(path, cat(" and holds \"", printable(name, 80), "\", which is not ours"));
    }
    remove_ours(path, folder.get(), names);
}

}  // namespace

bool is_carried(const std::string& name) {
    return name.starts_with("LICENSE") || name.starts_with("NOTICE") || std::ranges::find(kCarried, name) != std::end(kCarried);
}

bool belongs_to_checkpoint(const std::string& name) { return name == "model.safetensors" || name == "config.json" || is_carried(name); }

PartialFolder::PartialFolder(const fs::path& wanted) : wanted_(wanted), path_(wanted.string() + ".partial") {
    std::error_code error;
    if (fs::exists(fs::symlink_status(wanted_, error))) refuse(wanted_, "");
    if (fs::exists(fs::symlink_status(path_, error))) replace_leftover(path_);
    if (!fs::create_directory(path_, error))
        throw Error(ErrorKind::kIo, cat(path_.string(), ": cannot be made: ", error ? error.message() : "it is there"));
    marker_ = ::open((path_ / kMarker).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (marker_ < 0 || ::flock(marker_, LOCK_EX | LOCK_NB) != 0 ||
        ::write(marker_, kMarkerText.data(), kMarkerText.size()) != std::ssize(kMarkerText)) {
        const int reason = errno;
        if (marker_ >= 0) ::close(marker_);
        fs::remove(path_ / kMarker, error);
        fs::remove(path_, error);
        throw Error(ErrorKind::kIo, cat(path_.string(), ": cannot be written to: ", std::strerror(reason)));
    }
}

PartialFolder::~PartialFolder() {
    if (!kept_) {
        const Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        std::vector<std::string> names = names_in(path_);
        std::erase_if(names, [](const std::string& name) { return !belongs_to_checkpoint(name); });
        if (folder.get() >= 0) remove_ours(path_, folder.get(), names);
    }
    ::close(marker_);
}

void PartialFolder::keep() {
    std::error_code error;
    fs::rename(path_, wanted_, error);
    if (error) throw Error(ErrorKind::kIo, cat(wanted_.string(), ": cannot be given its name: ", error.message()));
    kept_ = true;
    fs::remove(wanted_ / kMarker, error);  // after the name: a whole folder that lost its marker would be a wall
}

}  // namespace hearth
