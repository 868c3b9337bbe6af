"""A small BERT and a small RoBERTa of transformers that learn the Town beside our ALBERT.

They have ALBERT's sizes here (`town_config`) but for what makes their family: every layer has
weights of its own, and embeddings are as wide as the layers. Each is taught as its paper does:
BERT cuts words into WordPieces of lower-case text and learns masked tokens and whether two
segments belong together (NSP); RoBERTa cuts the bytes of text as it is written and learns masked
tokens alone, on whole documents. Both vocabularies are trained on the Town's own text, in which
every word is frequent, so every word becomes one piece.

The rest is ALBERT's recipe for the Hamlet: its batches of 64 documents, its masking rate, Muon, its
rates, no dropout, position embeddings that start as waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from albert_lib.experiments.town_models import hamlet_recipe, start_as_waves, town_config
from albert_lib.training import TrainingLoop
from albert_lib.training.muon import MuonWithAdamW, matrix_groups
from albert_lib.training.part_losses import Losses
from albert_lib.training.precision import best_dtype

Family = Literal["albert", "bert", "roberta"]
# As many steps as take the seconds of one core that 350 steps of ALBERT take: 21, at 0.059 s a
# step there, 0.078 and 0.067 here (AMD EPYC with AVX512_BF16; `python -m benchmarks.families`).
FAMILY_STEPS: dict[Family, int] = {"albert": 350, "bert": 270, "roberta": 310}
OTHER_FAMILIES: tuple[Family, ...] = ("bert", "roberta")
MOST_PIECES = 2000  # more than the Hamlet's words: no word stays cut
UNASKED = -100  # the label of a token that is not predicted
EVALUATED_AT_ONCE = 64  # documents


@dataclass(frozen=True)
class FamilyBatch:
    """The arguments of a model of transformers for one step, labels among them."""

    arguments: dict[str, Tensor]

    @property
    def n_tokens(self) -> int:
        """Tokens that are not padding."""
        return int(self.arguments["attention_mask"].sum())

    def to(self, device: torch.device) -> FamilyBatch:
        """The same batch on `device`."""
        return FamilyBatch({name: each.to(device) for name, each in self.arguments.items()})


def family_tokenizer(family: Family, documents: Sequence[Sequence[str]]) -> Any:
    """A tokenizer of this family, trained on these documents.

    Example:
        >>> documents = [["Anna is a baker.", "She is a baker again."]] * 9
        >>> family_tokenizer("bert", documents).tokenize("Anna is a baker.")
        ['anna', 'is', 'a', 'baker', '.']
        >>> family_tokenizer("roberta", documents).tokenize("Anna is a baker.")
        ['Anna', 'Ġis', 'Ġa', 'Ġbaker', '.']
    """
    import transformers  # an extra, and seconds to load

    kind = transformers.BertTokenizer if family == "bert" else transformers.RobertaTokenizer
    lines = (" ".join(document) for document in documents)
    tokenizer = kind().train_new_from_iterator(lines, MOST_PIECES, show_progress=False)
    if family == "roberta":  # as published: <mask> takes the space before it, as a word would
        mask = transformers.AddedToken("<mask>", lstrip=True, special=True)
        tokenizer.add_special_tokens({"mask_token": mask})
    return tokenizer


def new_family_model(family: Family, tokenizer: Any, seed: int) -> Any:
    """A model of this family whose weights are drawn from `seed`, with the heads it learns with.

    Example:
        >>> documents = [["Anna is a baker.", "She is a baker again."]] * 9
        >>> tokenizer = family_tokenizer("roberta", documents)
        >>> type(new_family_model("roberta", tokenizer, seed=0)).__name__
        'RobertaForMaskedLM'
    """
    import transformers

    sizes = town_config(len(tokenizer))
    more = {
        "vocab_size": len(tokenizer),
        "hidden_size": sizes.hidden_size,
        "num_hidden_layers": sizes.num_hidden_layers,
        "num_attention_heads": sizes.num_attention_heads,
        "intermediate_size": sizes.intermediate_size,
        "initializer_range": sizes.initializer_range,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": tokenizer.pad_token_id,
        "attn_implementation": "eager",  # for heads so narrow faster than PyTorch's fused one
    }
    longest = sizes.max_position_embeddings
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any
        if family == "bert":
            config = transformers.BertConfig(max_position_embeddings=longest, **more)
            model = transformers.BertForPreTraining(config)
        else:  # positions are counted from the padding's id on
            longest += tokenizer.pad_token_id + 1
            configuration = transformers.RobertaConfig(
                max_position_embeddings=longest, type_vocab_size=1, **more
            )
            model = transformers.RobertaForMaskedLM(configuration)
    start_as_waves(model.base_model.embeddings.position_embeddings.weight)
    return model


def without_pair_head(model: Any) -> Any:
    """The same model with its head for masked tokens alone, as the probes ask it.

    Example:
        >>> tokenizer = family_tokenizer("bert", [["Anna is a baker.", "She bakes."]] * 9)
        >>> type(without_pair_head(new_family_model("bert", tokenizer, seed=0))).__name__
        'BertForMaskedLM'
    """
    import transformers

    if not isinstance(model, transformers.BertForPreTraining):
        return model
    alone = transformers.BertForMaskedLM(model.config)
    alone.load_state_dict(model.state_dict(), strict=False)  # the head for pairs has no place
    return alone.eval()


def train_family(
    family: Family, documents: Sequence[Sequence[str]], tokenizer: Any, *, steps: int, seed: int
) -> Any:
    """Train a new model of this family on documents, batch after batch, and again from the first.

    Weights and batches are drawn from `seed`.
    """
    model = new_family_model(family, tokenizer, seed)
    recipe = hamlet_recipe(steps, town_config(len(tokenizer)).max_position_embeddings)
    head = model.cls.predictions.transform.dense if family == "bert" else model.lm_head.dense
    optimizer = MuonWithAdamW(
        matrix_groups(model, [*model.base_model.modules(), head], recipe.weight_decay),
        lr=recipe.learning_rate,
        dtype=best_dtype(),
    )

    def batch(step: int) -> FamilyBatch:
        chosen = [step * recipe.batch_size + i for i in range(recipe.batch_size)]
        some = [documents[place % len(documents)] for place in chosen]
        rng = np.random.default_rng((seed, step))
        return family_batch(family, some, tokenizer, recipe.masking.rate, rng)

    loop = TrainingLoop(
        model, batch, family_loss, optimizer, recipe.learning_rate_at, seed, dtype=best_dtype()
    )
    for _ in loop.rows(range(steps)):
        pass
    return model


def family_batch(
    family: Family,
    documents: Sequence[Sequence[str]],
    tokenizer: Any,
    rate: float,
    rng: np.random.Generator,
) -> FamilyBatch:
    """What a model of this family learns from some documents, masked as BERT's paper does.

    Of `rate` of the tokens 80 % become the mask, 10 % any token, 10 % stay. For BERT a document is
    cut in two, and every other second part is that of the next document.
    """
    arguments: dict[str, Tensor] = {}
    if family == "bert":
        cuts = [int(rng.integers(1, len(document))) for document in documents]
        firsts = [" ".join(d[:cut]) for d, cut in zip(documents, cuts, strict=True)]
        seconds = [" ".join(d[cut:]) for d, cut in zip(documents, cuts, strict=True)]
        moved = rng.random(len(documents)) < 0.5
        others = seconds[1:] + seconds[:1]
        seconds = [
            other if is_moved else own
            for own, other, is_moved in zip(seconds, others, moved, strict=True)
        ]
        encoded = tokenizer(firsts, seconds, padding=True, return_tensors="pt")
        arguments["next_sentence_label"] = torch.from_numpy(moved.astype(np.int64))
    else:
        encoded = tokenizer([" ".join(d) for d in documents], padding=True, return_tensors="pt")
    arguments |= dict(encoded)
    shown, labels = masked(arguments["input_ids"], tokenizer, rate, rng)
    return FamilyBatch({**arguments, "input_ids": shown, "labels": labels})


def masked(
    ids: Int[Tensor, "batch seq"], tokenizer: Any, rate: float, rng: np.random.Generator
) -> tuple[Int[Tensor, "batch seq"], Int[Tensor, "batch seq"]]:
    """What the model is shown, and the labels: the tokens to predict, −100 elsewhere."""
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids)).numpy()
    chosen = torch.from_numpy((rng.random(ids.shape) < rate) & ~special)
    fate = torch.from_numpy(rng.random(ids.shape))
    anything = torch.from_numpy(rng.integers(len(tokenizer), size=ids.shape))
    shown = torch.where(chosen & (fate < 0.9), anything, ids)
    shown = torch.where(chosen & (fate < 0.8), torch.tensor(tokenizer.mask_token_id), shown)
    return shown, torch.where(chosen, ids, torch.tensor(UNASKED))


def family_loss(model: Any, batch: FamilyBatch) -> Losses:
    """The mean loss of the masked tokens, and for a BERT that of NSP is added, as in its paper.

    As ALBERT's head here, theirs is asked for the masked positions alone, which saves time.

    Example:
        >>> documents = [["Anna is a baker.", "She is a baker again."]] * 9
        >>> tokenizer = family_tokenizer("bert", documents)
        >>> model = new_family_model("bert", tokenizer, seed=0)
        >>> batch = family_batch("bert", documents, tokenizer, 0.3, np.random.default_rng(0))
        >>> torch.allclose(family_loss(model, batch)["loss"], model(**batch.arguments).loss)
        True
    """
    arguments = dict(batch.arguments)
    labels, is_moved = arguments.pop("labels"), arguments.pop("next_sentence_label", None)
    encoded = model.base_model(**arguments)
    asked = labels != UNASKED
    states = encoded.last_hidden_state[asked]
    head = model.lm_head if is_moved is None else model.cls.predictions
    loss = nn.functional.cross_entropy(head(states), labels[asked])
    if is_moved is not None:
        pair_scores = model.cls.seq_relationship(encoded.pooler_output)
        loss = loss + nn.functional.cross_entropy(pair_scores, is_moved)
    return {"loss": loss}


@torch.no_grad()
def held_out_loss(
    model: Any, documents: Sequence[Sequence[str]], tokenizer: Any, rate: float, seed: int
) -> float:
    """The mean loss of a masked token in whole documents, of a model with this head alone: nats."""
    total, n = 0.0, 0
    for start in range(0, len(documents), EVALUATED_AT_ONCE):
        some = documents[start : start + EVALUATED_AT_ONCE]
        rng = np.random.default_rng((seed, start))
        batch = family_batch("roberta", some, tokenizer, rate, rng).arguments
        labels = batch.pop("labels")
        logits = model(**batch).logits
        asked = labels != UNASKED
        total += float(nn.functional.cross_entropy(logits[asked], labels[asked], reduction="sum"))
        n += int(asked.sum())
    return total / n
