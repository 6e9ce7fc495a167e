#include "loaders/load_model.h"

#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "loaders/inspect.h"

namespace hearth {
namespace {

constexpr int64_t kReadAhead = 256 << 20;  // bytes asked of the disk before they are packed: deep enough for any queue

/// One tensor's bytes in its file.
struct FileRange {
    const MappedFile* file = nullptr;
    int64_t begin = 0, bytes = 0;
};

HostMatrix host_matrix(const Checkpoint::Entry& entry) {
    const StoredTensor& t = *entry.tensor;
    return {*t.type->dtype, entry.data(), t.shape[0], t.shape.size() > 1 ? t.shape[1] : 1};
}

/// Device bytes of every weight, without allocating any.
class Planner : public WeightVisitor {
public:
    /// `checkpoint` null: every tensor counts as `dtype`.
    Planner(const Checkpoint* checkpoint, DType dtype, const Backend& backend)
        : checkpoint_(checkpoint), dtype_(dtype), backend_(backend) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight&) override {
        std::vector<HostMatrix> matrices;
        for (const NeededTensor& part : parts) {
            const Checkpoint::Entry* entry = checkpoint_ ? checkpoint_->find(part.name) : nullptr;
            matrices.push_back({entry ? *entry->tensor->type->dtype : dtype_, nullptr, part.n, part.k});
        }
        bytes += backend_.plan(matrices, use).bytes;
    }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override {
        for (const NeededTensor& part : parts) bytes += part.n * int64_t{sizeof(float)};
    }

    int64_t bytes = 0;

private:
    const Checkpoint* checkpoint_;
    DType dtype_;
    const Backend& backend_;
};

/// Lists the ranges of files in the order in which they will be packed, for reading ahead.
class RangeLister : public WeightVisitor {
public:
    explicit RangeLister(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse, DeviceWeight&) override { list(parts); }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override { list(parts); }

    std::vector<FileRange> ranges;

private:
    void list(const std::vector<NeededTensor>& parts) {
        for (const NeededTensor& part : parts) {
            const Checkpoint::Entry& entry = *checkpoint_.find(part.name);
            ranges.push_back({&entry.file->file(), entry.tensor->begin, entry.tensor->bytes()});
        }
    }

    const Checkpoint& checkpoint_;
};

/// Packs each weight from the mapped files into memory of the device.
class Packer : public WeightVisitor {
public:
    Packer(const Checkpoint& checkpoint, std::vector<FileRange> ranges, const Backend& backend, int64_t total_bytes,
           const Progress& progress)
        : checkpoint_(checkpoint),
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
        std::vector<HostMatrix> matrices;
        begin(parts);
        for (const NeededTensor& part : parts) matrices.push_back(host_matrix(*checkpoint_.find(part.name)));
        out.bytes = backend_.allocate(backend_.plan(matrices, use).bytes);
        out.weight = backend_.prepare(matrices, use, out.bytes.get(), *stream_);
        stream_->wait();  // the pages under `matrices` are given back next
        end(parts.size());
    }

    void vector(const std::vector<NeededTensor>& parts, DeviceVector& out) override {
        std::vector<float> values;
        begin(parts);
        for (const NeededTensor& part : parts) {
            const Checkpoint::Entry& entry = *checkpoint_.find(part.name);
            for (int64_t i = 0; i < part.n; ++i) values.push_back(load_unaligned(entry, i));
        }
        out.size = static_cast<int64_t>(values.size());
        out.bytes = backend_.allocate(out.size * int64_t{sizeof(float)});
        backend_.copy_to_device(out.bytes.get(), values.data(), out.size * int64_t{sizeof(float)});
        end(parts.size());
    }

private:
    /// A header of odd length leaves every tensor unaligned.
    static float load_unaligned(const Checkpoint::Entry& entry, int64_t i) {
        const DType type = *entry.tensor->type->dtype;
        alignas(8) std::byte one[8];  // the longest element
        std::memcpy(one, entry.data() + i * bytes_of(type), static_cast<size_t>(bytes_of(type)));
        return load_float(one, type, 0);
    }

    /// Before the bytes of `parts` are touched: the files still have them, and the disk is at work on what comes after.
    void begin(const std::vector<NeededTensor>& parts) {
        for (const NeededTensor& part : parts) checkpoint_.find(part.name)->file->file().check_unchanged();
        while (asked_ < ranges_.size() && asked_bytes_ < done_ + kReadAhead) {
            const FileRange& range = ranges_[asked_++];
            range.file->will_need(range.begin, range.bytes);
            asked_bytes_ += range.bytes;
        }
    }

    void end(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            const FileRange& range = ranges_[packed_++];
            range.file->done_with(range.begin, range.bytes);
            done_ += range.bytes;
        }
        report(done_ == total_);
    }

    void report(bool always) {
        if (!progress_ || (!always && done_ - reported_ < total_ / 100)) return;
        reported_ = done_;
        progress_({what_, done_, total_});
    }

    const Checkpoint& checkpoint_;
    const std::vector<FileRange> ranges_;
    const Backend& backend_;
    std::unique_ptr<Stream> stream_;
    const int64_t total_;
    const Progress& progress_;
    std::string what_;
    size_t asked_ = 0, packed_ = 0;  // of ranges_
    int64_t asked_bytes_ = 0, done_ = 0, reported_ = 0;
};

DType stored_type(const std::string& name) {
    for (DType type : {DType::kF32, DType::kF16}) {
        if (name == name_of(type)) return type;
    }
    return DType::kBf16;
}

}  // namespace

int64_t planned_weight_bytes(const CheckpointInfo& info, const Backend& backend) {
    std::unique_ptr<Checkpoint> checkpoint;
    ModelConfig config = info.config;
    TensorNames names{.family = find_family(config.family)};
    if (info.file_bytes > 0) {
        checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(info.folder));
        names = settle_names(*checkpoint, config);
    }
    Planner planner(checkpoint.get(), stored_type(info.config.stored_dtype), backend);
    visit_weights(config, names, planner);
    return planner.bytes;
}

std::shared_ptr<const Model> load_model(const CheckpointInfo& info, std::shared_ptr<const Backend> backend, const LoadOptions& options) {
    const int64_t context = checked_context(info.config, options.max_context);
    const Checkpoint checkpoint = Checkpoint::open(info.folder);
    ModelConfig config = info.config;
    const TensorNames names = settle_names(checkpoint, config);
    const TensorUse use = check_tensors(checkpoint, config, names);  // again: the files may have changed since they were inspected
    RangeLister lister(checkpoint);
    visit_weights(config, names, lister);
    Packer packer(checkpoint, std::move(lister.ranges), *backend, use.bytes, options.progress);
    Weights weights = visit_weights(config, names, packer);
    for (const auto& file : checkpoint.files()) file->file().check_unchanged();
    return std::make_shared<const Model>(std::move(config), std::move(weights), std::move(backend), context);
}

}  // namespace hearth
