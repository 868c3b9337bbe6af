"""Association of embeddings: the WEAT and the SEAT, and the association of one word.

Two sets of targets (X: flowers, Y: insects) and two of attributes (A: pleasant, B: unpleasant).
A target's association is how much closer it lies to A than to B,

    s(w) = mean over a in A of cos(w, a) − mean over b in B of cos(w, b),

and the effect size compares the two sets of targets (Caliskan et al., 2017, arXiv:1608.07187).
The SEAT does the same with sentences (May et al., 2019, arXiv:1903.10561). The arithmetic here
takes arrays of any origin; `static_embeddings` and `sentence_embeddings` make them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from albert_lib.errors import InputError
from albert_lib.model import AlbertModel
from albert_lib.probing.features import Features
from albert_lib.probing.intervals import Drawn, Interval, percentile_bootstrap
from albert_lib.probing.templates import AnyTokenizer
from albert_lib.probing.transformers_models import TransformersEncoder
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer

Vectors = Float[np.ndarray, "_ dim"]
Pooling = Literal["cls", "mean"]
Associations = Float[np.ndarray, "_"]
ROUNDING = 1e-12  # associations that differ by no more than this are equal
CHUNK = 4096  # partitions computed at a time, to bound the memory


@dataclass(frozen=True)
class AssociationTest:
    """Whether X is closer to A, and Y to B, than by chance; made by `association_test`.

    Example:
        >>> AssociationTest(effect_size=1.5, p_value=0.01, n_partitions=70, exact=True).effect_size
        1.5
    """

    effect_size: float  # difference of mean associations in standard deviations, −2 to 2
    p_value: float  # one-sided
    n_partitions: int  # of the targets that the p-value compares, the given one included
    exact: bool  # whether those are all there are


def association(
    words: Float[np.ndarray, "words dim"], attributes_a: Vectors, attributes_b: Vectors
) -> Float[np.ndarray, "words"]:
    """How much closer each word lies to the attributes A than to B: a value from −2 to 2.

    Raises InputError for an empty set, vectors of different lengths, and vectors that have no
    direction or are not finite.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing import association
        >>> words = np.array([[1.0, 0.0], [1.0, 1.0]])
        >>> association(words, np.array([[2.0, 0.0]]), np.array([[0.0, 3.0]])).tolist()
        [1.0, 0.0]
    """
    words, attributes_a, attributes_b = _unit(words, attributes_a, attributes_b)
    # the mean of cosines is the cosine-like product with the mean of unit vectors
    return words @ (attributes_a.mean(axis=0) - attributes_b.mean(axis=0))


def association_test(
    targets_x: Vectors,
    targets_y: Vectors,
    attributes_a: Vectors,
    attributes_b: Vectors,
    rng: np.random.Generator,
    max_partitions: int = 100_000,
) -> AssociationTest:
    """The WEAT: effect size, and a permutation test over partitions of the targets.

    The p-value is the fraction of partitions into sets of the same sizes whose X lies at least as
    close to A. With up to `max_partitions` of them all are tried; otherwise the given one and
    random others, that many together, which makes the p-value positive (Phipson and Smyth, 2010).
    As the SEAT's authors do it (W4ngatang/sent-bias, weat.py): a partition as extreme as the
    given one counts, and the standard deviation is that of a sample (n − 1). Unlike there,
    sizes of X and Y may differ, and what is equal but for rounding counts as equal.

    Raises InputError as `association` does, and where all associations are the same, as in a
    model whose embeddings are all equal.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing import association_test
        >>> a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
        >>> x, y = np.array([[3.0, 1.0], [2.0, 1.0]]), np.array([[1.0, 3.0], [1.0, 2.0]])
        >>> test = association_test(x, y, a, b, np.random.default_rng(0))
        >>> round(test.p_value, 3), test.n_partitions, test.exact  # 1 of 4 over 2 = 6
        (0.167, 6, True)
    """
    of_x = association(targets_x, attributes_a, attributes_b)
    of_y = association(targets_y, attributes_a, attributes_b)
    size = effect_size(of_x, of_y)
    if max_partitions < 1:
        raise InputError(
            f"max_partitions={max_partitions} allows no test; ask for thousands of them."
        )
    both = np.concatenate([of_x, of_y])
    p_value, tried, exact = _permutation_test(both, len(of_x), rng, max_partitions)
    return AssociationTest(effect_size=size, p_value=p_value, n_partitions=tried, exact=exact)


def effect_size(of_x: Associations, of_y: Associations) -> float:
    """The difference of two sets' mean associations, in standard deviations of all of them.

    Raises InputError where all associations are the same.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing import effect_size
        >>> round(effect_size(np.array([1.0, 2.0]), np.array([0.0, 1.0])), 3)  # 1 / 0.816
        1.225
    """
    spread = float(np.concatenate([of_x, of_y]).std(ddof=1)) if len(of_x) + len(of_y) > 1 else 0.0
    if spread <= ROUNDING:
        raise InputError(
            "All targets have the same association, so there is no effect to measure; check that "
            "the two sets of targets and of attributes differ."
        )
    return float(of_x.mean() - of_y.mean()) / spread


def effect_size_interval(
    of_x: Associations,
    of_y: Associations,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Percentile bootstrap of the effect size: the targets of X, and those of Y, drawn anew.

    How far it would move with other words of the same two kinds; the attributes stay. A set of
    one target gives infinite ends. Raises InputError as `effect_size` does.

    Example:
        >>> import numpy as np
        >>> from albert_lib.probing import effect_size_interval
        >>> x, y = np.array([1.0, 2.0, 1.5]), np.array([0.0, 1.0, 0.2])
        >>> interval = effect_size_interval(x, y, np.random.default_rng(0))
        >>> interval.low <= interval.mean <= interval.high, interval.n_values
        (True, 6)
    """
    size = effect_size(of_x, of_y)

    def sizes(x: Drawn, y: Drawn) -> Float[np.ndarray, "resamples"]:
        drawn_x, drawn_y = of_x[x], of_y[y]
        spread = np.concatenate([drawn_x, drawn_y], axis=1).std(axis=1, ddof=1)
        spread[spread <= ROUNDING] = np.nan  # one value drawn again and again has no effect size
        return np.asarray((drawn_x.mean(axis=1) - drawn_y.mean(axis=1)) / spread)

    ends = percentile_bootstrap((len(of_x), len(of_y)), sizes, rng, confidence, resamples)
    return Interval(size, *ends, confidence, len(of_x) + len(of_y))


def static_embeddings(
    model: AlbertModel | TransformersEncoder, tokenizer: AnyTokenizer, words: Sequence[str]
) -> Vectors:
    """The input embedding of every word, before any context: (words, embedding_size).

    A word's tokens are those that it has within a text. Of several it is their mean, which is not
    the same thing: check with
    `single_token_words` how many have one. Raises InputError for a word without a token.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, static_embeddings
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> vectors = static_embeddings(model.model.albert, model.tokenizer, ["nurse", "doctor"])
        >>> vectors.shape == (2, model.model.config.embedding_size)
        True
    """
    if isinstance(model, AlbertModel):
        weights: Tensor = model.embeddings.word_embeddings.weight
    else:
        weights = model.word_embeddings
    table = weights.detach().double().cpu().numpy()
    vectors = []
    for word in words:
        ids = _ids_within_text(tokenizer, word)
        if not ids:
            raise InputError(f"{word!r} has no token and so no embedding; leave it out.")
        vectors.append(table[ids].mean(axis=0))
    return np.array(vectors).reshape(len(vectors), table.shape[1])


def _ids_within_text(tokenizer: AnyTokenizer, word: str) -> list[int]:
    """The tokens of a word behind another, which RoBERTa's at the beginning of a text are not."""
    if isinstance(tokenizer, TransformersTokenizer):
        return [tokenizer.piece_id(piece) for piece in tokenizer.word_pieces(word)]
    return tokenizer.encode(word, add_special_tokens=False)


def sentence_embeddings(
    features: Features, texts: Sequence[str], pooling: Pooling = "cls"
) -> Vectors:
    """One vector of the last layer a text: that of [CLS], or the mean over the text's tokens.

    The SEAT takes [CLS]. In the mean, [CLS] and [SEP] are left out. Raises InputError for a
    text without tokens or longer than the model's positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import Features, sentence_embeddings
        >>> features = Features.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> vectors = sentence_embeddings(features, ["This is a nurse.", "He is here."], "mean")
        >>> vectors.shape == (2, features.model.config.hidden_size)
        True
    """
    if pooling not in ("cls", "mean"):
        raise InputError(f"pooling={pooling!r} is unknown; choose from cls, mean.")
    vectors = []
    for text, of_text in zip(texts, features(list(texts)), strict=True):
        ordinary = torch.from_numpy(~features.tokenizer.is_special[of_text.input_ids.numpy()])
        if not ordinary.any():
            raise InputError(f"{text!r} has no token to embed; leave it out.")
        states = of_text.last_hidden_state.double()
        vectors.append(states[0] if pooling == "cls" else states[ordinary].mean(dim=0))
    if not vectors:
        return np.empty((0, features.model.config.hidden_size))
    return torch.stack(vectors).numpy()


def _permutation_test(
    associations: Associations,
    n_x: int,
    rng: np.random.Generator,
    max_partitions: int,
) -> tuple[float, int, bool]:
    """(p-value, partitions tried, whether those are all); the first `n_x` targets are X.

    Sums over X alone are compared: the rest of the total belongs to Y, so they order the
    partitions as the differences of means do.
    """
    n_targets = len(associations)
    given = associations[:n_x].sum()
    at_least = given - 1e-9 * np.abs(associations).sum()
    n_all = math.comb(n_targets, n_x)
    exact = n_all <= max_partitions
    if exact:
        hits, tried, draws = 0, n_all, _all_partitions(n_targets, n_x)
    else:  # the given partition counts as one of those tried
        hits, tried = 1, max_partitions
        draws = _random_partitions(n_targets, n_x, max_partitions - 1, rng)
    for chosen in draws:
        hits += int((associations[chosen].sum(axis=1) >= at_least).sum())
    return hits / tried, tried, exact


def _all_partitions(n_targets: int, n_x: int) -> Iterator[Int[np.ndarray, "partitions chosen"]]:
    """Yield every choice of the targets that are X, CHUNK choices at a time."""
    ways = combinations(range(n_targets), n_x)
    while chunk := list(islice(ways, CHUNK)):
        yield np.fromiter(chain.from_iterable(chunk), dtype=np.int64).reshape(len(chunk), n_x)


def _random_partitions(
    n_targets: int, n_x: int, count: int, rng: np.random.Generator
) -> Iterator[Int[np.ndarray, "partitions chosen"]]:
    """Yield `count` random choices of the targets that are X, independent of one another."""
    for start in range(0, count, CHUNK):
        rows = np.tile(np.arange(n_targets), (min(CHUNK, count - start), 1))
        yield rng.permuted(rows, axis=1)[:, :n_x]


def _unit(*sets: Vectors) -> list[Vectors]:
    """Every vector divided by its length, after checks."""
    scaled = []
    for vectors in sets:
        vectors = np.asarray(vectors, dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) == 0:
            raise InputError("A set of vectors is empty; give at least one word of each kind.")
        if vectors.shape[1] != np.shape(sets[0])[1]:
            raise InputError(
                f"Vectors of {vectors.shape[1]} and of {np.shape(sets[0])[1]} numbers have no "
                f"angle; take all from the same model and layer."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise InputError(
                "A vector is zero or not finite, so it has no direction; leave it out."
            )
        scaled.append(vectors / lengths)
    return scaled
