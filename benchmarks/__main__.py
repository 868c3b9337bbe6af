"""Every figure the project promises, with its target: `make bench` (about a quarter of an hour).

    python -m benchmarks [--only NAME ...] [--table FILE] [--history FILE]

Runs the benchmarks one after another, each in a process of its own, prints what they print, and
then all figures as one table; `--table` writes that table to a file, with the date and the machine,
and `--history` the held-out measurements of the run of "learning". Exits with 1 where a target is
missed or a benchmark fails. Nothing else should be running.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from albert_lib.files import project_folder
from benchmarks.targets import COLLECT, Figure

BENCHMARKS = {  # name: the words of its command
    "throughput": ["benchmarks.throughput", "--rounds", "3"],
    "data": ["benchmarks.data"],
    "learning": ["benchmarks.learning", "--minutes", "5"],
    "processes": ["benchmarks.processes"],
}
MINUTES = 15.0


def main() -> int:
    """Run them and print the table; return 1 where anything was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=BENCHMARKS, action="append")
    parser.add_argument("--table", type=Path, help="file to write the table to")
    parser.add_argument("--history", type=Path, help="file for what the run of learning wrote down")
    options = parser.parse_args()
    for file in filter(None, (options.table, options.history)):
        file.parent.mkdir(parents=True, exist_ok=True)  # now, and not in a quarter of an hour
    if options.history:  # the benchmark runs in the project's folder
        BENCHMARKS["learning"] += ["--history", str(options.history.absolute())]
    began, figures, failed = time.perf_counter(), [], []
    for name in options.only or BENCHMARKS:
        found, status = run(BENCHMARKS[name])
        figures += found
        expected = 0 if all(figure.reached for figure in found) else 1
        if not found or status != expected:
            failed.append(name)
    minutes = (time.perf_counter() - began) / 60
    if not options.only:
        figures.append(Figure("all benchmarks: minutes", minutes, "<=", MINUTES))
    table = markdown(figures)
    print(f"\n{table}")
    if options.table:
        options.table.write_text(f"{heading()}\n\n{table}", encoding="utf-8")
    for name in failed:
        print(f"failed: python -m {' '.join(BENCHMARKS[name])}")
    return 1 if failed or not all(figure.reached for figure in figures) else 0


def run(words: list[str]) -> tuple[list[Figure], int]:
    """Run one benchmark; return its figures and its exit status."""
    print(f"\n$ python -m {' '.join(words)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        collected = Path(folder) / "figures.jsonl"
        collected.touch()
        status = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=project_folder(),
            env={**os.environ, COLLECT: str(collected)},
            check=False,
        ).returncode
        lines = collected.read_text(encoding="utf-8").splitlines()
    return [Figure(**json.loads(line)) for line in lines], status


def markdown(figures: list[Figure]) -> str:
    """The figures as a table in Markdown."""
    rows = ["| figure | measured | target | |", "| --- | ---: | ---: | --- |"]
    for figure in figures:
        relation = {">=": "≥", "<=": "≤"}[figure.relation]
        target = "" if figure.target is None else f"{relation} {figure.target:,.4g}"
        verdict = "" if figure.target is None else "reached" if figure.reached else "**missed**"
        rows.append(f"| {figure.name} | {figure.value:,.4g} | {target} | {verdict} |")
    return "\n".join(rows) + "\n"


def heading() -> str:
    """When and on what the figures were measured."""
    day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return (
        f"{day}, {processor()}, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, `make bench`"
    )


def processor() -> str:
    """The processor's name, with the instructions it has for bfloat16."""
    name, known = platform.processor() or platform.machine(), ""
    if (information := Path("/proc/cpuinfo")).exists():
        lines = [line.partition(":") for line in information.read_text().splitlines()]
        facts = {key.strip(): value.strip() for key, _, value in lines}
        name, known = facts.get("model name", name), facts.get("flags", "")
    units = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in known.split()]
    return f"{name} ({', '.join(units) or 'no bfloat16 instructions'})"


if __name__ == "__main__":
    raise SystemExit(main())
