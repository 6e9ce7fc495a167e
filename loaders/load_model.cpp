#include "loaders/load_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "loaders/checkpoint/settle_names.h"
#include "loaders/weights/matrix_source.h"

namespace hearth {
namespace {

constexpr int64_t kReadAhead = 256 << 20;  // bytes asked of the disk before they are packed: deep enough for any queue

/// One tensor's bytes in its file.
struct FileRange {
    const InputFile* file = nullptr;
    int64_t begin = 0, bytes = 0;
};

/// Lists the ranges of files in the order in which they will be packed, for reading ahead.
class RangeLister : public WeightVisitor {
public:
    explicit RangeLister(const MatrixSource& source) : source_(source) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse, DeviceWeight&) override { list(parts); }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override { list(parts); }

    std::vector<FileRange> ranges;

private:
    void list(const std::vector<NeededTensor>& parts) {
        for (const NeededTensor& part : parts) {
            for (const Checkpoint::Entry* entry : source_.tensors(part))
                ranges.push_back({&entry->file->file(), entry->tensor->begin, entry->tensor->bytes()});
        }
    }

    const MatrixSource& source_;
};

/// Reads each weight and packs it into memory of the device.
class Packer : public WeightVisitor {
public:
    Packer(const Checkpoint& checkpoint, const MatrixSource& source, std::vector<FileRange> ranges, const Backend& backend,
           int64_t total_bytes, const Progress& progress)
        : checkpoint_(checkpoint),
          source_(source),
          ranges_(std::move(ranges)),
          backend_(backend),
          stream_(backend.make_stream()),
          total_(total_bytes),
          progress_(progress) {
        const auto folder =
            std::filesystem::absolute(checkpoint.folder() / "").lexically_normal();  // ends in a slash, so that "." has a name
        what_ = cat("loading ", folder.parent_path().filename().string());
        report(true);
    }

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight& out) override {
        const size_t tensors = begin(parts);
        source_.read(parts, use, *stream_, read_);
        out.bytes = backend_.allocate(backend_.plan(read_.matrices, use).bytes);
        out.weight = backend_.prepare(read_.matrices, use, out.bytes.get(), *stream_);
        stream_->wait();  // the next weight is read into the same memory
        end(tensors);
    }

    void vector(const std::vector<NeededTensor>& parts, DeviceVector& out) override {
        std::vector<float> values;
        begin(parts);
        for (const NeededTensor& part : parts) {
            const Checkpoint::Entry& entry = *checkpoint_.find(part.name);
            entry.read(vector_);
            for (int64_t i = 0; i < part.n; ++i) values.push_back(load_float(vector_.data(), *entry.tensor->type->dtype, i));
        }
        out.size = static_cast<int64_t>(values.size());
        out.bytes = backend_.allocate(out.size * int64_t{sizeof(float)});
        backend_.copy_to_device(out.bytes.get(), values.data(), out.size * int64_t{sizeof(float)});
        end(parts.size());
    }

private:
    /// Before the bytes of `parts` are read: the files are still the same, and
    /// the disk is at work on what comes after. The number of their tensors.
    size_t begin(const std::vector<NeededTensor>& parts) {
        size_t tensors = 0;
        for (const NeededTensor& part : parts) {
            for (const Checkpoint::Entry* entry : source_.tensors(part)) {
                entry->file->file().check_unchanged();
                ++tensors;
            }
        }
        while (asked_ < ranges_.size() && asked_bytes_ < done_ + kReadAhead) {
            const FileRange& range = ranges_[asked_++];
            range.file->will_need(range.begin, range.bytes);
            asked_bytes_ += range.bytes;
        }
        return tensors;
    }

    void end(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            done_ += ranges_[packed_++].bytes;
        }
        report(done_ == total_);
    }

    void report(bool always) {
        if (!progress_ || (!always && done_ - reported_ < total_ / 100)) return;
        reported_ = done_;
        progress_({what_, done_, total_});
    }

    const Checkpoint& checkpoint_;
    const MatrixSource& source_;
    const std::vector<FileRange> ranges_;
    const Backend& backend_;
    std::unique_ptr<Stream> stream_;
    MatrixParts read_;  // the weight at hand
    ByteBuffer vector_;
    const int64_t total_;
    const Progress& progress_;
    std::string what_;
    size_t asked_ = 0, packed_ = 0;  // of ranges_
    int64_t asked_bytes_ = 0, done_ = 0, reported_ = 0;
};

}  // namespace

std::shared_ptr<const Model> load_model(const CheckpointInfo& info, std::shared_ptr<const Backend> backend, const LoadOptions& options) {
    const int64_t context = checked_context(info.config, options.max_context);
    HEARTH_CHECK(info.checkpoint);
    const Checkpoint& checkpoint = *info.checkpoint;
    CheckpointInfo settled = info;
    const TensorNames names = settle_names(checkpoint, settled);
    ModelConfig& config = settled.config;
    check_rules(config, names, options.quantize);
    const QuantizeRules rules(options.quantize, names);
    const MatrixSource source(checkpoint, info.scheme.get(), rules);
    RangeLister lister(source);
    visit_weights(config, names, lister);
    Packer packer(checkpoint, source, std::move(lister.ranges), *backend, info.file_bytes, options.progress);
    Weights weights = visit_weights(config, names, packer);
    for (const auto& file : checkpoint.files()) file->file().check_unchanged();
    return std::make_shared<const Model>(std::move(config), std::move(weights), std::move(backend), context);
}

}  // namespace hearth
