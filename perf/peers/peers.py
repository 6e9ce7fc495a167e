#!/usr/bin/env python3
"""Times hearth and other engines on the same weights and shapes, one after the other, round by round.

    peers.py CONFIG_OR_MODEL --hearth build/release/hearth --peer ik="/opt/ik/llama-bench" --peer ik-rtr="/opt/ik/llama-bench -rtr 1" \\
             --to-gguf ../shared/tools/to_gguf.py -p 512 -n 64 -d 0,3500 --formats bf16,q8,q4 --rounds 5 --json out.json

A peer is any program with llama-bench's options and JSON: that of llama.cpp, that of ik_llama.cpp, or node_llama_cpp.mjs beside this
file. A config.json stands for random weights of its shape, a folder for a checkpoint. GGUF files are made in --work once and used again.
q8 is compared with Q8_0 and q4 with Q4_0, every matrix of them (llama-quantize --pure), so ours quantises the embedding and the head too.

A round runs every engine on every test, each in a process of its own that warms up first; the engine that begins changes from round to
round. Printed are medians with [least, most], and ratios of each round's pair. The limits behind the shares are measured by hearth once
a round, in its first run. Exit status: 0 done; 1 a peer failed (the others' table is printed); 2 wrong options; 3 hearth failed
(what came before is printed).
"""
import argparse
import datetime
import json
import math
import os
import platform
import sys
from pathlib import Path

import gguf
import table
from engines import Engine, Failure, Test, numbers, parse_peer, parse_test

FORMATS = {"bf16": [], "q8": ["--quant", "q8"], "q4": ["--quant", "q4", "--keep", "embed=q4,lm_head=q4"]}


def say(line):
    print(line, file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a config.json (random weights) or a checkpoint's folder")
    parser.add_argument("--hearth", default="build/release/hearth", metavar="PROGRAM")
    parser.add_argument("--hearth-options", default="", metavar="OPTIONS", help="more options for `hearth bench`, in one word")
    parser.add_argument("--peer", action="append", required=True, metavar='NAME="PROGRAM OPTIONS"')
    parser.add_argument("--formats", default="bf16,q8,q4", help="default: bf16,q8,q4")
    parser.add_argument("-p", default="512", metavar="N,...", help="prompts; 0: none; default: 512")
    parser.add_argument("-n", default="128", metavar="N,...", help="answers; 0: none; default: 128")
    parser.add_argument("-d", default="0", metavar="N,...", help="tokens in the cache before; default: 0")
    parser.add_argument("--tests", metavar="pp512,tg32@d3500,...", help="these tests in place of all combinations of -p, -n, -d")
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count(), help="default: all logical processors")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--repetitions", type=int, default=1, help="of each test in a round, of which the median counts; default: 1")
    parser.add_argument("--gguf", action="append", default=[], metavar="FORMAT=FILE", help="a file that is there already")
    parser.add_argument("--to-gguf", metavar="COMMAND", help="converter, run as COMMAND [--random] MODEL OUT.gguf")
    parser.add_argument("--quantize", metavar="PROGRAM", help="default: llama-quantize beside the first peer that has one")
    parser.add_argument("--work", default="build/peers", metavar="FOLDER", help="for GGUF files; default: build/peers")
    parser.add_argument("--prefix", default="", metavar="COMMAND", help="before every timed command, as \"taskset -c 0,1\"")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one command; default: 600")
    parser.add_argument("--json", metavar="FILE", help="all samples")
    return parser.parse_args()


def plan(args):
    if args.tests:
        return [parse_test(part) for part in args.tests.split(",")]
    counts = {}
    for name in "pnd":
        try:
            counts[name] = [int(part) for part in getattr(args, name).split(",")]
        except ValueError:
            counts[name] = [-1]
        if min(counts[name]) < 0:
            raise Failure(f'-{name}: expected whole numbers with commas between them, found "{getattr(args, name)}"')
    tests = [Test(p, 0, d) for d in counts["d"] for p in counts["p"] if p] + [Test(0, n, d) for d in counts["d"] for n in counts["n"] if n]
    if not tests:
        raise Failure("nothing to time: -p and -n are 0")
    return tests


def engines_of(args, formats):
    """Ours first, then the peers, each with what it reads for each format."""
    prefix, model = args.prefix.split(), Path(args.model)
    source = ["--random-weights" if model.is_file() else "-m", str(model)]
    more = args.hearth_options.split()
    ours = Engine("hearth", [args.hearth, "bench", "--quiet"], {f: source + FORMATS[f] + more for f in formats}, prefix, args.timeout, ours=True)
    peers = [parse_peer(text, prefix, args.timeout) for text in args.peer]
    names = [peer.name for peer in peers]
    if len(set(names)) != len(names) or "hearth" in names:
        raise Failure(f"--peer: expected names that differ, found {', '.join(names)}")
    for engine in [ours, *peers]:
        engine.look()
    files = {}
    for text in args.gguf:
        form, _, path = text.partition("=")
        if form not in FORMATS or not Path(path).is_file():
            raise Failure(f'--gguf: expected FORMAT=FILE with a format of {", ".join(FORMATS)} and a file that is there, found "{text}"')
        files[form] = Path(path)
    beside = [Path(peer.command[0]).with_name("llama-quantize") for peer in peers]
    quantizer = args.quantize or next((str(path) for path in beside if path.is_file()), None)
    for form in formats:
        if form not in files:
            files[form] = gguf.make(form, args.work, args.model, args.to_gguf, quantizer, say)
    for peer in peers:
        peer.weights = {form: ["-m", str(files[form])] for form in formats}
    return [ours, *peers]


class Collection:
    """Rows of all rounds: {(format, test): {engine: row}}; a row is the last one's with the samples of all."""

    def __init__(self, rounds):
        self.rounds, self.results = rounds, {}

    def add(self, form, test, engine, at, row):
        kept = self.results.setdefault((form, test), {}).setdefault(engine, {})
        gathered = kept.get("rounds", {"ts": [None] * self.rounds, "pct_bw_measured": [None] * self.rounds,
                                       "pct_peak_measured": [None] * self.rounds, "gbps": [None] * self.rounds})
        kept.update(row)
        kept.update(n_prompt=test.prompt, n_gen=test.generate, n_depth=test.depth)
        gathered["ts"][at] = table.median(numbers(row, "samples_ts"))
        for key in ("pct_bw_measured", "pct_peak_measured", "gbps"):
            value = row.get(key)
            gathered[key][at] = value if isinstance(value, (int, float)) and math.isfinite(value) else None
        samples = [v for v in gathered["ts"] if v is not None]
        kept.update(rounds=gathered, samples_ts=samples, avg_ts=sum(samples) / len(samples),
                    samples_ns=[round((test.prompt + test.generate) * 1e9 / v) for v in samples])


def measure(engines, formats, tests, args):
    """Runs everything. Returns the results, and the peers that failed; raises nothing: what came before a failure of ours counts too."""
    collection, failed = Collection(args.rounds), set()
    for form in formats:
        for at in range(args.rounds):
            limits = None
            for depth in sorted({t.depth for t in tests}):
                start = at % len(engines)
                for engine in engines[start:] + engines[:start]:
                    doable = [t for t in tests if t.depth == depth and engine.can(t)]
                    if not doable or (engine.name, form) in failed:
                        continue
                    try:
                        known = ["--no-limits"] if engine.ours and limits else []
                        for test, row in engine.measure(form, doable, args.threads, args.repetitions, known).items():
                            if engine.ours:
                                limits = row.get("limits") or limits
                                table.fill_shares(row, limits)
                            collection.add(form, test, engine.name, at, row)
                            say(f"round {at + 1} of {args.rounds}: {form} {test} {engine.name} {table.median(row['samples_ts']):.2f} t/s")
                    except Failure as failure:
                        failed.add((engine.name, form))
                        if engine.ours:
                            say(f"peers.py: {failure}")
                            return collection.results, failed
                        say(f"peers.py: {engine.name} is left out for {form}: {failure}")
    return collection.results, failed


def facts_of(args, engines, results):
    """Machine, date and versions."""
    ours = next((rows["hearth"] for rows in results.values() if "hearth" in rows), {})
    return {"machine": {"cpu": ours.get("cpu_info", ""), "processors": os.cpu_count(), "system": platform.platform()}, "threads": args.threads,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "rounds": args.rounds, "model": args.model,
            "peers": {engine.name: " ".join(engine.command) for engine in engines},
            "versions": {name: row.get("build_commit", "") for rows in results.values() for name, row in rows.items()}}


def main():
    args = options()
    try:
        formats = args.formats.split(",")
        if not set(formats) <= set(FORMATS):
            raise Failure(f'--formats: expected some of {", ".join(FORMATS)}, found "{args.formats}"')
        if min(args.rounds, args.repetitions, args.threads or 0) < 1:
            raise Failure("--rounds, --repetitions and --threads: expected at least 1")
        if not Path(args.model).exists():
            raise Failure(f"there is no {args.model}")
        if args.json and not Path(args.json).absolute().parent.is_dir():
            raise Failure(f"--json: expected a file in a folder that is there, found {args.json}")
        tests = plan(args)
        engines = engines_of(args, formats)
    except Failure as failure:
        say(f"peers.py: {failure}")
        return 2
    results, failed = measure(engines, formats, tests, args)
    if results:
        facts = facts_of(args, engines, results)
        print(f"{facts['machine']['cpu']}, {args.threads} threads, {facts['date']}, {args.rounds} rounds, {args.model}")
        print("; ".join(f"{name}: {version}" for name, version in facts["versions"].items()) + "\n")
        print(table.table(results, [engine.name for engine in engines[1:]]))
        if args.json:
            Path(args.json).write_text(json.dumps(table.as_json(results, facts), indent=1) + "\n")
    return 3 if any(name == "hearth" for name, _ in failed) else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
