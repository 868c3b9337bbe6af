"""convert: a TensorFlow checkpoint as Google published it, to a Hugging Face folder."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch

from albert_lib.errors import CheckpointError, TokenizerError
from albert_lib.files import new_folder, ready_beside
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.model.tensorflow_checkpoint import (
    ConvertedModel,
    build_model,
    google_config,
    read_variables,
)
from albert_lib.paths import open_folder
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
        help=f"folder of Google's download, with {CONFIG_FILE}, 30k-clean.model, "
        f"model.ckpt-best.index and .data-…; or one checkpoint in it: folder/model.ckpt-best",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="new folder for the model and its tokenizer"
    )


def run(options: argparse.Namespace) -> int:
    """Convert the checkpoint, read the result back, and print what was written."""
    model = convert(options.source, options.output)
    print(
        f"{options.output}: {WHAT_IT_PREDICTS[type(model)]}; {model.num_parameters():,} parameters"
    )
    return 0


def convert(source: Path, output: Path) -> ConvertedModel:
    """Write the folder `output` from a checkpoint of google-research/albert; return its model.

    `source` is the folder of one checkpoint, or the common prefix of its files' paths. Raises
    CheckpointError, ConfigError or TokenizerError for files that are missing, damaged or do not
    belong together; nothing is written before all of them are read and checked.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CheckpointError(f"{output} is not empty; name a new folder for the converted model.")
    prefix = find_checkpoint(source)
    ready_beside(output)
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
    """The common prefix of a checkpoint's files; CheckpointError unless there is exactly one."""
    if not source.is_dir():
        prefix = source.with_name(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", source.name))
        if prefix.with_name(f"{prefix.name}.index").is_file():
            return prefix
        raise CheckpointError(
            f"{source} is neither a folder nor a checkpoint ({prefix.name}.index does not "
            f"exist); give the folder that Google's download unpacks to."
        )
    found = sorted(open_folder(source, CheckpointError).glob("*.index"))
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
    """The tokenizer of the only SentencePiece model in a folder; lower-case, like Google's."""
    found = sorted(folder.glob("*.model"))
    if len(found) != 1:
        what = ", ".join(file.name for file in found) or "none"
        raise TokenizerError(
            f"{folder} must hold one SentencePiece model (it holds {what}); leave "
            f"only the 30k-clean.model of Google's download there."
        )
    try:
        return AlbertTokenizer(found[0].read_bytes())
    except TokenizerError as problem:
        raise TokenizerError(f"{found[0]} cannot be used. {problem}") from None


def check_written(model: ConvertedModel, folder: Path) -> None:
    """Read the folder back; CheckpointError unless every weight is the same as in memory."""
    AlbertTokenizer.from_pretrained(folder)
    written = dict(type(model).from_pretrained(folder).named_parameters())
    wrong = [
        name for name, value in model.named_parameters() if not torch.equal(value, written[name])
    ]
    if wrong:
        raise CheckpointError(
            f"{folder} was written, but {', '.join(wrong)} differs when read back; check the disk "
            f"and convert again."
        )
