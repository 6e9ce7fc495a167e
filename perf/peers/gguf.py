"""GGUF files for peers: written by a converter that is given, quantised by the peer's own program.

    python3 gguf.py IN.gguf OUT.gguf     an invented vocabulary in place of none, which llama.cpp's newer loaders insist on

The layout is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3.
"""
import shlex
import shutil
import struct
import sys
from pathlib import Path

from engines import Failure, run

PEER_TYPE = {"bf16": "BF16", "q8": "Q8_0", "q4": "Q4_0"}
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9


class Reader:
    def __init__(self, path):
        self.path, self.file = path, open(path, "rb")

    def take(self, count):
        data = self.file.read(count) if count < 1 << 30 else b""
        if len(data) != count:
            raise Failure(f"{self.path}: expected {count} more bytes at {self.file.tell()}, found the file's end")
        return data

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self):
        return self.take(self.number("<Q"))

    def value(self, kind):
        """Bytes of a metadata value, as they lie."""
        start = self.file.tell()
        self.skip(kind)
        end = self.file.tell()
        self.file.seek(start)
        return self.take(end - start)

    def skip(self, kind, nested=False):
        if kind in SCALARS:
            self.take(SCALARS[kind])
        elif kind == STRING:
            self.string()
        elif kind == ARRAY and not nested:
            inner, count = self.number("<I"), self.number("<Q")
            if inner in SCALARS:
                self.take(SCALARS[inner] * count)
            else:
                for _ in range(count):
                    self.skip(inner, nested=True)
        else:
            raise Failure(f"{self.path}: metadata of type {kind} is unknown here")


def text(value):
    return struct.pack("<Q", len(value)) + value


def invented_vocabulary(size):
    """Metadata of `size` tokens: three of control, 256 bytes, words. No text is ever made of them."""
    tokens = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % i for i in range(256)]
    tokens = (tokens + [b"\xe2\x96\x81w%d" % i for i in range(max(0, size - len(tokens)))])[:size]
    types = ([2, 3, 3] + [6] * 256 + [1] * size)[:size]
    array = lambda kind, items: struct.pack("<IIQ", ARRAY, kind, size) + b"".join(items)
    return {b"tokenizer.ggml.model": struct.pack("<I", STRING) + text(b"llama"),
            b"tokenizer.ggml.tokens": array(STRING, (text(t) for t in tokens)),
            b"tokenizer.ggml.scores": array(6, (struct.pack("<f", -i) for i in range(size))),
            b"tokenizer.ggml.token_type": array(5, (struct.pack("<i", t) for t in types)),
            b"tokenizer.ggml.bos_token_id": struct.pack("<II", 4, 1), b"tokenizer.ggml.eos_token_id": struct.pack("<II", 4, 2)}


def add_vocabulary(source, target):
    """Copies a GGUF file, giving it a vocabulary where it has none."""
    reader = Reader(source)
    if reader.take(4) != b"GGUF" or reader.number("<I") != 3:
        raise Failure(f"{source}: expected a GGUF file of version 3")
    tensors, count = reader.number("<Q"), reader.number("<Q")
    meta = {}
    for _ in range(count):
        key = reader.string()
        kind = reader.number("<I")
        meta[key] = struct.pack("<I", kind) + reader.value(kind)
    size = meta.get(b"llama.vocab_size")
    if b"tokenizer.ggml.tokens" not in meta:
        if size is None or len(size) != 8:
            raise Failure(f"{source}: expected llama.vocab_size in a file without a vocabulary")
        meta.update(invented_vocabulary(struct.unpack("<I", size[4:])[0]))
    alignment = struct.unpack("<I", meta[b"general.alignment"][4:])[0] if b"general.alignment" in meta else 32
    begin = reader.file.tell()
    for _ in range(tensors):
        reader.string()
        reader.take(8 * reader.number("<I") + 4 + 8)
    infos_bytes = reader.file.tell() - begin
    reader.file.seek(begin)
    infos = reader.take(infos_bytes)
    reader.file.seek(-(-reader.file.tell() // alignment) * alignment)
    with open(target, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, tensors, len(meta)))
        out.write(b"".join(text(key) + value for key, value in meta.items()) + infos)
        out.write(bytes(-out.tell() % alignment))
        shutil.copyfileobj(reader.file, out, 1 << 24)


def make(form, folder, model, converter, quantizer, say):
    """The path of `model` (a checkpoint's folder, or a bare config.json: random weights) as GGUF in `form`; made where it is not there."""
    model = Path(model)
    bare = model.is_file()
    base = Path(folder) / f"{model.stem if bare else model.name}{'-random' if bare else ''}-bf16.gguf"
    if not base.exists():
        if not converter:
            raise Failure("--to-gguf: expected the converter, as no --gguf is given and none was made before in " + str(folder))
        words = shlex.split(converter)
        if len(words) == 1 and words[0].endswith(".py"):
            words.insert(0, sys.executable)
        say(f"writing {base}")
        base.parent.mkdir(parents=True, exist_ok=True)
        part = base.with_suffix(".part")
        run(words + (["--random"] if bare else []) + [str(model), str(part)], 3600)
        if bare:
            add_vocabulary(part, base)
            part.unlink()
        else:
            part.rename(base)
    if form == "bf16":
        return base
    out = base.with_name(base.name.replace("-bf16.gguf", f"-{PEER_TYPE[form]}.gguf"))
    if not out.exists():
        if not quantizer:
            raise Failure(f"--quantize: expected a peer's llama-quantize to make {out}; there is none beside its llama-bench")
        say(f"writing {out}")
        part = out.with_suffix(".part")
        run([str(quantizer), "--pure", str(base), str(part), PEER_TYPE[form]], 3600)
        part.rename(out)
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        add_vocabulary(sys.argv[1], sys.argv[2])
    except (Failure, OSError) as error:
        sys.exit(f"gguf.py: {error}")
