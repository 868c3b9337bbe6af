"""Loading a model that is to be asked: by PyTorch or an engine, in float32 or bfloat16."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from albert_lib.config import AlbertConfig
from albert_lib.engines import ENGINES, load_engine_model
from albert_lib.engines.engine_model import first_that_loads
from albert_lib.engines.onnx_files import ONNX_FILE, is_exported
from albert_lib.errors import CheckpointError, InputError, TokenizerError, counted, quoted
from albert_lib.hub import WEIGHTS_FILE, resolve_folder
from albert_lib.model.bfloat16 import check_bfloat16, compute_in_bfloat16
from albert_lib.model.layout import store_for_few_tokens
from albert_lib.probing.inputs import answer_ids, fits_model
from albert_lib.probing.transformers_models import (
    TransformersMaskedLM,
    load_masked_model,
)
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer
from albert_lib.text import AlbertTokenizer

AskedPrecision = Literal["float32", "bfloat16"]


def load_asked_model(
    name_or_path: str | os.PathLike[str],
    kinds: list[str],
    engine: str | None = None,
    precision: str = "float32",
) -> Any:
    """Load an ALBERT of the first of `kinds` that the folder holds, in evaluation mode.

    With an engine it is an EngineModel. Raises InputError for an engine or a precision that is not
    known or not to be had on this processor, and what loading a model raises.

    Example:
        >>> model = load_asked_model("albert-mini-en", ["AlbertForMaskedLM"], "openvino")
        >>> type(model).__name__, model.kind
        ('EngineModel', 'AlbertForMaskedLM')
    """
    check_precision(precision)
    if engine is not None:
        return load_engine_model(name_or_path, kinds, engine, precision)
    folder = resolve_folder(name_or_path, "weights")
    if is_exported(folder) and not any(folder.glob("*.safetensors")):
        raise CheckpointError(
            f"{folder} holds {ONNX_FILE} and no {WEIGHTS_FILE}; give an engine to run it "
            f"({' or '.join(ENGINES)})."
        )
    model = first_that_loads(name_or_path, kinds)
    if precision == "bfloat16":
        compute_in_bfloat16(model)
    store_for_few_tokens(model)
    return model


def load_other_model(
    name_or_path: str | os.PathLike[str], engine: str | None, precision: str
) -> tuple[TransformersMaskedLM, TransformersTokenizer]:
    """Load a masked model that is no ALBERT; InputError where more than PyTorch is asked for.

    Example:
        >>> load_other_model("bert-base-cased", "openvino", "float32")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.InputError: bert-base-cased is no ALBERT, and such models run in ...
    """
    if engine is not None or precision != "float32":
        wanted = f"engine {engine}" if engine is not None else precision
        raise InputError(
            f"{name_or_path} is no ALBERT, and such models run in PyTorch and float32 alone; "
            f"leave {wanted} out."
        )
    return load_masked_model(name_or_path)


def fitting_tokenizer(
    name_or_path: str | os.PathLike[str], config: AlbertConfig
) -> AlbertTokenizer:
    """The tokenizer of an ALBERT's folder or hub id.

    Raises TokenizerError, naming the folder, where it is not the one of the model.

    Example:
        >>> fitting_tokenizer("albert-mini-en", AlbertConfig(vocab_size=8000)).vocab_size
        8000
    """
    tokenizer = AlbertTokenizer.from_pretrained(name_or_path)
    check_tokenizer(name_or_path, tokenizer, config)
    return tokenizer


def check_tokenizer(
    name_or_path: str | os.PathLike[str], tokenizer: AlbertTokenizer, config: AlbertConfig
) -> None:
    """Raise TokenizerError, naming the folder, where this is not the tokenizer of the model.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> check_tokenizer("albert-mini-en", tokenizer, AlbertConfig(vocab_size=8000))
    """
    if fits_model(tokenizer, config):
        return
    rows, learnt = config.vocab_size, len(answer_ids(tokenizer))
    if learnt <= rows < tokenizer.vocab_size:  # what is forgotten after transformers' add_tokens
        raise TokenizerError(
            f"{name_or_path}: {counted(tokenizer.vocab_size - learnt, 'added token')} after the "
            f"{learnt} of the vocabulary, but config.json says vocab_size={rows}; in transformers "
            f"call model.resize_token_embeddings(len(tokenizer)) and save the model again, or put "
            f"the tokenizer there that it was trained with."
        )
    raise TokenizerError(
        f"{name_or_path}: spiece.model has {tokenizer.vocab_size} tokens but config.json "
        f"says vocab_size={rows}; put the spiece.model there that the model was trained with."
    )


def check_precision(precision: str) -> None:
    """Raise InputError unless the precision is known, and this processor computes in it.

    Example:
        >>> check_precision("float32")
    """
    if precision not in get_args(AskedPrecision):
        raise InputError(
            f"{quoted(precision)} is no precision; give {' or '.join(get_args(AskedPrecision))}."
        )
    if precision == "bfloat16":
        check_bfloat16()
