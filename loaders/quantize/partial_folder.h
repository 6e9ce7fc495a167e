// The folder that a checkpoint is written into before it gets its name.
#pragma once

#include <filesystem>
#include <string>

namespace hearth {

/// Makes "NAME.partial" and owns it: it goes away unless it is kept. Move it to its name with keep(). One thread.
///
/// A leftover of a process that was killed is replaced. It is known by the marker file that this class writes first, which a living process
/// holds a lock on. A folder without the marker, with a locked one, or with anything in it that is not written here stays untouched.
class PartialFolder {
public:
    /// Throws Error: kBadInput where `wanted` is there, or its partial folder is and is no leftover of ours; kIo.
    explicit PartialFolder(const std::filesystem::path& wanted);
    ~PartialFolder();
    PartialFolder(const PartialFolder&) = delete;
    PartialFolder& operator=(const PartialFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

    /// Gives the folder its name. Throws Error{kIo}.
    void keep();

private:
    const std::filesystem::path wanted_, path_;
    int marker_ = -1;  // open and locked while this lives
    bool kept_ = false;
};

/// Whether a checkpoint that is written here may hold a file of this name: weights, config.json and what is carried along.
bool belongs_to_checkpoint(const std::string& file_name);

/// Whether such a file is copied from the checkpoint that was read.
bool is_carried(const std::string& file_name);

}  // namespace hearth
