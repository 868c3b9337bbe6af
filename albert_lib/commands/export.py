"""export: a model as ONNX, for programs that know neither PyTorch nor this library."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from albert_lib import model as models
from albert_lib.checksums import SUMS, write_sums
from albert_lib.commands.texts import add_model_argument
from albert_lib.engines.graph import import_onnx
from albert_lib.engines.onnx_files import ONNX_FILE, RECORD_FILE, write_onnx
from albert_lib.errors import CheckpointError, InputError
from albert_lib.files import new_folder, read_json, ready_beside
from albert_lib.finetuning.loading import NEW_WEIGHTS
from albert_lib.hub import resolve_folder
from albert_lib.model.weights import PretrainedModel
from albert_lib.probing.loading import fitting_tokenizer

# A head by the name of what it does, and the kinds of model that have it, the best first.
HEADS = {
    "fill-mask": ("AlbertForPreTraining", "AlbertForMaskedLM"),
    "features": ("AlbertModel",),
    "classes": ("AlbertForSequenceClassification",),
    "choices": ("AlbertForMultipleChoice",),
    "tokens": ("AlbertForTokenClassification",),
    "spans": ("AlbertForQuestionAnswering",),
    "spans-or-none": ("AlbertForConditionedSpans",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_model_argument(parser)
    parser.add_argument(
        "--onnx",
        type=Path,
        required=True,
        metavar="FOLDER",
        help=f"new folder for {ONNX_FILE}, config.json, the tokenizer and {RECORD_FILE}",
    )
    parser.add_argument(
        "--head",
        choices=HEADS,
        default=argparse.SUPPRESS,
        help="what the model is to do: fill masks, give features, score classes of texts, choices, "
        "classes of tokens, answers' starts and ends (SQuAD 1.1), or these and no answer (SQuAD "
        "2.0); default: what the folder's config.json says it was saved as",
    )


def run(options: argparse.Namespace) -> int:
    """Export the model, and print the file's size beside that of the weights."""
    model, size = export(options.model, options.onnx, getattr(options, "head", None))
    weights = 4 * model.num_parameters()
    applied = model.config.num_hidden_layers
    print(
        f"{options.onnx / ONNX_FILE}: {type(model).__name__}, {size / 1e6:,.1f} MB, "
        f"{size / weights:.3f} times its {model.num_parameters():,} weights in float32; its layers "
        f"are applied {applied} times."
    )
    return 0


def export(name_or_path: str, output: Path, head: str | None = None) -> tuple[PretrainedModel, int]:
    """Write the folder `output`; return the model and the bytes of its model.onnx.

    Raises CheckpointError, ConfigError or TokenizerError for a model that is missing, damaged or
    has no such head, WriteError where the folder cannot be written; nothing is written before
    the model was read.
    """
    import_onnx()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CheckpointError(f"{output} is not empty; name a new folder for the exported model.")
    ready_beside(output)
    weights = resolve_folder(name_or_path, "weights")
    model = load_with_head(weights, name_or_path, head or saved_head(weights))
    tokenizer = fitting_tokenizer(name_or_path, model.config)
    with new_folder(output) as folder:
        size = write_onnx(folder, model, weights)
        tokenizer.save_pretrained(folder)
        write_sums(folder, sorted({path.name for path in folder.iterdir()} - {SUMS}))
    return model, size


def saved_head(folder: Path) -> str:
    """The head of the model that a folder's config.json names; fill-mask where it names none.

    Raises InputError for a kind of model that is not known.
    """
    config = read_json(folder / "config.json")
    named = config.get("architectures") if isinstance(config, dict) else None
    if not isinstance(named, list) or not named:
        return "fill-mask"
    for head, kinds in HEADS.items():
        if named[0] in kinds:
            return head
    raise InputError(
        f"{folder / 'config.json'} names a {named[0]}, which is no model that can be exported; say "
        f"with --head what it is to do."
    )


def load_with_head(folder: Path, name: str, head: str) -> PretrainedModel:
    """Load the first kind of model with that head; CheckpointError where the folder has none."""
    if head not in HEADS:
        raise InputError(f"{head!r} is no head; give one of {', '.join(HEADS)}.")
    problems: list[CheckpointError] = []
    for kind in HEADS[head]:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message=f".*{NEW_WEIGHTS}")
                model: PretrainedModel = getattr(models, kind).from_pretrained(folder)
            return model
        except CheckpointError as problem:
            problems.append(problem)
        except UserWarning:
            raise CheckpointError(
                f"{name} has no trained head for {head}; export the head that it has, or make one "
                f"with `python -m albert_lib finetune`."
            ) from None
    raise problems[-1]
