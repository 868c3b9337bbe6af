"""Pseudo-log-likelihoods beside minicons' masked scorer: the same digits, and how much faster.

    python -m benchmarks.probing [--sentences 200] [--long 24] [--turns 3]

Digits: small random models of three families score the same sentences, plain and within words.
minicons takes for a word what a tokenizer's `word_ids` call one; for an ALBERT that is a stretch
between spaces, so that a full stop is masked with the word before it. Here it is a word of its
own. Tokens with which both mask the same are compared, the others are counted.

Speed: random weights take as long as trained ones. Both work on one thread, in turns, in CPU
seconds; minicons at the best of several batch sizes, in the order of the sentences. What the
arithmetic allows stands beside each ratio: minicons pads every sentence of a batch to its longest
and scores the vocabulary at every position, and nothing but that can be saved in float32.

minicons comes with `pip install -c requirements.lock -e '.[test,benchmark-probing]'`. The version
of today asks its tokenizer for a method that transformers 5 no longer has, so it is given the
tokens, which it also takes.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from albert_lib import AlbertConfig, AlbertForMaskedLM
from albert_lib.corpus.documentation import python_documentation
from albert_lib.errors import InputError
from albert_lib.probing import FillMask, pseudo_log_likelihood
from albert_lib.probing.pseudo_likelihood import MaskUnit
from benchmarks.common import cpu_seconds, load_tokenizer
from benchmarks.targets import Report

METRICS: dict[str, MaskUnit] = {"original": "token", "within_word_l2r": "word"}  # minicons', ours
MOST_DIFFERENCE = 1e-4  # nats a token: rounding of float32
LEAST_RATIO = 5.0
BATCH_SIZES = (1, 8)  # of minicons; 32 sentences of prose at base shape take six gigabytes
MOST_LETTERS = 250  # of a sentence
PIECES = 8_000  # of a small vocabulary, as many as ours has
BERT_PIECES = 30_522  # rows of a published BERT

Sentences = Sequence[str]


@dataclass(frozen=True)
class Contenders:
    """One model, asked by this library and by minicons."""

    ours: FillMask
    theirs: Any  # minicons' MaskedLMScorer
    tokenizer: Any  # transformers'

    def encoded(self, sentences: Sentences) -> Any:
        """The tokens of some sentences, as minicons' own call would give them."""
        return self.tokenizer(list(sentences), padding="longest", return_attention_mask=True)


def main() -> int:
    """Print the figures; return 1 where one is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sentences", type=int, default=200, help="of digits, and of small models")
    parser.add_argument("--long", type=int, default=24, help="sentences for models of base shape")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    report, sentences = Report(), prose(options.sentences)
    with tempfile.TemporaryDirectory() as folder:
        for family in FAMILIES:
            add_digits(report, family, write_model(family, Path(folder) / family), sentences)
        for name in options.shapes:
            family, sizes = SHAPES[name]
            some = sentences if name.startswith("small") else sentences[: options.long]
            both = write_model(family, Path(folder) / name.replace(" ", "-"), **sizes)
            add_speed(report, name, both, some, options.turns)
    return report.close()


def prose(n: int) -> list[str]:
    """Sentences of Python's own documentation, drawn at random but always the same."""
    documents = itertools.islice(python_documentation([]), 400)
    sentences = [each for document in documents for each in document]
    short = [each for each in sentences if len(each) <= MOST_LETTERS]
    chosen = np.random.default_rng(0).choice(len(short), n, replace=False)
    return [short[place] for place in chosen]


# -- models


def write_model(family: str, folder: Path, **sizes: Any) -> Contenders:
    """Save a random model of a family, and open it twice."""
    minicons = _minicons()
    torch.manual_seed(0)
    FAMILIES[family](folder, **(SMALL | sizes))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder)
    theirs = minicons.MaskedLMScorer(model, "cpu", tokenizer=tokenizer)
    return Contenders(FillMask.from_pretrained(folder), theirs, tokenizer)


def _minicons() -> Any:
    try:
        from minicons import scorer
    except ImportError:
        raise InputError(
            "minicons is not installed, beside which the probes are measured; run "
            "`pip install -c requirements.lock -e '.[test,benchmark-probing]'`."
        ) from None
    return scorer


def write_bert(folder: Path, **sizes: Any) -> None:
    """A BERT with WordPieces of the documentation."""
    tokenizer = transformers.BertTokenizer().train_new_from_iterator(
        prose(TEXTS), PIECES, show_progress=False
    )
    _write(transformers.BertForMaskedLM, transformers.BertConfig, tokenizer, folder, sizes)


def write_roberta(folder: Path, **sizes: Any) -> None:
    """A RoBERTa with pieces of bytes."""
    tokenizer = transformers.RobertaTokenizer().train_new_from_iterator(
        prose(TEXTS), PIECES, show_progress=False
    )
    _write(transformers.RobertaForMaskedLM, transformers.RobertaConfig, tokenizer, folder, sizes)


def write_albert(folder: Path, **sizes: Any) -> None:
    """An ALBERT with this project's vocabulary."""
    tokenizer = load_tokenizer()
    sizes = {"vocab_size": tokenizer.vocab_size, "embedding_size": 64, **sizes}
    AlbertForMaskedLM(AlbertConfig(**sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write(model: Any, config: Any, tokenizer: Any, folder: Path, sizes: dict[str, Any]) -> None:
    n_rows = max(len(tokenizer), sizes.get("vocab_size", 0))
    fill_up(tokenizer, n_rows)
    settings = {**sizes, "vocab_size": n_rows, "pad_token_id": tokenizer.pad_token_id}
    model(config(**settings)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def fill_up(tokenizer: Any, n_rows: int) -> None:
    """Add tokens that no text holds, so that the head is as large as a published model's."""
    tokenizer.add_tokens([f"[unused{i}]" for i in range(n_rows - len(tokenizer))])


TEXTS = 2_000  # sentences that vocabularies are trained on
SMALL: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 520,
    "initializer_range": 0.2,  # wide, so that scores differ
}
FAMILIES: dict[str, Callable[..., None]] = {
    "bert": write_bert,
    "roberta": write_roberta,
    "albert": write_albert,
}
BASE: dict[str, Any] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "initializer_range": 0.02,
}
MINI = {**BASE, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4}
MINI |= {"intermediate_size": 1024, "vocab_size": BERT_PIECES}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "small BERT (256 x 4)": ("bert", MINI),
    "base BERT": ("bert", {**BASE, "vocab_size": BERT_PIECES}),
    "base ALBERT": ("albert", {**BASE, "embedding_size": 128}),
}


# -- digits


def add_digits(report: Report, family: str, both: Contenders, sentences: Sentences) -> None:
    """Add the largest difference of a token's score, plain and within words."""
    report.title(f"{family}: {len(sentences)} sentences, nats a token")
    for metric in METRICS:
        largest, n_compared, n_others = largest_difference(both, sentences, metric)
        report.line(f"{metric}: {n_compared} tokens compared, {n_others} with other word borders")
        report.at_most(f"{family}, {metric}: largest difference", largest, MOST_DIFFERENCE)


def largest_difference(
    both: Contenders, sentences: Sentences, metric: str
) -> tuple[float, int, int]:
    """The largest difference of a score, the tokens compared, and those with other borders."""
    ours = pseudo_log_likelihood(both.ours, sentences, mask_unit=METRICS[metric])
    largest, n_compared, n_others = 0.0, 0, 0
    for sentence, mine in zip(sentences, ours, strict=True):
        encoded = both.encoded([sentence])
        (scores,) = both.theirs.token_score(encoded, PLL_metric=metric)
        assert encoded.input_ids[0] == mine.input_ids, sentence
        for place, (_, score), own in zip(
            mine.positions, scores, mine.log_probabilities, strict=True
        ):
            if metric != "original" and masked(
                both.ours.tokenizer.word_numbers(mine.input_ids), place
            ) != masked(encoded.word_ids(0), place):
                n_others += 1
                continue
            n_compared += 1
            largest = max(largest, abs(score - float(own)))
    return largest, n_compared, n_others


def masked(words: Sequence[int | None], place: int) -> list[int]:
    """The positions masked with a token: the rest of its word, to the right."""
    return [i for i in range(place, len(words)) if words[i] == words[place]]


# -- speed


def add_speed(
    report: Report, name: str, both: Contenders, sentences: Sentences, turns: int
) -> None:
    """Add how many times as fast the plain scores are."""
    lengths = [sum(mask) for mask in both.encoded(sentences).attention_mask]
    report.title(f"{name}: {len(sentences)} sentences of {min(lengths)} to {max(lengths)} tokens")
    work = {
        size: lambda size=size: theirs_in_batches(both, sentences, size) for size in BATCH_SIZES
    }
    ours, theirs = [], {size: [] for size in BATCH_SIZES}
    for _ in range(turns):
        ours.append(cpu_seconds(lambda: pseudo_log_likelihood(both.ours, sentences)))
        for size, run in work.items():
            theirs[size].append(cpu_seconds(run))
    mine = statistics.median(ours)
    best = min(theirs, key=lambda size: statistics.median(theirs[size]))
    other = statistics.median(theirs[best])
    report.line(f"{mine:.1f} s; minicons {other:.1f} s, at its best in batches of {best}")
    possible = operations(both, lengths, best) / operations(both, lengths, None)
    report.line(f"the arithmetic allows {possible:.1f} times, at one speed of multiplication")
    report.at_least(f"{name}: times as fast as minicons", other / mine, LEAST_RATIO)


def theirs_in_batches(both: Contenders, sentences: Sentences, size: int) -> list[float]:
    """The same scores by minicons, so many sentences at a time."""
    scores: list[float] = []
    for start in range(0, len(sentences), size):
        encoded = both.encoded(sentences[start : start + size])
        scores += both.theirs.sequence_score(encoded, reduction=lambda each: each.sum(0).item())
    return scores


def operations(both: Contenders, lengths: Sequence[int], batch_size: int | None) -> float:
    """Multiplications of the large matrices: padded, all positions; None: neither."""
    config = both.theirs.model.config
    hidden = config.hidden_size
    narrow = getattr(config, "embedding_size", hidden)
    body = config.num_hidden_layers * hidden * (4 * hidden + 2 * config.intermediate_size)
    head = narrow * (hidden + config.vocab_size)
    total = 0.0
    for start in range(0, len(lengths), batch_size or 1):
        some = lengths[start : start + (batch_size or 1)]
        n_rows = sum(length - 2 for length in some)
        n_positions = n_rows * max(some)
        total += n_positions * body + (n_rows if batch_size is None else n_positions) * head
    return total


if __name__ == "__main__":
    raise SystemExit(main())
