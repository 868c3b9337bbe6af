"""How fast one text is scored: PyTorch as it is, in bfloat16, and by engines, beside bare engines.

The bare engine is given ready arrays and scores every position, as a model exported in the usual
way does; ours tokenises the text, scores its one gap and writes five answers. "Before" is PyTorch
without oneDNN's order of matrices. Weights are random, which takes as long as trained ones.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertTokenizer, FillMask
from albert_lib.engines.engine import open_engine
from albert_lib.engines.onnx_files import onnx_bytes
from albert_lib.instruction_sets import bfloat16_instructions
from albert_lib.model.layout import ORDER_VARIABLE
from benchmarks.common import VOCABULARY, seconds
from benchmarks.targets import Report

WORDS = "the old baker walks to the mill before dawn and lights the fire . ".split()
LENGTHS = (16, 128)
BASE, WIDE = "albert-base-v2", "albert-xlarge-v2"
TINY = {"hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 2}

Case = Callable[[], Any]


def report_engines(report: Report, turns: int, tiny: bool = False) -> None:
    """Print every ratio beside its target; `tiny` says nothing about speed and is quick."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            of_base_shape(report, Path(folder, "base"), turns, tiny)
            of_wide_shape(report, Path(folder, "wide"), turns, tiny)
    finally:
        torch.set_num_threads(threads)


def of_base_shape(report: Report, folder: Path, turns: int, tiny: bool) -> None:
    """Every way of scoring a text of 16 and one of 128 tokens."""
    model = write_model(folder, BASE, tiny)
    contents = onnx_bytes(model)
    asked = {"plain": FillMask.from_pretrained(folder)}
    asked |= {e: FillMask.from_pretrained(folder, engine=e) for e in ("onnxruntime", "openvino")}
    bare = {name: open_engine(name, contents) for name in ("onnxruntime", "openvino")}
    with matrices_by_columns():
        asked["before"] = FillMask.from_pretrained(folder)
    if bfloat16_instructions():
        asked["bfloat16"] = FillMask.from_pretrained(folder, precision="bfloat16")
        bare["openvino bfloat16"] = open_engine("openvino", contents, "bfloat16")
    for length in LENGTHS:
        text = text_of(asked["plain"], length)
        arrays = bare_arrays(asked["plain"], text)
        cases: dict[str, Case] = {name: partial(ask, text) for name, ask in asked.items()}
        cases |= {f"bare {name}": partial(engine.run, arrays) for name, engine in bare.items()}
        times = in_turns(cases, turns)
        report.title(f"{BASE}, {length} tokens, one thread, median of {turns}: " + listed(times))
        at = f"{length} tokens"
        report.at_least(f"{at}: PyTorch, times before", ratio(times, "plain", "before"), None)
        plain = ratio(times, "plain", "bare openvino")
        report.at_least(f"{at}: PyTorch, times bare openvino", plain, 1.0)
        for name in ("onnxruntime", "openvino"):
            report.at_least(f"{at}: {name}, times bare", ratio(times, name, f"bare {name}"), 1.0)
        if "bfloat16" in asked:
            narrow = ratio(times, "bfloat16", "bare openvino bfloat16")
            report.at_least(f"{at}: PyTorch in bfloat16, times bare openvino in it", narrow, 0.9)


def of_wide_shape(report: Report, folder: Path, turns: int, tiny: bool) -> None:
    """One short text at xlarge shape, where a layer of 200 MB is read 24 times."""
    if not bfloat16_instructions():
        report.title(f"{WIDE}: this processor has no instructions for bfloat16")
        return
    write_model(folder, WIDE, tiny)
    asked = {"bfloat16": FillMask.from_pretrained(folder, precision="bfloat16")}
    asked["float32"] = FillMask.from_pretrained(folder)
    with matrices_by_columns():
        asked["before"] = FillMask.from_pretrained(folder)
    text = text_of(asked["before"], 9)
    times = in_turns({name: partial(ask, text) for name, ask in asked.items()}, turns)
    report.title(f"{WIDE}, 9 tokens, one thread, median of {turns}: " + listed(times))
    report.at_least("xlarge: float32, times before", ratio(times, "float32", "before"), None)
    report.at_least("xlarge: bfloat16, times before", ratio(times, "bfloat16", "before"), 1.6)


def write_model(folder: Path, preset: str, tiny: bool) -> AlbertForMaskedLM:
    """A folder with a model of the preset's shape, and its tokenizer."""
    tokenizer = AlbertTokenizer.from_pretrained(VOCABULARY)
    config = AlbertConfig.preset(preset).replace(vocab_size=tokenizer.vocab_size)
    torch.manual_seed(0)
    model = AlbertForMaskedLM(config.replace(**TINY, num_attention_heads=4) if tiny else config)
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


@contextmanager
def matrices_by_columns() -> Iterator[None]:
    """Load models as they were before oneDNN's order of matrices."""
    former = os.environ.get(ORDER_VARIABLE)
    os.environ[ORDER_VARIABLE] = "columns" if torch.backends.mkl.is_available() else "rows"
    try:
        yield
    finally:
        del os.environ[ORDER_VARIABLE]
        if former is not None:
            os.environ[ORDER_VARIABLE] = former


def text_of(fill_mask: FillMask, length: int) -> str:
    """A text with one gap that has so many tokens, [CLS] and [SEP] included."""
    words = ["[MASK]"]
    for word in WORDS * length:
        words.append(word)
        if len(fill_mask.tokenizer.encode(" ".join(words))) == length:
            return " ".join(words)
    raise ValueError(f"no text of {length} tokens")


def bare_arrays(fill_mask: FillMask, text: str) -> dict[str, np.ndarray]:
    """What an engine is given, with every position to be scored."""
    ids = np.array([fill_mask.tokenizer.encode(text)])
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
        "positions": np.arange(ids.size),
    }


def in_turns(cases: dict[str, Case], turns: int) -> dict[str, list[float]]:
    """The seconds of every case in every turn; the first call of a turn is not counted."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(turns):
        for name, case in cases.items():
            case()
            times[name].append(seconds(case))
    return times


def ratio(times: dict[str, list[float]], ours: str, theirs: str) -> float:
    """How many times as fast: the median over turns of theirs / ours."""
    return statistics.median(b / a for a, b in zip(times[ours], times[theirs], strict=True))


def listed(times: dict[str, list[float]]) -> str:
    """The medians in milliseconds."""
    return ", ".join(f"{name} {statistics.median(row) * 1e3:.1f} ms" for name, row in times.items())
