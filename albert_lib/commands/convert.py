"""convert: Google's original TensorFlow download to a folder of ours."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch

from albert_lib.errors import CheckpointError, TokenizerError
from albert_lib.files import new_folder
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.model.tensorflow_checkpoint import (
    ConvertedModel,
    build_model,
    google_config,
    read_variables,
)
from albert_lib.text import AlbertTokenizer

CONFIG_FILE = "albert_config.json"
WHAT_IT_PREDICTS: dict[type[ConvertedModel], str] = {
    AlbertForPreTraining: "encoder, pooler, MLM head and SOP head",
    AlbertForMaskedLM: "encoder and MLM head",
    AlbertModel: "encoder and pooler, no head",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help=f"Google's folder, with {CONFIG_FILE}, 30k-clean.model and model.ckpt-best.index and "
        f".data-…, or one checkpoint in it: folder/model.ckpt-best",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="new folder for the model and its tokenizer"
    )


def run(options: argparse.Namespace) -> int:
    """Convert, read the result back, and say what was written."""
    model = convert(options.source, options.output)
    print(
        f"{options.output}: {WHAT_IT_PREDICTS[type(model)]}; {model.num_parameters():,} parameters"
    )
    return 0


def convert(source: Path, output: Path) -> ConvertedModel:
    """Write the folder `output` from a checkpoint of google-research/albert; return its model.

    `source` is the folder of one checkpoint, or the path that the names of its files begin
    with. Raises CheckpointError, ConfigError or TokenizerError for what is missing, damaged or
    does not belong together; until everything is read and fits, nothing is written.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CheckpointError(f"{output} is not empty; name a new folder for the converted model.")
    prefix = find_checkpoint(source)
    config = google_config(prefix.parent / CONFIG_FILE)
    tokenizer = read_tokenizer(prefix.parent)
    if tokenizer.vocab_size != config.vocab_size:
        raise TokenizerError(
            f"The SentencePiece model in {prefix.parent} has {tokenizer.vocab_size} pieces, but "
            f"{CONFIG_FILE} says vocab_size={config.vocab_size}; use the files of one download."
        )
    model = build_model(read_variables(prefix), config, str(prefix))
    with new_folder(output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    check_written(model, output)
    return model


def find_checkpoint(source: Path) -> Path:
    """The path that a checkpoint's file names begin with; CheckpointError unless there is one."""
    if not source.is_dir():
        prefix = source.with_name(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", source.name))
        if prefix.with_name(f"{prefix.name}.index").is_file():
            return prefix
        raise CheckpointError(
            f"{source} is neither a folder nor a checkpoint ({prefix.name}.index is not there); "
            f"give the folder that Google's download unpacks to."
        )
    found = sorted(source.glob("*.index"))
    if not found:
        raise CheckpointError(
            f"{source} holds no checkpoint (no file ends in .index); give the folder with Google's "
            f"model.ckpt-best.index."
        )
    if len(found) > 1:
        raise CheckpointError(
            f"{source} holds several checkpoints ({', '.join(file.stem for file in found)}); "
            f"name one, such as {found[0].with_suffix('')}."
        )
    return found[0].with_suffix("")


def read_tokenizer(folder: Path) -> AlbertTokenizer:
    """The tokenizer of the one SentencePiece model in a folder, lower-casing as all of Google's."""
    found = sorted(folder.glob("*.model"))
    if len(found) != 1:
        what = ", ".join(file.name for file in found) or "none"
        raise TokenizerError(
            f"{folder} must hold one SentencePiece model (it holds {what}); keep there the "
            f"30k-clean.model of Google's download."
        )
    try:
        return AlbertTokenizer(found[0].read_bytes())
    except TokenizerError as problem:
        raise TokenizerError(f"{found[0]} cannot be used. {problem}") from None


def check_written(model: ConvertedModel, folder: Path) -> None:
    """Read the folder back; CheckpointError unless every number is as it was in memory."""
    AlbertTokenizer.from_pretrained(folder)
    written = dict(type(model).from_pretrained(folder).named_parameters())
    wrong = [
        name for name, value in model.named_parameters() if not torch.equal(value, written[name])
    ]
    if wrong:
        raise CheckpointError(
            f"{folder} was written but {', '.join(wrong)} came back otherwise; check the disk and "
            f"convert again."
        )
