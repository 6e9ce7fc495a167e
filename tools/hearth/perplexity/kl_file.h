// A file of what a model expected at every token of a text, for other models to be compared with.
//
// Layout, little-endian: "HEARTHKL", the numbers of KlHeader as int64 in order, the length of the model's name and the name; then a record
// for each scored token: its log-probability (float32), the likeliest token (int32), the largest log-probability and the step of the codes
// (float32), one uint16 code for each token of the vocabulary:
//     log-probability = largest - step * code,  step = (largest - smallest) / 65535
// Error: half a step at most, which is 0.0003 nats where a vocabulary spans 40 nats. What is read is normalised again, so that the
// divergence of a model from its own file is second order in the error: about 1e-8 nats, and a divergence of 0.002 changes in its fifth
// digit. 2 bytes for each token of the vocabulary and of the text: 200 MB for 49,152 times 2,048.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hearth::tool {

/// What was scored, and by what. Files can be compared with a run that agrees in all but the model.
struct KlHeader {
    int64_t vocab = 0, context = 0, stride = 0, skip = 0;
    int64_t tokens = 0, scored = 0;  // of the text; records
    uint64_t token_hash = 0;         // hash_of(tokens)
    std::string model;               // for people: name, format, device
};

/// FNV-1a of the ids as little-endian int32.
uint64_t hash_of(std::span<const int32_t> tokens);

/// Throws Error{kBadInput} naming `path`, what the file has and what this run has, where they differ in anything but the model.
void check_comparable(const std::string& path, const KlHeader& file, const KlHeader& run);

/// Writes beside `path` and moves the file there when it is complete. One thread.
class KlWriter {
public:
    /// Throws Error: kNoResources when the disk has no room for all of it, kIo.
    KlWriter(const std::string& path, const KlHeader& header);
    ~KlWriter();  // removes what was not finished
    KlWriter(const KlWriter&) = delete;
    KlWriter& operator=(const KlWriter&) = delete;

    /// The next record: finite log-probabilities [vocab], and the token that came.
    void write(std::span<const float> expected, int32_t token);

    /// All header.scored records have been written.
    void finish();

private:
    void put(const void* data, size_t bytes);

    std::string path_, partial_;
    int64_t vocab_ = 0, left_ = 0;
    int fd_ = -1;
    std::vector<uint16_t> codes_;
};

/// Reads record by record; memory does not grow with the file. Nothing in the file is believed: throws Error naming the file, what was
/// expected and what was found. One thread.
class KlReader {
public:
    /// Throws Error: kNotFound, kIo, kBadInput for what is no such file, is of another version, or is cut short or too long.
    explicit KlReader(const std::string& path);
    ~KlReader();
    KlReader(const KlReader&) = delete;
    KlReader& operator=(const KlReader&) = delete;

    const KlHeader& header() const { return header_; }

    struct Record {
        std::span<const float> expected;  // [vocab], log-probabilities, normalised; valid until the next record
        float own = 0;                    // log-probability of the token that came, as it was
        int32_t likeliest = 0;
    };

    /// The next record; there are header().scored. Throws Error{kBadInput} for one that is no distribution, kIo.
    Record next();

private:
    void read_header();
    void get(void* data, size_t bytes);
    [[noreturn]] void refuse(const std::string& expected, const std::string& found) const;

    std::string path_;
    KlHeader header_;
    int fd_ = -1;
    int64_t records_ = 0;  // read so far
    std::vector<uint16_t> codes_;
    std::vector<float> expected_;
};

}  // namespace hearth::tool
