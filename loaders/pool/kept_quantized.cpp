#include "loaders/pool/kept_quantized.h"

#include <sys/stat.h>

#include <array>
#include <charconv>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/model_files.h"
#include "loaders/quantize/partial_folder.h"
#include "loaders/quantize/quantize_folder.h"
#include "runtime/schedule/prefix_hash.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// To be raised when quantising gives other bits than before: older copies are then not used any more.
constexpr int kVersion = 1;

/// 64 bits of SipHash under a fixed key, as 16 digits.
std::string fingerprint(const std::string& text) {
    const uint64_t hash = PrefixHasher(0, 0).hash(std::as_bytes(std::span(text))).low;
    std::array<char, 17> digits{};
    const auto [end, problem] = std::to_chars(digits.data(), digits.data() + 16, hash, 16);
    const std::string out(digits.data(), end);
    return std::string(16 - out.size(), '0') + out;
}

/// Names, sizes and times of the files that decide about the copy.
std::string state_of(const fs::path& folder) {
    std::string out;
    for (const std::string& name : model_file_names(folder)) {
        if (!name.ends_with(".safetensors") && !name.ends_with(".json")) continue;
        struct stat info {};
        if (::stat((folder / name).c_str(), &info) != 0) continue;
        out += cat(name, '\n', info.st_size, ' ', info.st_mtim.tv_sec, '.', info.st_mtim.tv_nsec, '\n');
    }
    return out;
}

/// "org/model" as a part of a file's name.
std::string file_name_of(const std::string& name) {
    std::string out;
    for (const char c : name.substr(0, 80)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        out += plain ? std::string(1, c) : c == '/' ? std::string("--") : std::string("_");
    }
    return out;
}

/// Removes a copy: the files that quantising writes, and the folder if it holds nothing else.
void remove_copy(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(fs::symlink_status(folder, ignored))) return;
    for (const std::string& name : model_file_names(folder)) {
        if (belongs_to_checkpoint(name)) fs::remove(folder / name, ignored);
    }
    fs::remove(folder, ignored);
}

}  // namespace

fs::path kept_quantized_root() { return model_directory() / ".quantized"; }

KeptCopy kept_copy(const fs::path& root, const ModelEntry& entry, const QuantizeOptions& options) {
    HEARTH_CHECK(options.kind);
    std::error_code failed;
    const fs::path real = fs::weakly_canonical(entry.folder, failed);
    std::string settings = cat(failed ? entry.folder.string() : real.string(), '\n', kVersion, '\n', name_of(*options.kind));
    for (const KeepRule& rule : options.keep) settings += cat('\n', rule.name, '=', rule.kind ? name_of(*rule.kind) : "float");
    KeptCopy out;
    out.stem = cat(file_name_of(entry.name), '-', name_of(*options.kind), '-', fingerprint(settings), '-');
    out.folder = root / (out.stem + fingerprint(state_of(entry.folder)));
    return out;
}

void write_kept_copy(const KeptCopy& copy, const CheckpointInfo& info, const QuantizeOptions& options, Stream& stream,
                     const Progress& progress) {
    const fs::path root = copy.folder.parent_path();
    std::error_code failed;
    fs::create_directories(root, failed);
    if (failed) throw Error(ErrorKind::kIo, cat(root.string(), ": cannot be made: ", failed.message()));
    quantize_folder(info, options, copy.folder, stream, progress);
    for (fs::directory_iterator at(root, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string name = at->path().filename().string();
        // A name that goes on behind SOURCE is being written by somebody, or is not ours.
        if (name.starts_with(copy.stem) && name.size() == copy.stem.size() + 16 && at->path() != copy.folder) remove_copy(at->path());
    }
}

}  // namespace hearth
