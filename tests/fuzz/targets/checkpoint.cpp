// A folder: config.json, model.safetensors.index.json and a header, as three parts of the input. Oracle: what inspect_checkpoint accepts
// can be planned, and every tensor that it lists lies within its file.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "kernels/make_backend.h"
#include "loaders/checkpoint/checkpoint.h"
#include "loaders/load_model.h"
#include "loaders/weights/plan_weights.h"
#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {
namespace {

namespace fs = std::filesystem;

/// In memory where the machine has such a folder.
const fs::path& folder() {
    static const fs::path path = [] {
        std::error_code ignored;
        const fs::path base = fs::is_directory("/dev/shm", ignored) ? fs::path("/dev/shm") : fs::temp_directory_path();
        fs::path out = base / cat("hearth-fuzz-", ::getpid());
        fs::create_directories(out);
        return out;
    }();
    return path;
}

void write(const char* name, std::string_view text) {
    if (text.empty()) {
        fs::remove(folder() / name);
    } else {
        std::ofstream(folder() / name, std::ios::binary | std::ios::trunc).write(text.data(), static_cast<std::streamsize>(text.size()));
    }
}

/// A file with this header and as many bytes (of a hole) as its largest offset asks for, within reason.
void write_weights(std::string_view header) {
    std::string head(8, '\0');
    for (size_t i = 0; i < 8; ++i) head[i] = static_cast<char>(header.size() >> 8 * i);
    write("model.safetensors", cat(head, header));
    int64_t largest = 0, number = 0;
    for (const char c : header) {
        number = c >= '0' && c <= '9' && number < (int64_t{1} << 40) ? number * 10 + (c - '0') : 0;
        if (number <= 1 << 24) largest = std::max(largest, number);
    }
    fs::resize_file(folder() / "model.safetensors", 8 + header.size() + static_cast<uint64_t>(largest));
}

}  // namespace

void run_checkpoint(std::string_view input) {
    const auto files = parts(input, 3);
    write("config.json", files[0]);
    write("model.safetensors.index.json", files[1]);
    write_weights(files[2]);
    static const auto backend = make_backend({.device = "reference"});
    accepted([&] {
        const CheckpointInfo info = inspect_checkpoint(folder());
        require(planned_weight_bytes(info, *backend) >= 0, "a plan is no negative number of bytes");
        const Checkpoint checkpoint = Checkpoint::open(folder());
        for (const auto& [name, entry] : checkpoint.entries()) {
            require(entry.tensor->begin >= 0 && entry.tensor->end <= entry.file->file().size(), "a tensor lies within its file");
        }
    });
}

std::vector<std::string> seeds_checkpoint() {
    std::vector<std::string> out;
    const fs::path goldens = fs::path(HEARTH_SOURCE_DIR) / "tests" / "golden";
    std::error_code failed;
    for (fs::directory_iterator it(goldens, failed), end; !failed && it != end; it.increment(failed)) {
        const std::string weights = file_text((it->path() / "model.safetensors").string());
        const std::string config = file_text((it->path() / "config.json").string());
        if (weights.size() < 8 || config.empty()) continue;
        const size_t header = static_cast<unsigned char>(weights[0]) | static_cast<size_t>(static_cast<unsigned char>(weights[1])) << 8;
        out.push_back(cat(config, "\n----\n\n----\n", weights.substr(8, header)));
    }
    for (const std::string& config : shared_files("data/configs", ".json", 20'000)) out.push_back(config);
    return out;
}

}  // namespace hearth::fuzz
