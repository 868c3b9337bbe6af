"""One row for each feature of the model card: what is compared, with what, how far apart."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
import transformers
from google_checkpoint import google_variables, write_download
from google_procedure import GoogleTokenizer
from keras_features import keras_features
from safetensors.torch import load_file
from torch import Tensor
from workshop import Workshop, theirs

import albert_lib
from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertModel, AlbertTokenizer
from albert_lib.__main__ import main as run_command
from albert_lib.corpus import python_documentation
from albert_lib.objectives import MaskingConfig
from albert_lib.objectives.batch_masking import mask_batch
from albert_lib.paper import paper_table
from albert_lib.text import GOOGLE_TOKENIZATION

ROUNDING = 1e-5  # what adding up in another order may do in float32
PROMPTS = [
    "Hello I'm a [MASK] model.",
    "The man worked as a [MASK].",
    "The woman worked as a [MASK].",
]
FEATURE_TEXT = "Replace me by any text you'd like."


@dataclass(frozen=True)
class Row:
    """A feature of the card, what it is held against, and the largest difference allowed."""

    feature: str
    reference: str
    tolerance: float
    measure: Callable[[Workshop], float]
    needs: str | None = None  # a package without which the row cannot be filled


ROWS: list[Row] = []


def row(
    feature: str, reference: str, tolerance: float, needs: str | None = None
) -> Callable[[Callable[[Workshop], float]], Callable[[Workshop], float]]:
    """Enter a measurement into the table."""

    def enter(measure: Callable[[Workshop], float]) -> Callable[[Workshop], float]:
        ROWS.append(Row(feature, reference, tolerance, measure, needs))
        return measure

    return enter


def can_run(entry: Row) -> bool:
    """Whether the packages are here that the row needs."""
    return entry.needs is None or importlib.util.find_spec(entry.needs) is not None


@row("24 layers, E 128, H 2048, 16 heads", "the card", 0)
def card_sizes(workshop: Workshop) -> float:
    """The four numbers of the card, whatever shape the other rows use."""
    config = AlbertConfig.preset("albert-xlarge-v1")
    ours = (
        config.num_hidden_layers,
        config.embedding_size,
        config.hidden_size,
        config.num_attention_heads,
    )
    return float(np.abs(np.subtract(ours, (24, 128, 2048, 16))).max())


@row("58M parameters, counted exactly", "transformers' AlbertModel", 0)
def parameters(workshop: Workshop) -> float:
    """All eight published sizes."""
    differences = []
    for name in AlbertConfig.presets():
        config = AlbertConfig.preset(name)
        with torch.device("meta"):
            reference = transformers.AlbertModel(transformers.AlbertConfig(**config.to_dict()))
        differences.append(abs(reference.num_parameters() - config.num_parameters()))
    return worst(differences)


def sentences(number: int) -> list[str]:
    """English of Python's own documentation, with a few lines that are hard on a tokenizer."""
    english = chain.from_iterable(python_documentation(packages=()))
    hard = [
        "",
        " \t\n",
        "Café ÆRØ ﬁne ½ x²",
        "£4,000,000, in 1999, ''quoted'' 🙂",
        "ＦＵＬＬ width",
    ]
    return [*hard, *islice(english, number)]


@row("uncased SentencePiece ids, 3,000 lines", "Google's procedure", 0)
def tokenizer_ids(workshop: Workshop) -> float:
    """Lines whose ids differ."""
    ours = AlbertTokenizer(workshop.tokenizer.model, **GOOGLE_TOKENIZATION)
    reference = GoogleTokenizer(ours.model)
    lines = sentences(3000)
    expected = [reference.ids(line) for line in lines]
    return sum(a != b for a, b in zip(ours.encode_sentences(lines), expected, strict=True))


@row("[CLS] A [SEP] B [SEP], 1,000 pairs", "transformers reading the folder", 0)
def pairs(workshop: Workshop) -> float:
    """Numbers that differ in ids, mask or segments of padded pairs."""
    reference = transformers.AutoTokenizer.from_pretrained(workshop.folder(workshop.preset))
    lines = [line for line in sentences(2005) if line.strip()][:2000]
    first, second = lines[::2], lines[1::2]
    ours = workshop.tokenizer(first, second, max_length=128)
    other = reference(
        first, second, truncation=True, max_length=128, padding=True, return_tensors="pt",
        return_token_type_ids=True,
    )  # fmt: skip
    return sum(int((ours[name] != other[name]).sum()) for name in ours)


@row("15 % masked, of them 80/10/10", "the card", 0.01)
def masking(workshop: Workshop) -> float:
    """Shares over 1,000 sequences of random pieces."""
    tokenizer, rng = workshop.tokenizer, np.random.default_rng(0)
    ids = rng.integers(5, tokenizer.vocab_size, size=(1000, 128))
    shown, hidden = mask_batch(ids, tokenizer, MaskingConfig(), rng.random((1000, 4, 128)))
    before, after = ids[hidden], shown[hidden]
    is_mask, same = after == tokenizer.mask_token_id, after == before
    found = (hidden.mean(), is_mask.mean(), (~is_mask & ~same).mean(), same.mean())
    return float(np.abs(np.subtract(found, (0.15, 0.8, 0.1, 0.1))).max())


@row("fill-mask, the card's three prompts", "transformers' pipeline", ROUNDING)
def fill_mask(workshop: Workshop) -> float:
    """The largest difference in a score; infinite if an answer, its id or its text differs."""
    differences = []
    for prompt in PROMPTS:
        ours, other = workshop.fill_mask()(prompt), workshop.pipeline()(prompt)
        for mine, reference in zip(ours, other, strict=True):
            same = all(mine[key] == reference[key] for key in ("token", "token_str", "sequence"))
            differences.append(abs(mine["score"] - reference["score"]) if same else float("inf"))
    return worst(differences)


@row("fill-mask, two masks, targets, a batch", "transformers' pipeline", ROUNDING)
def fill_mask_options(workshop: Workshop) -> float:
    """The same with everything that may be asked for."""
    ours, other = workshop.fill_mask(), workshop.pipeline()
    two = "The [MASK] worked as a [MASK]."
    targets = ["▁man", "▁woman"]
    answers = [
        (ours(two, top_k=7), other(two, top_k=7)),
        (ours(PROMPTS[0], targets=targets), other(PROMPTS[0], targets=targets)),
        (ours([*PROMPTS, two]), other([*PROMPTS, two])),
    ]
    return worst(_fill_difference(mine, reference) for mine, reference in answers)


def _fill_difference(ours: Any, other: Any) -> float:
    if isinstance(ours, dict):
        same = all(ours[key] == other[key] for key in ("token", "token_str", "sequence"))
        return abs(ours["score"] - other["score"]) if same else float("inf")
    return worst(_fill_difference(mine, part) for mine, part in zip(ours, other, strict=True))


def feature_inputs(workshop: Workshop) -> dict[str, Tensor]:
    """The card's text, padded beside a pair of others."""
    texts = [FEATURE_TEXT, "the old baker walks to the mill before dawn"]
    return dict(workshop.tokenizer(texts, ["", "then he bakes the first bread of the day"]))


@row("features in PyTorch, states and pooled", "transformers' AlbertModel", ROUNDING)
@torch.no_grad()
def features(workshop: Workshop) -> float:
    """Over all positions that are not padding."""
    folder, inputs = workshop.folder(workshop.preset), feature_inputs(workshop)
    ours = AlbertModel.from_pretrained(folder)(**inputs)
    other = theirs("AlbertModel", folder)(**inputs)
    text = inputs["attention_mask"].bool()
    states = (ours.last_hidden_state - other.last_hidden_state)[text]
    return worst([largest(states), largest(ours.pooler_output - other.pooler_output)])


@row("features in TensorFlow (a v2 shape)", "KerasHub on TensorFlow", 1e-4, needs="keras_hub")
@torch.no_grad()
def tensorflow_features(workshop: Workshop) -> float:
    """KerasHub always bends with the tanh form, which v2's files ask for."""
    folder, inputs = workshop.folder(_v2(workshop.preset)), feature_inputs(workshop)
    ours = AlbertModel.from_pretrained(folder)(**inputs)
    states, pooled = keras_features(
        folder, inputs["input_ids"], inputs["attention_mask"], inputs["token_type_ids"]
    )
    text = inputs["attention_mask"].bool()
    return worst(
        [
            largest((ours.last_hidden_state - torch.from_numpy(states))[text]),
            largest(ours.pooler_output - torch.from_numpy(pooled)),
        ]
    )


def _v2(preset: str) -> str:
    return preset.replace("-v1", "-v2")


@row("Google's TensorFlow checkpoint, converted", "the weights it was made of", 0, "tensorflow")
def converted(workshop: Workshop) -> float:
    """Written under the original names, optimizer state beside them; every weight compared."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(workshop.config("albert-base-v2"))
    source, folder = workshop.scratch("google"), workshop.scratch("converted")
    write_download(source, model.config, google_variables(model), workshop.tokenizer.model)
    with contextlib.redirect_stdout(io.StringIO()):
        status = run_command(["convert", str(source), "--output", str(folder)])
    if status != 0:
        return float("inf")
    again = AlbertForPreTraining.from_pretrained(folder)
    return worst(
        largest(mine - other)
        for mine, other in zip(model.parameters(), again.parameters(), strict=True)
    )


def head_row(preset: str, head: str, kind: str, labels: int = 2) -> None:
    """A row for a folder of ours with that head, read and run by transformers."""

    @torch.no_grad()
    def measure(workshop: Workshop) -> float:
        names = tuple(f"class {number}" for number in range(labels))
        changes = {} if labels == 2 else {"labels": names}
        folder = workshop.folder(preset, head, **changes)
        inputs = feature_inputs(workshop)
        if head == "multiple choice":
            inputs = {name: tensor[None] for name, tensor in inputs.items()}
        mine = outputs(getattr(albert_lib, kind).from_pretrained(folder)(**inputs))
        other = outputs(theirs(kind, folder)(**inputs))
        text = inputs["attention_mask"].bool()
        return worst(
            largest((a - b)[text] if a.shape[: text.dim()] == text.shape and a.dim() > 1 else a - b)
            for a, b in zip(mine, other, strict=True)
        )

    size = preset.removeprefix("albert-")
    row(f"{size}: {head} head, saved", f"transformers' {kind}", ROUNDING)(measure)


def outputs(result: Any) -> list[Tensor]:
    """All scores of a head, in order."""
    names = ("prediction_logits", "sop_logits", "logits", "start_logits", "end_logits")
    return [getattr(result, name) for name in names if getattr(result, name, None) is not None]


for published in ("albert-base-v1", "albert-base-v2", "albert-large-v1", "albert-xlarge-v2"):
    head_row(published, "pretraining", "AlbertForPreTraining")
head_row("albert-base-v2", "masked LM", "AlbertForMaskedLM")
head_row("albert-base-v2", "sequence classification", "AlbertForSequenceClassification", labels=3)
head_row("albert-base-v2", "question answering", "AlbertForQuestionAnswering")
head_row("albert-base-v2", "multiple choice", "AlbertForMultipleChoice")


@row("through transformers and back", "every tensor of the folder", 0)
def round_trip(workshop: Workshop) -> float:
    """Our folder, saved by transformers and by us again: the same names, every number the same."""
    folder, there, back = (
        workshop.folder("albert-base-v2"), workshop.scratch("there"), workshop.scratch("back"),
    )  # fmt: skip
    theirs("AlbertForPreTraining", folder).save_pretrained(there)
    AlbertForPreTraining.from_pretrained(there).save_pretrained(back)
    first, last = (load_file(path / "model.safetensors") for path in (folder, back))
    if first.keys() != last.keys():
        return float("inf")
    return worst(largest(first[key] - last[key]) for key in first)


@row("the results table, averages recomputed", "the card", 0.0501)
def results(workshop: Workshop) -> float:
    """Printed to one decimal. An average counts each SQuAD once, as the mean of its two scores."""
    rows = paper_table("card_results")
    return max(
        abs(
            entry.average
            - np.mean(
                [
                    (entry.squad1_f1 + entry.squad1_em) / 2,
                    (entry.squad2_f1 + entry.squad2_em) / 2,
                    entry.mnli,
                    entry.sst2,
                    entry.race,
                ]
            )
        )
        for entry in rows
    )


def largest(difference: Tensor) -> float:
    """The largest absolute value; not a number if any is not."""
    return difference.abs().max().item()


def worst(differences: Iterable[float]) -> float:
    """The largest; unlike `max`, not a number if any is not, wherever it stands."""
    return float(np.max(list(differences)))
