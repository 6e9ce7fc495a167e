#include "tests/loaders/checkpoint/files.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace hearth::testing {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& bytes) {
    std::error_code ignored;
    fs::remove(path, ignored);  // a new file costs nothing; cutting an old one makes many file systems wait for the disk
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out) throw std::runtime_error("cannot write " + path.string());
}

void poke(const fs::path& path, size_t offset, char byte) {
    std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(offset));
    out.put(byte);
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return std::move(out).str();
}

nlohmann::json read_json(const fs::path& path) { return nlohmann::json::parse(read_file(path)); }

std::string safetensors(const std::string& header, const std::string& data) {
    const uint64_t length = header.size();
    std::string out(sizeof length, '\0');
    std::memcpy(out.data(), &length, sizeof length);
    return out + header + data;
}

std::string safetensors(const std::vector<MadeTensor>& tensors) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    std::string data;
    for (const MadeTensor& t : tensors) {
        header[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
        data += t.bytes;
    }
    return safetensors(header.dump(), data);
}

fs::path own_goldens() { return fs::path(HEARTH_SOURCE_DIR) / "tests" / "golden"; }

void copy_golden(const std::string& name, const fs::path& to) {
    for (const fs::directory_entry& entry : fs::directory_iterator(own_goldens() / name)) {
        const std::string file = entry.path().filename().string();
        if (!file.starts_with("golden.")) write_file(to / file, read_file(entry.path()));
    }
}

void change_config(const TempFolder& folder, const nlohmann::json& more) {
    nlohmann::json config = read_json(folder / "config.json");
    config.update(more);
    write_file(folder / "config.json", config.dump());
}

std::vector<fs::path> golden_folders(const fs::path& goldens, bool quantised) {
    std::vector<fs::path> out;
    for (const fs::directory_entry& entry : fs::directory_iterator(goldens)) {
        if (!fs::exists(entry.path() / "config.json")) continue;
        if (read_json(entry.path() / "config.json").contains("quantization_config") == quantised) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace hearth::testing
