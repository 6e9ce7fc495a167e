// llama.cpp through the npm package node-llama-cpp (prebuilt), with llama-bench's options and JSON.
//
//   node node_llama_cpp.mjs NODE_MODULES -m FILE.gguf [-p 512,...] [-n 128,...] [-d 0,...] [-t THREADS] [-r 5] [-b 512] [-fa 0|1]
//
// Raw token ids go through LlamaContextSequence.controlledEvaluate: a prompt in one call, an answer token by token. Only those calls are timed.
// Each call ends with one greedy choice in the package's native code, because without one llama.cpp would leave the head out; llama-bench
// has no such choice, which costs a pass over the logits, and no way through JavaScript. perf/README.md says what the two cost. Results are
// printed as JSON; what the library says goes to standard error.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {pathToFileURL} from "node:url";

// The library's evaluation runs in a thread of node's pool beside llama.cpp's own; more of those only stand in their way on few cores.
process.env.UV_THREADPOOL_SIZE ??= "1";

const usage = `usage: node node_llama_cpp.mjs NODE_MODULES -m FILE.gguf
  -p, --n-prompt <n,...>    (default: 512)
  -n, --n-gen <n,...>       (default: 128)
  -d, --n-depth <n,...>     (default: 0)
  -b, --batch-size <n>      (default: 512)
  -t, --threads <n>         (default: physical cores as the library counts them)
  -fa, --flash-attn <0|1>   (default: 1)
  -r, --repetitions <n>     (default: 5)
  -o, --output json`;

function fail(message) {
    process.stderr.write(`node_llama_cpp.mjs: ${message}\n`);
    process.exit(2);
}

function wholeNumbers(option, text, least) {
    return text.split(",").map((part) => {
        if (!/^\d{1,7}$/.test(part) || Number(part) < least) fail(`${option}: expected whole numbers from ${least}, found "${text}"`);
        return Number(part);
    });
}

function readOptions(words) {
    const options = {p: "512", n: "128", d: "0", b: "512", t: "0", fa: "1", r: "5", o: "json", m: ""};
    const names = {"--n-prompt": "p", "--n-gen": "n", "--n-depth": "d", "--batch-size": "b", "--threads": "t", "--flash-attn": "fa",
        "--repetitions": "r", "--output": "o", "--model": "m"};
    if (words.includes("--help") || words.includes("-h")) {
        console.log(usage);
        process.exit(0);
    }
    const modules = words.shift();
    for (; words.length > 0;) {
        const word = words.shift(), name = names[word] ?? word.slice(1);
        if (!word.startsWith("-") || !(name in options)) fail(`there is no option "${word}"\n${usage}`);
        if (words.length === 0) fail(`${word}: expected a value`);
        options[name] = words.shift();
    }
    if (!modules || !options.m) fail(`expected the folder node_modules and -m FILE.gguf\n${usage}`);
    if (options.o !== "json") fail(`-o: expected json, found "${options.o}"`);
    return {
        modules, model: options.m, prompts: wholeNumbers("-p", options.p, 0), generates: wholeNumbers("-n", options.n, 0),
        depths: wholeNumbers("-d", options.d, 0), batch: wholeNumbers("-b", options.b, 1)[0], threads: wholeNumbers("-t", options.t, 0)[0],
        flash: wholeNumbers("-fa", options.fa, 0)[0] !== 0, repetitions: wholeNumbers("-r", options.r, 1)[0]
    };
}

const choose = {generateNext: {token: true, options: {temperature: 0}}};

/// Evaluates ids; the last one is followed by a greedy choice, whose result nobody uses.
async function evaluate(sequence, ids) {
    const input = ids.map((id, i) => i === ids.length - 1 ? [id, choose] : id);
    await sequence.controlledEvaluate(input);
}

function randomIds(count, vocabulary) {
    return Array.from({length: count}, () => Math.floor(Math.random() * vocabulary));
}

async function once(sequence, test, vocabulary) {
    await sequence.clearHistory();
    if (test.depth > 0) await evaluate(sequence, randomIds(test.depth, vocabulary));
    const prompt = randomIds(test.prompt, vocabulary), answer = randomIds(test.generate, vocabulary);
    const start = process.hrtime.bigint();
    if (prompt.length > 0) await evaluate(sequence, prompt);
    for (const id of answer) await evaluate(sequence, [id]);
    return Number(process.hrtime.bigint() - start);
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values) => values.length < 2 ? 0 :
    Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1));

async function main() {
    const options = readOptions(process.argv.slice(2));
    const entry = path.join(options.modules, "node-llama-cpp", "dist", "index.js");
    if (!fs.existsSync(entry)) fail(`expected the package node-llama-cpp in ${options.modules}, found no ${entry}`);
    if (!fs.existsSync(options.model)) fail(`there is no file ${options.model}`);
    const version = JSON.parse(fs.readFileSync(path.join(options.modules, "node-llama-cpp", "package.json"), "utf8")).version;
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(path.resolve(entry)).href);
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: options.threads, logLevel: LlamaLogLevel.error,
        logger: (level, message) => process.stderr.write(message)});
    const model = await llama.loadModel({modelPath: path.resolve(options.model), gpuLayers: 0});
    const tests = [];
    for (const depth of options.depths) {
        for (const prompt of options.prompts.filter((p) => p > 0)) tests.push({prompt, generate: 0, depth});
        for (const generate of options.generates.filter((n) => n > 0)) tests.push({prompt: 0, generate, depth});
    }
    if (tests.length === 0) fail("nothing to time: -p and -n are 0");
    const longest = Math.max(...tests.map((t) => t.depth + t.prompt + t.generate));
    const context = await model.createContext({contextSize: longest + 64, batchSize: options.batch, flashAttention: options.flash,
        threads: {ideal: llama.maxThreads, min: llama.maxThreads}});
    const sequence = context.getSequence();
    const vocabulary = model.fileInfo.metadata?.tokenizer?.ggml?.tokens?.length ?? model.fileInfo.metadata?.llama?.vocab_size;
    const rows = [];
    for (const test of tests) {
        await once(sequence, {prompt: Math.min(test.prompt, options.batch), generate: Math.min(test.generate, 1), depth: 0}, vocabulary);
        const ns = [];
        for (let i = 0; i < options.repetitions; ++i) ns.push(await once(sequence, test, vocabulary));
        const ts = ns.map((n) => (test.prompt + test.generate) * 1e9 / n);
        rows.push({build_commit: `llama.cpp ${llama.llamaCppRelease.release}, node-llama-cpp ${version}`, build_number: 0, cpu_info: os.cpus()[0].model,
            gpu_info: "", backends: "CPU", model_filename: options.model, model_type: model.typeDescription, model_size: model.size,
            n_batch: options.batch, n_ubatch: options.batch, n_threads: context.currentThreads || llama.maxThreads, type_k: "f16", type_v: "f16",
            flash_attn: options.flash, n_prompt: test.prompt, n_gen: test.generate, n_depth: test.depth, test_time: new Date().toISOString(),
            avg_ns: Math.round(mean(ns)), stddev_ns: Math.round(deviation(ns)), avg_ts: mean(ts), stddev_ts: deviation(ts), samples_ns: ns,
            samples_ts: ts});
    }
    console.log(JSON.stringify(rows, null, 2));
    await llama.dispose();
}

main().catch((error) => fail(error?.stack ?? String(error)));
