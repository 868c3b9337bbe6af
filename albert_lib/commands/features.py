"""features: the hidden states of texts, printed and as a NumPy file."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from albert_lib.commands.computing import add_computing_arguments, computing, difference_line
from albert_lib.commands.texts import add_model_argument, add_text_arguments, columns, texts_from
from albert_lib.errors import InputError
from albert_lib.files import new_file, ready_beside
from albert_lib.paths import place_to_write
from albert_lib.probing.features import Features, TextFeatures

SHOWN = 5  # numbers of each vector
CONTENTS = "input_ids_0, pieces_0 and last_hidden_state_0 of the first text and so on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_text_arguments(parser, 'a text, such as "Replace me by any text you\'d like."')
    add_model_argument(parser)
    add_computing_arguments(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="FILE.npz",
        help=f"write everything to a file for numpy.load: texts, {CONTENTS}, and pooler_output",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for every token: the token, its id, its vector's norm and first numbers."""
    texts = texts_from(options)
    if "output" in options:
        check_output(options.output)  # now, and not after all the texts
    features = Features.from_pretrained(options.model, **computing(options))(texts)
    if options.precision != "float32":
        exact = Features.from_pretrained(options.model, **computing(options, "float32"))(texts)
        difference = max(
            float((one.last_hidden_state - other.last_hidden_state).abs().max())
            for one, other in zip(features, exact, strict=True)
        )
        print(difference_line(options, "number", difference))
    if "output" in options:
        write_features(options.output, texts, features)
    for text, of_text in zip(texts, features, strict=True):
        print_features(text, of_text)
    if "output" in options:
        print(f"{options.output}: texts, {CONTENTS}")
    return 0


def check_output(path: Path) -> None:
    """Raise InputError or WriteError unless a file can be written there."""
    if path.is_dir() or not path.name:
        raise InputError(f"{path} is a folder; name a file in it, such as features.npz.")
    if not path.parent.is_dir():
        raise InputError(
            f"{path} cannot be written ({os.strerror(errno.ENOENT)}); name a file in a folder that "
            f"exists."
        )
    place_to_write(path, folder=False)
    ready_beside(path)


def print_features(text: str, features: TextFeatures) -> None:
    """Print the first numbers of one text's features."""
    length, width = features.last_hidden_state.shape
    print(f"{text}\n  last_hidden_state: {length} tokens × {width} numbers")
    heading = ("token", "id", "length", f"first {min(SHOWN, width)} numbers")
    rows = [
        (token, str(token_id), f"{vector.norm():.3f}", first_numbers(vector))
        for token, token_id, vector in zip(
            features.tokens, features.input_ids.tolist(), features.last_hidden_state, strict=True
        )
    ]
    for line in columns([heading, *rows], right=(False, True, True, False)):
        print(f"    {line}")
    if features.pooler_output is None:
        print("  pooler_output: none, this model was saved without a pooler")
    else:
        print(f"  pooler_output: {width} numbers, {first_numbers(features.pooler_output)}")


def first_numbers(vector: Float[Tensor, "hidden"]) -> str:
    """The first numbers of a vector, in columns."""
    shown = " ".join(f"{number:8.4f}" for number in vector[:SHOWN].tolist())
    return shown + (" …" if len(vector) > SHOWN else "")


def write_features(path: Path, texts: Sequence[str], features: Sequence[TextFeatures]) -> None:
    """Write an .npz that opens with allow_pickle=False, replacing `path` in one step.

    Keys: texts; for text i input_ids_i (seq,), pieces_i (seq,) and last_hidden_state_i
    (seq, hidden); pooler_output (texts, hidden) where there is a pooler. Raises WriteError if
    the file cannot be written.
    """
    arrays = {"texts": np.array(texts)}
    for number, of_text in enumerate(features):
        arrays[f"input_ids_{number}"] = of_text.input_ids.numpy()
        arrays[f"pieces_{number}"] = np.array(of_text.tokens)
        arrays[f"last_hidden_state_{number}"] = of_text.last_hidden_state.numpy()
    pooled = [f.pooler_output.numpy() for f in features if f.pooler_output is not None]
    if pooled:
        arrays["pooler_output"] = np.stack(pooled)
    with new_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # mypy takes them for savez's options
