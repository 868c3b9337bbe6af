"""Fractions, True and NaN are refused where whole numbers or rates are meant."""

from __future__ import annotations

import re

from unchecked import errors_of

SETTING_UP = """
import tempfile
from albert_lib import AlbertTokenizer
from albert_lib.corpus import TokenStore, split_documents
from albert_lib.corpus.builder import CorpusBuilder
from albert_lib.objectives import MaskingConfig, PretrainingBatches, SegmentPairs

tokenizer = AlbertTokenizer.from_pretrained("english-8k")
documents = [["The mill is old.", "A man walks."]] * 3
folder = tempfile.TemporaryDirectory()
store = TokenStore.build(folder.name + "/store", documents, tokenizer)

def batches(**options):
    return PretrainingBatches(
        store, tokenizer, **{"batch_size": 2, "sequence_length": 16, **options}
    )

def builder(every=5):
    return CorpusBuilder([], tokenizer, folder.name + "/corpus", every)
"""
NOT_WHOLE = ("2.5", "2.0", "True", "float('nan')", "'3'")
NO_NUMBER = ("float('nan')", "float('inf')", "True", "'0.5'", "None")


def refused(calls: dict[str, str]) -> None:
    """Each call raises an error that begins like its pattern."""
    for call, error in errors_of(list(calls), SETTING_UP).items():
        assert re.match(calls[call], error), (call, error)


def test_masking() -> None:
    calls = {
        f"MaskingConfig({name}={wrong})": rf"ConfigError: {name} is .*; use a whole number of at"
        for name in ("max_ngram", "max_predictions")
        for wrong in NOT_WHOLE
    }
    calls |= {
        f"MaskingConfig({name}={wrong})": rf"ConfigError: {name} is .*; use a finite number\."
        for name in ("rate", "mask_probability", "random_probability")
        for wrong in NO_NUMBER
    }
    refused(calls)


def test_batches_and_pairs() -> None:
    calls = {
        f"batches({name}={wrong})": rf"ConfigError: {name} is .*; use a whole number of at least"
        for name in ("batch_size", "sequence_length", "seed")
        for wrong in NOT_WHOLE
    }
    calls |= {
        f"batches().batch({wrong})": r"ConfigError: step is .*; use a whole number of at least 0\."
        for wrong in NOT_WHOLE
    }
    name = "short_sequence_probability"
    calls |= {
        f"SegmentPairs(store, 16, {name}={wrong})": rf"ConfigError: {name} is .*finite number\."
        for wrong in NO_NUMBER
    }
    refused(calls)


def test_building_a_corpus() -> None:
    calls = {f"builder({wrong})": "TextError: held_out_every is .*whole" for wrong in NOT_WHOLE}
    calls |= {f"builder().build({wrong})": "TextError: workers is .*whole" for wrong in NOT_WHOLE}
    calls |= {
        f"split_documents(documents, {wrong})": "TextError: held_out_every is .*whole"
        for wrong in NOT_WHOLE
    }
    refused(calls)
