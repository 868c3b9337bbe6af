"""The public recipe, for as long and on the same text as ours, and with the same scores.

    python -m benchmarks.public_recipe --corpus CORPUS --output FOLDER --seconds 3600
        [--learning-rate 5e-4 --warmup 0.01] [--blimp FOLDER] [--framed] [--clock wall] …

What somebody would take otherwise: transformers' BertForMaskedLM of as many parameters as
albert-mini-en has, on rows of 128 tokens cut as transformers' run_mlm.py cuts them
(`group_texts`), masked by its DataCollatorForLanguageModeling, trained with the defaults of its
TrainingArguments: AdamW at 5e-5 falling to zero, gradients clipped at 1. The loop is our own,
because their Trainer needs the package accelerate; in two points it is not theirs. The learning
rate follows the clock instead of a number of steps, so that it is zero when the time is up; and
matrices are multiplied in the precision that our own runs choose, by the same rule. Their default
rate is one for fine-tuning. BERT's own is `--learning-rate 1e-4 --warmup 0.01 --weight-decay 0.01`;
small models are often given more, such as 5e-4.

CPU seconds, the default, count all threads and do not depend on what else the machine does.

A BERT is an ALBERT whose layers share nothing and whose embeddings are as wide as its layers. So
the result is saved as one of ours (FOLDER/model; its sentence-order head says nothing), and
`evaluate` and `probe` read it like any other. It has seen one segment only; so both
segments of the scored rows get the embedding of the first. Rows that are scored begin with [CLS],
of `group_texts` hardly any do; `--framed` gives every row of training [CLS] and [SEP].

The table's line has the plain scores of checkpoint_trials.py, and BLiMP's accuracy;
FOLDER/scores.json has the settings too, every score's interval, and the loss along the way.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from jaxtyping import Int
from torch import Tensor

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer
from albert_lib.corpus import TokenStore
from albert_lib.experiments.card import ROWS, mlm_measures
from albert_lib.files import write_json
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.sets import blimp
from albert_lib.training.held_out_scores import SEQUENCE_LENGTH, rows_to_score, score_rows
from albert_lib.training.precision import autocast, choose_precision
from benchmarks.common import transformers_tokenizer

DEFAULTS = transformers.TrainingArguments
CLOCKS: dict[str, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}
REPORTS = 20  # lines about the loss, along the way
RENAMED = (  # transformers' names in a BERT → ours, one after the other
    ("bert.", "albert."),
    ("encoder.layer.", "encoder.layers."),
    ("embeddings.LayerNorm", "embeddings.norm"),
    ("attention.self", "attention"),
    ("attention.output.dense", "attention.output"),
    ("attention.output.LayerNorm", "attention_norm"),
    ("intermediate.dense", "feed_forward.intermediate"),
    ("output.dense", "feed_forward.projection"),
    ("output.LayerNorm", "feed_forward_norm"),
    ("cls.predictions.transform.LayerNorm", "mlm_head.norm"),
    ("cls.predictions.transform", "mlm_head"),
    ("cls.predictions", "mlm_head"),
)
OF_NO_BERT = ("albert.pooler.", "sop_head.")  # beginnings of our names


@dataclass(frozen=True)
class Settings:
    """What can be chosen; everything else is transformers' default."""

    seconds: float = 3600.0
    clock: str = "cpu"  # whose seconds these are
    hidden_size: int = 128  # with four layers 1.9 million parameters at 8,000 pieces
    num_hidden_layers: int = 4
    num_attention_heads: int = 2
    learning_rate: float = DEFAULTS.learning_rate
    warmup: float = 0.0  # fraction of the time in which the rate rises
    weight_decay: float = DEFAULTS.weight_decay
    batch_size: int = 32
    framed: bool = False
    seed: int = DEFAULTS.seed

    def rate_at(self, passed: float) -> float:
        """The learning rate when this fraction of the time has passed: up, then down to zero."""
        if passed < self.warmup:
            return self.learning_rate * passed / self.warmup
        return self.learning_rate * max(0.0, 1 - passed) / (1 - self.warmup)


@dataclass(frozen=True, eq=False)
class Rows:
    """The documents of a store, one after another, cut into rows of equal length.

    As run_mlm.py does it: every document stands between [CLS] and [SEP], a row may begin and end
    anywhere, and what is left over at the end makes no row. With `framed` the row itself stands
    between them, and documents follow each other without.
    """

    store: TokenStore
    tokenizer: AlbertTokenizer
    framed: bool
    length: int = SEQUENCE_LENGTH

    def __post_init__(self) -> None:
        self.store.check_tokenizer(self.tokenizer)

    def __len__(self) -> int:
        if self.framed:
            return self.store.n_tokens // (self.length - 2)
        return (self.store.n_tokens + 2 * self.store.n_documents) // self.length

    def ids(self, numbers: Int[np.ndarray, " rows"]) -> Int[np.ndarray, "rows seq"]:
        """The rows with these numbers."""
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        if self.framed:
            room = self.length - 2
            text = self.store.ids[numbers[:, None] * room + np.arange(room)].astype(np.int64)
            return np.pad(text, ((0, 0), (1, 1)), constant_values=((0, 0), (first, last)))
        starts = self.store.sentence_starts[self.store.document_starts]
        places = numbers[:, None] * self.length + np.arange(self.length)
        with_special = starts + 2 * np.arange(len(starts))
        document = np.searchsorted(with_special, places, side="right") - 1
        token = places - 2 * document - 1  # its place in the store
        at_start = places == with_special[document]
        at_end = places == with_special[document + 1] - 1
        text = self.store.ids[np.where(at_start | at_end, 0, token)].astype(np.int64)
        return np.where(at_start, first, np.where(at_end, last, text))


def masked_batches(rows: Rows, corpus: Path, settings: Settings) -> Iterator[dict[str, Tensor]]:
    """Yield batches without end: rows in a new random order in every epoch, by their collator."""
    collate = transformers.DataCollatorForLanguageModeling(
        transformers_tokenizer(corpus / "tokenizer")
    )
    is_special = rows.tokenizer.is_special
    for epoch in count():
        order = np.random.default_rng((settings.seed, epoch)).permutation(len(rows))
        for start in range(0, len(order), settings.batch_size):
            ids = rows.ids(order[start : start + settings.batch_size])
            yield dict(
                collate([{"input_ids": r, "special_tokens_mask": is_special[r]} for r in ids])
            )


def new_bert(vocab_size: int, settings: Settings) -> transformers.BertForMaskedLM:
    """Return a BERT with random weights."""
    torch.manual_seed(settings.seed)
    config = transformers.BertConfig(
        vocab_size=vocab_size,
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.num_hidden_layers,
        num_attention_heads=settings.num_attention_heads,
        intermediate_size=4 * settings.hidden_size,
    )
    return transformers.BertForMaskedLM(config).train()


def train(
    model: transformers.BertForMaskedLM, batches: Iterator[dict[str, Tensor]], settings: Settings
) -> dict[str, Any]:
    """Train until the time is up; return steps, positions read, seconds, losses on the way."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.0, weight_decay=settings.weight_decay, fused=True
    )
    dtype = choose_precision("cpu").dtype
    began = {name: clock() for name, clock in CLOCKS.items()}
    now = CLOCKS[settings.clock]
    steps, positions = 0, 0
    losses: list[float] = []
    history: list[dict[str, float]] = []
    while (passed := (now() - began[settings.clock]) / settings.seconds) < 1:
        if losses and passed * REPORTS >= len(history) + 1:
            mean = sum(losses) / len(losses)
            history.append({"passed": passed, "steps": steps, "loss": mean})
            print(f"{passed:4.0%}  {steps:,} steps, {mean:.3f} nats", flush=True)
            losses = []
        batch = next(batches)
        losses.append(step(model, optimizer, batch, settings.rate_at(passed), dtype))
        steps += 1
        positions += batch["input_ids"].numel()
    taken = {f"{name}_seconds": clock() - began[name] for name, clock in CLOCKS.items()}
    return {
        "steps": steps,
        "tokens": positions,
        **taken,
        "threads": torch.get_num_threads(),
        "precision": str(dtype).removeprefix("torch."),
        "history": history,
    }


def step(
    model: transformers.BertForMaskedLM,
    optimizer: torch.optim.Optimizer,
    batch: dict[str, Tensor],
    rate: float,
    dtype: torch.dtype,
) -> float:
    """Take one step at this learning rate; return the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    with autocast("cpu", dtype):
        loss = model(**batch).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), DEFAULTS.max_grad_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


@torch.no_grad()
def as_albert(bert: transformers.BertForMaskedLM) -> AlbertForPreTraining:
    """Return the same model as one of ours; its sentence-order head is zero.

    Segment B, which training never shows, gets the embedding of segment A.
    """
    theirs = bert.config
    shared = {field.name for field in fields(AlbertConfig)} & theirs.to_dict().keys()
    shared -= {"pad_token_id", "bos_token_id", "eos_token_id"}
    config = AlbertConfig(
        **{name: getattr(theirs, name) for name in shared},
        embedding_size=theirs.hidden_size,
        sharing="none",
        project_equal_widths=False,
    )
    state = {}
    for name, weight in bert.named_parameters():
        for old, new in RENAMED:
            name = name.replace(old, new)
        state[name] = weight.detach().clone()
    segments = state["albert.embeddings.token_type_embeddings.weight"]
    segments[1] = segments[0]
    model = AlbertForPreTraining(config)
    for name, parameter in model.named_parameters():
        if name.startswith(OF_NO_BERT):
            state[name] = torch.zeros_like(parameter)
    model.load_state_dict(state)
    return model.eval()


def scores_of(
    folder: Path, held_out: TokenStore, n_rows: int, blimp_folder: Path | None
) -> dict[str, dict[str, Any]]:
    """Every measure of a saved model, by its name, with its interval."""
    model = AlbertForPreTraining.from_pretrained(folder)
    tokenizer = AlbertTokenizer.from_pretrained(folder)
    rows = rows_to_score(held_out, tokenizer, n_rows, SEQUENCE_LENGTH, plain=True)
    found = {
        each.label: asdict(each)
        for each in mlm_measures("plain", score_rows(model, rows, tokenizer))
    }
    if blimp_folder is not None:
        result = blimp.score(FillMask.from_pretrained(folder), blimp.read(blimp_folder))
        found |= {f"blimp: {each.label}": asdict(each) for each in result.measures()}
    return found


def train_and_score(
    corpus: Path, output: Path, settings: Settings, n_rows: int, blimp_folder: Path | None
) -> dict[str, Any]:
    """Train and score one model; return what is written to scores.json."""
    tokenizer = AlbertTokenizer.from_pretrained(corpus / "tokenizer")
    text, held_out = (TokenStore.open(corpus / part) for part in ("train", "held-out"))
    bert = new_bert(tokenizer.vocab_size, settings)
    run = train(
        bert, masked_batches(Rows(text, tokenizer, settings.framed), corpus, settings), settings
    )
    as_albert(bert).save_pretrained(output / "model")
    tokenizer.save_pretrained(output / "model")
    record = {
        "settings": asdict(settings),
        "corpus": text.fingerprint,
        "parameters": bert.num_parameters(),
        **run,
        "scored_rows": n_rows,
        "scores": scores_of(output / "model", held_out, n_rows, blimp_folder),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }
    write_json(output / "scores.json", record)
    return record


def table(record: dict[str, Any]) -> list[str]:
    """The table's lines, of one model."""
    heads = ["H, L", "parameters", "learning rate", "warm-up", "seconds", "steps", "M tokens"]
    heads += ["plain nats", "plain %", "bits/byte", "BLiMP %"]
    chosen, scores = record["settings"], record["scores"]
    cells = [
        f"{chosen['hidden_size']}, {chosen['num_hidden_layers']}",
        f"{record['parameters']:,}",
        f"{chosen['learning_rate']:g}",
        f"{chosen['warmup']:.0%}",
        f"{chosen['seconds']:,g} {chosen['clock']}",
        f"{record['steps']:,}",
        f"{record['tokens'] / 1e6:.1f}",
    ]
    for label, digits in (
        ("plain: loss", 3), ("plain: accuracy", 1), ("plain: bits a byte", 3),
        ("blimp: accuracy", 1),
    ):  # fmt: skip
        cells.append(f"{scores[label]['value']:.{digits}f}" if label in scores else "")
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), cells)]


def main() -> int:
    """Train, score, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True, help="what build-corpus wrote")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--blimp", type=Path, metavar="FOLDER", help="BLiMP's .jsonl files")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of held-out text to score")
    add_settings(parser)
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    settings = Settings(**{field.name: getattr(options, field.name) for field in fields(Settings)})
    record = train_and_score(options.corpus, options.output, settings, options.rows, options.blimp)
    print("\n".join(table(record)))
    return 0


def add_settings(parser: argparse.ArgumentParser) -> None:
    """An argument for every setting, with its default."""
    for field in fields(Settings):
        add = partial(parser.add_argument, f"--{field.name.replace('_', '-')}")
        if field.name == "framed":
            add(action="store_true", help="[CLS] and [SEP] around every row of training")
        else:
            choices = list(CLOCKS) if field.name == "clock" else None
            add(type=type(field.default), default=field.default, choices=choices)


if __name__ == "__main__":
    raise SystemExit(main())
