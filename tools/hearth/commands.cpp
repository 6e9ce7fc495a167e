#include "tools/hearth/commands.h"

#include <array>

namespace hearth::tool {

std::span<const Command> commands() {
    static constexpr std::array kCommands = {
        Command{"serve", "Chat in the browser, and an OpenAI-compatible API",
                "  hearth serve                              the built-in model at http://127.0.0.1:8080\n"
                "  hearth serve --model ~/models/SmolLM2-135M-Instruct --port 9000\n"
                "  hearth serve --port 0                     any free port; the address is printed\n",
                make_serve},
        Command{"chat", "Chat in the terminal",
                "  hearth chat\n"
                "  hearth chat --model org/name --system \"Answer in one sentence.\"\n"
                "  printf 'Hello!\\nWhat is Hearth?\\n' | hearth chat     one message a line\n",
                make_chat},
        Command{"generate", "Continue a text, or answer one message",
                "  hearth generate --prompt \"Once upon a time\" --max-tokens 100\n"
                "  hearth generate --chat --prompt \"What is Hearth?\" --temperature 0\n"
                "  hearth generate --seed 7 --json < prompt.txt | jq .usage\n",
                make_generate},
        Command{"inspect", "Show a model: configuration, tensors, memory, tokenizer, template, kernels",
                "  hearth inspect\n"
                "  hearth inspect --model ~/models/Llama-3.2-1B --context 8192\n"
                "  hearth inspect --tensors --json | jq '.tensors[].name'\n",
                make_inspect},
        Command{"tokenize", "Text to token ids, and back",
                "  hearth tokenize \"Hello, world\"\n"
                "  hearth tokenize --ids < book.txt\n"
                "  hearth tokenize --decode 1 579 4068\n",
                make_tokenize},
        Command{"perplexity", "How well a model predicts a text, and how far two lie apart",
                "  hearth perplexity book.txt\n"
                "  hearth perplexity --model org/name --context 2048 --stride 512 wiki.test.raw\n"
                "  hearth perplexity --context 512 --stride 512 --skip 257 wiki.test.raw  as llama.cpp's, with -c 512\n"
                "  hearth perplexity -m org/name --kl-base name.kl book.txt               writes name.kl, then\n"
                "  hearth perplexity -m org/name --quant q4 --kl-base name.kl book.txt    compares with it\n",
                make_perplexity},
        Command{"bench", "Tokens a second, beside what the machine could do",
                "  hearth bench --model ~/models/Llama-3.2-1B\n"
                "  hearth bench -p 512 -n 128 -d 0,4096 -r 5 -o json        llama-bench's flags and keys\n"
                "  hearth bench --random-weights config.json --profile      any shape, no weights needed\n",
                make_bench},
        Command{"quantize", "Write a model again in 4 or 8 bits a weight",
                "  hearth quantize ~/models/Llama-3.2-1B --to q4 -o ~/models/Llama-3.2-1B-q4\n"
                "  hearth quantize org/name --to q8 --keep lm_head=float -o name-q8\n",
                make_quantize},
        Command{"devices", "What this machine offers to run models on",
                "  hearth devices\n"
                "  hearth devices --json\n",
                make_devices},
    };
    return kCommands;
}

}  // namespace hearth::tool
