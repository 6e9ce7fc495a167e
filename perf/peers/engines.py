"""Engines that can be timed: how each is asked for a test, and what its answer must look like."""
import json
import math
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


class Failure(Exception):
    """A message for a person: what was run, what was expected, what came."""


@dataclass(frozen=True)
class Test:
    prompt: int
    generate: int
    depth: int

    def __str__(self):
        name = f"pp{self.prompt}" if self.prompt else f"tg{self.generate}"
        return name + (f" @ d{self.depth}" if self.depth else "")


def parse_test(text):
    match = re.fullmatch(r"(pp|tg)([1-9]\d{0,6})(?: ?@ ?d(\d{1,7}))?", text.strip())
    if not match:
        raise Failure(f'--tests: expected pp512, tg128 or tg32@d3500, with commas between them; found "{text}"')
    count, depth = int(match[2]), int(match[3] or 0)
    return Test(count, 0, depth) if match[1] == "pp" else Test(0, count, depth)


def last_lines(text, count=6):
    lines = [line for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return "\n".join("    " + line[:300] for line in lines[-count:]) or "    (nothing)"


def run(command, timeout):
    """Standard output of a command that must end well."""
    shown = shlex.join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Failure(f"cannot run: {shown}\n  there is no program {command[0]}") from None
    except PermissionError:
        raise Failure(f"cannot run: {shown}\n  {command[0]} is not a program that may be run") from None
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace")
        raise Failure(f"took more than {timeout} s: {shown}\n  its last lines:\n{last_lines(said)}") from None
    if done.returncode != 0:
        how = f"exit status {done.returncode}"
        if done.returncode < 0:
            how = f"ended by {signal.Signals(-done.returncode).name}"
        raise Failure(f"{how}: {shown}\n  its last lines:\n{last_lines(done.stdout + chr(10) + done.stderr)}")
    return done.stdout


def numbers(row, key):
    values = row.get(key)
    good = isinstance(values, list) and values and all(
        isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) and v > 0 for v in values)
    return values if good else None


def read_rows(output, command):
    """The objects of llama-bench's JSON, which may stand below lines of a log."""
    lines = output.splitlines()
    start = next((i for i, line in enumerate(lines) if line.lstrip().startswith("[")), None)
    try:
        rows = json.loads("\n".join(lines[start:])) if start is not None else None
    except (json.JSONDecodeError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failure(f"expected a JSON array of results from: {shlex.join(command)}\n  its last lines:\n{last_lines(output)}")
    for row in rows:
        for key in ("n_prompt", "n_gen", "n_threads", "model_size"):
            if not isinstance(row.get(key), int) or isinstance(row[key], bool) or row[key] < 0:
                raise Failure(f'expected a whole number as "{key}", found {json.dumps(row.get(key))[:60]}, from: {shlex.join(command)}')
        if numbers(row, "samples_ts") is None:
            raise Failure(f'expected positive numbers as "samples_ts", found {json.dumps(row.get("samples_ts"))[:60]}, from: '
                          f"{shlex.join(command)}")
    return rows


def test_of(row):
    match = re.fullmatch(r"tg(\d+)@pp(\d+)", str(row.get("test", "")))  # ik_llama.cpp's -gp: the prompt is the depth
    if match:
        return Test(0, int(match[1]), int(match[2]))
    depth = row.get("n_depth", 0)
    return Test(row["n_prompt"], row["n_gen"], depth if isinstance(depth, int) else -1)


@dataclass
class Engine:
    """`command` understands llama-bench's options; `weights` says what it reads for each format."""
    name: str
    command: list
    weights: dict                               # format: the options that name model and format
    prefix: list = field(default_factory=list)  # before every command that is timed
    timeout: int = 600
    ours: bool = False
    depth_option: str = "-d"                    # "-d", "-gp", or "" where the program has neither

    def look(self):
        """Finds out from its --help how it takes a depth."""
        try:
            done = subprocess.run(self.command + ["--help"], capture_output=True, text=True, errors="replace", timeout=60,
                                  stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure(f"cannot run: {shlex.join(self.command)} --help\n  {error}") from None
        text = done.stdout + done.stderr
        if "--n-prompt" not in text:
            raise Failure(f"expected a program like llama-bench (with --n-prompt), found: {shlex.join(self.command)} --help\n"
                          f"  its last lines:\n{last_lines(text)}")
        self.depth_option = "-d" if "--n-depth" in text else "-gp" if "-gp <" in text else ""

    def can(self, test):
        return test.depth == 0 or self.depth_option == "-d" or (self.depth_option == "-gp" and test.prompt == 0)

    def measure(self, form, tests, threads, repetitions=1, extra=()):
        """Tests of one depth, in a process of their own: {test: row}."""
        depth = tests[0].depth
        prompts = ",".join(str(t.prompt) for t in tests if t.prompt) or "0"
        generates = ",".join(str(t.generate) for t in tests if t.generate) or "0"
        command = self.prefix + self.command + self.weights[form] + ["-t", str(threads), "-r", str(repetitions), "-o", "json"]
        if depth and self.depth_option == "-gp":
            command += ["-p", "0", "-n", "0"]
            for test in tests:
                command += ["-gp", f"{depth},{test.generate}"]
        else:
            command += ["-p", prompts, "-n", generates] + (["-d", str(depth)] if depth else [])
        command += list(extra)
        rows = {test_of(row): row for row in read_rows(run(command, self.timeout), command)}
        for test in tests:
            if test not in rows:
                raise Failure(f"expected a result for {test}, found {', '.join(map(str, rows)) or 'none'}, from: {shlex.join(command)}")
        return {test: rows[test] for test in tests}


def parse_peer(text, prefix, timeout):
    name, equals, words = text.partition("=")
    words = shlex.split(words)
    if not equals or not name or not words:
        raise Failure(f'--peer: expected NAME="PROGRAM [options]", found "{text}"')
    if Path(words[0]).suffix == ".mjs":
        words.insert(0, "node")
    return Engine(name, words, {}, prefix, timeout)
