// hearth quantize: a plain model becomes a folder of q4 or q8 weights, once.
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "kernels/make_backend.h"
#include "loaders/model_directory.h"
#include "loaders/quantize/quantize_folder.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

std::string padded(const std::string& text, size_t width, bool right = true) {
    const std::string room(text.size() < width ? width - text.size() : 0, ' ');
    return right ? room + text : text + room;
}

class Quantize : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("model", models_, "Folder, or name in the model directory");
        arguments.choice("--to", to_, {"q8", "q4"}, "8.5 bits a weight, or 4.5 with the embedding and the head at 8.5; default: q4");
        arguments.text("--keep", keep_, "Other formats for some, as lm_head=float,embed=q4,layers.0=q8", "NAME=q8|q4|float,...");
        arguments.text("-o,--out", out_, "The folder to write; must not be there", "DIR");
        arguments.integer("-t,--threads", threads_, 1, kMaxThreads, "Threads; default: one for each physical core");
        arguments.flag("-q,--quiet", quiet_, "Nothing on standard error but failures, and no table");
    }

    int run() override {
        if (models_.size() != 1) throw UsageError(cat("expected one model, found ", models_.size()));
        if (models_.front().empty()) throw UsageError("MODEL: expected a folder or a name, found \"\"");
        if (out_.empty()) throw UsageError("--out: expected the name of the folder to write");
        QuantizeOptions options;
        options.kind = parse_quant_kind(to_, "--to");
        options.keep = parse_keep(keep_, "--keep");
        Interrupts interrupts;
        const CheckpointInfo info = inspect_checkpoint(find_model(models_.front()).folder);
        if (!quiet_) {
            for (const std::string& notice : info.notices) write_note(notice, Paint::kDim);
        }
        BackendOptions backend_options;
        backend_options.threads = static_cast<int>(threads_);
        const auto backend = make_backend(backend_options);
        const auto stream = backend->make_stream();
        std::vector<QuantizedKind> lines;
        {
            ProgressLine progress(quiet_, &interrupts);
            lines = quantize_folder(info, options, out_, *stream, progress.callback());
        }
        if (!quiet_) write_out(table(lines));
        return kExitOk;
    }

private:
    static std::string row(const QuantizedKind& line) {
        const double bits = line.parameters > 0 ? 8 * static_cast<double>(line.bytes) / static_cast<double>(line.parameters) : 0;
        const std::string error = line.squares > 0 ? cat(fixed(100 * line.relative_error(), 4), " %") : "-";
        return cat(padded(line.kind, 20, false), padded(line.format, 8, false), padded(grouped(line.tensors), 8),
                   padded(grouped(line.parameters), 16), padded(human_bytes(line.bytes_before), 12), padded(human_bytes(line.bytes), 12),
                   padded(fixed(bits, 2), 8), padded(error, 14), "\n");
    }

    static std::string table(const std::vector<QuantizedKind>& lines) {
        QuantizedKind all;
        all.kind = "all";
        std::string out = cat(padded("kind", 20, false), padded("format", 8, false), padded("tensors", 8), padded("numbers", 16),
                              padded("before", 12), padded("after", 12), padded("bits", 8), padded("squared error", 14), "\n");
        for (const QuantizedKind& line : lines) {
            out += row(line);
            all.tensors += line.tensors;
            all.parameters += line.parameters;
            all.bytes_before += line.bytes_before;
            all.bytes += line.bytes;
            all.squares += line.squares;
            all.squared_error += line.squared_error;
        }
        return out + row(all);
    }

    std::vector<std::string> models_;
    std::string to_ = "q4", keep_, out_;
    int64_t threads_ = 0;
    bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_quantize() { return std::make_unique<Quantize>(); }

}  // namespace hearth::tool
