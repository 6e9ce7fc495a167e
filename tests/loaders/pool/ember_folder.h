// Folders that hold Ember under other names, and a pool's place to open them in.
#pragma once

#include <filesystem>
#include <string>

#include "kernels/make_backend.h"
#include "loaders/pool/resident_model.h"
#include "tests/support/temp_folder.h"

namespace hearth::testing {

/// A folder of links to Ember's files, below `parent`.
inline std::filesystem::path write_ember(const std::filesystem::path& parent, const std::string& name) {
    const std::filesystem::path folder = parent / name;
    std::filesystem::create_directories(folder);
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(HEARTH_SOURCE_DIR) / "tools" / "ember")) {
        if (file.is_regular_file()) std::filesystem::create_symlink(file.path(), folder / file.path().filename());
    }
    return folder;
}

inline OpenPlace cpu_place() {
    OpenPlace out;
    out.backend = make_backend({});
    return out;
}

/// What a model says to a few ids, likeliest tokens first.
inline std::vector<int32_t> greedy_tokens(Engine& engine, int64_t count = 24) {
    Request request;
    request.prompt = {1, 400, 500, 600, 700};
    request.sampling.temperature = 0;
    request.max_tokens = count;
    const auto stream = submit_or_throw(engine, std::move(request));
    std::vector<int32_t> out;
    for (auto event = stream->next(); !event->finish; event = stream->next()) out.push_back(event->token.id);
    return out;
}

}  // namespace hearth::testing
