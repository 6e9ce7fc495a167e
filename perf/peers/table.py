"""What a comparison found, for people and as JSON."""
import statistics

median = statistics.median


def ratios(ours, theirs):
    """Ours over theirs, round by round: a slow minute of the machine is in both."""
    return [a / b for a, b in zip(ours, theirs) if a and b]


def spread(values, digits):
    if not values:
        return "-"
    text = f"{median(values):.{digits}f}"
    return text + (f" [{min(values):.{digits}f}, {max(values):.{digits}f}]" if len(values) > 1 else "")


def fill_shares(row, limits):
    """Shares of a run that did not measure the limits itself, by those of the same round. As in hearth: none above 100 %."""
    peaks = {"f32 FMA": "fma_f32_gflops", "bf16 dot": "dot_bf16_gflops", "int8 dot": "dot_int8_gops", "AMX bf16": "amx_bf16_gflops",
             "AMX int8": "amx_int8_gops"}
    if not isinstance(limits, dict):
        return
    for key, part, whole in (("pct_bw_measured", row.get("gbps"), limits.get("read_gbps")),
                             ("pct_peak_measured", row.get("gflops"), limits.get(peaks.get(row.get("peak_unit"))))):
        if row.get(key) is None and part and whole and part <= whole:
            row[key] = 100 * part / whole


def share(row):
    """Which limit bounds a test, and the shares of it that the rounds reached."""
    name = "pct_peak_measured" if row["n_prompt"] else "pct_bw_measured"
    values = [v for v in row["rounds"][name] if v is not None]
    unit = row.get("peak_unit", "peak") if row["n_prompt"] else "bandwidth"
    return f"{spread(values, 1)} % of {unit}" if values else "-"


def table(results, peers):
    """Markdown: a line per format, test and peer. `results`: {(format, test): {engine: row}}."""
    lines = ["| weights | test | ours, t/s | share of the limit | peer | theirs, t/s | ours / theirs |", "|---|---|---|---|---|---|---|"]
    for (form, test), engines in results.items():
        ours = engines.get("hearth")
        if not ours:
            continue
        start = f"| {form}, {ours['model_size'] / 1e9:.2f} GB | {test} | {spread(ours['samples_ts'], 2)} | {share(ours)} |"
        for peer in peers:
            row = engines.get(peer)
            if row is None:
                lines.append(f"{start} {peer} | - | - |")
                continue
            lines.append(f"{start} {peer}, {row['model_size'] / 1e9:.2f} GB | {spread(row['samples_ts'], 2)} | "
                         f"{spread(ratios(ours['rounds']['ts'], row['rounds']['ts']), 2)} |")
    if len(peers) > 1:
        lines += ["", "Against the faster peer of each test (by its median):", "", *fastest(results, peers)]
    return "\n".join(lines)


def fastest(results, peers):
    lines = ["| weights | test | faster peer | ours / theirs |", "|---|---|---|---|"]
    for (form, test), engines in results.items():
        there = [p for p in peers if p in engines]
        if "hearth" in engines and there:
            best = max(there, key=lambda p: median(engines[p]["samples_ts"]))
            both = ratios(engines["hearth"]["rounds"]["ts"], engines[best]["rounds"]["ts"])
            lines.append(f"| {form} | {test} | {best} | {spread(both, 2)} |")
    return lines


def as_json(results, facts):
    """All samples: objects with llama-bench's keys, of all rounds together, which perf_compare and perf_plot read."""
    rows = []
    for (form, test), engines in results.items():
        for engine, row in engines.items():
            rows.append({"engine": engine, "weights": form, "test": str(test), **row})
    return {**facts, "results": rows}
