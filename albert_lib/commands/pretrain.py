"""pretrain: train a model on a corpus, given its size and a recipe."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import torch

from albert_lib.commands.build_corpus import HELD_OUT_EVERY, build_corpus, refuse_other_text
from albert_lib.commands.sources import SOURCE_HELP, add_tokenizer_argument
from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.diagnosis import Measurements
from albert_lib.finetuning.finetune import FinetuningRun
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training import PretrainingRun, Recipe, choose_precision, distributed
from albert_lib.training.recipe import NESTED
from albert_lib.training.recipe_file import read_recipe

SIZES = {  # flag → field of AlbertConfig, and the small model's value
    "embedding_size": 128,
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
}
MASKING_HELP = {
    "rate": "masking rate: fraction of the tokens that are masked",
    "max_ngram": "longest masked span, in words",
    "max_predictions": "most masked tokens in a sequence; by default no limit",
    "mask_probability": "how often a masked token is shown as [MASK] …",
    "random_probability": "… or as a random token; else as it is",
}
MANY_PROCESSES = """
Many processes: torchrun starts this same command once for each GPU, or for each group of CPU
cores. Each process makes its rows of every batch (--batch-size counts the whole batch):
torchrun --nproc-per-node 8 --max-restarts 3 -m albert_lib pretrain ...
On two machines, run this on both, with --output and --corpus on a disk that both see:
torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint FIRST_MACHINE:29400
-m albert_lib pretrain ...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.epilog = MANY_PROCESSES
    parser.add_argument(
        "--corpus",
        required=True,
        metavar="CORPUS",
        help=f"a folder that build-corpus wrote, a single store, or a text source: {SOURCE_HELP}",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for the run")
    add_tokenizer_argument(parser)
    parser.add_argument(
        "--device", default=None, help="cpu, cuda, …; by default a GPU if there is one"
    )
    add_size_arguments(parser)
    add_recipe_arguments(parser)


def add_size_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what the model's configuration is made from."""
    size = parser.add_argument_group("size of the model (its vocabulary is the tokenizer's)")
    whole = size.add_mutually_exclusive_group()
    whole.add_argument("--preset", help=f"one of {', '.join(AlbertConfig.presets())}")
    whole.add_argument("--config", help="a config.json, of albert_lib or Hugging Face")
    for name, value in SIZES.items():
        size.add_argument(
            flag(name), type=int, help=f"{value}, unless --preset or --config is given"
        )
    size.add_argument(
        "--as-google",
        action="store_true",
        help="follow Google's code where Hugging Face's differs: dropout, initial weights, …",
    )


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Make a flag of every field of Recipe and MaskingConfig, but the stages."""
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument(
        "--recipe",
        metavar="FILE",
        help="a TOML file with these fields, and with stages, which have no flags; "
        "what is given here beside it is used instead",
    )
    for name, meaning in Recipe.meanings().items():
        if name not in NESTED:
            add_field(recipe, name, getattr(Recipe(), name), meaning)
    for name, meaning in MASKING_HELP.items():
        add_field(recipe, f"masking_{name}", getattr(MaskingConfig(), name), meaning)


def add_field(group: Any, name: str, default: Any, meaning: str) -> None:
    """Make a flag of a field; where it is not given, its value is None."""
    if isinstance(default, bool):
        group.add_argument(flag(name), action=argparse.BooleanOptionalAction, help=meaning)
        return
    kind = int if default is None else type(default)
    shown = "" if default is None else f" (default: {default})"
    group.add_argument(flag(name), type=kind, help=meaning + shown)


def flag(name: str) -> str:
    """Return a field's name as a command-line flag."""
    return "--" + name.replace("_", "-")


def run(options: argparse.Namespace) -> int:
    """Train or resume, on every process that torchrun started; the first one prints."""
    with distributed.joined(options.device) as device:
        recipe = recipe_from(options)
        tokenizer = AlbertTokenizer.from_pretrained(options.tokenizer)
        config = config_from(options, tokenizer)
        store, held_out = open_corpus(options, tokenizer)
        torch.manual_seed(recipe.seed)
        model = AlbertForPreTraining(config).to(device)
        say(f"{model.num_parameters():,} parameters; {store!r}")
        training = PretrainingRun(model, store, tokenizer, recipe, output=options.output)
        say(f"Matrix products in {describe_precision(training, device)}; --precision changes it.")
        history = training.train(held_out=held_out, measure=Measurements)
        last = history.rows[-1]
        for name in (name for name in last if name.startswith("held_out_")):
            say(f"{name.replace('_', ' ')}: {last[name]:.4f}")
        say(f"The run is in {options.output}.")
    return 0


def describe_precision(run: PretrainingRun | FinetuningRun, device: torch.device) -> str:
    """Return the precision of a run, with the reason for it."""
    choice = choose_precision(device, run.recipe.precision)
    if run.dtype == choice.dtype:
        return str(choice)
    return f"{str(run.dtype).removeprefix('torch.')} (as when the run started)"


def say(line: str) -> None:
    """Print a line once, however many processes there are."""
    if distributed.is_first():
        print(line, flush=True)


def recipe_from(options: argparse.Namespace) -> Recipe:
    """Return the recipe of the file, if one is named, with what the command line gives."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    fields = {name: given[name] for name in Recipe.meanings() if name in given}
    masking = {
        name: given[f"masking_{name}"] for name in MASKING_HELP if f"masking_{name}" in given
    }
    if masking:
        fields["masking"] = masking
    return read_recipe(options.recipe, **fields) if options.recipe else Recipe.from_dict(fields)


def config_from(options: argparse.Namespace, tokenizer: AlbertTokenizer) -> AlbertConfig:
    """Build the model's configuration from a preset, a file, or sizes."""
    sizes = {name: value for name in SIZES if (value := getattr(options, name)) is not None}
    if options.preset or options.config:
        chosen = (
            AlbertConfig.preset(options.preset)
            if options.preset
            else AlbertConfig.from_json(options.config)
        )
    else:
        sizes = {**SIZES, **sizes}
        sizes["intermediate_size"] = 4 * sizes["hidden_size"]
        chosen = AlbertConfig()
    chosen = chosen.resize(**sizes, vocab_size=tokenizer.vocab_size)
    return chosen.as_google() if options.as_google else chosen


def is_store(folder: Path) -> bool:
    """Whether a folder holds a token store."""
    return (folder / "store.json").is_file()


def build_or_go_on_with(corpus: Path, source: str, tokenizer: AlbertTokenizer) -> None:
    """Build a run's own corpus, if it is missing; StoreError if it is of another text."""
    if is_store(corpus / "held-out"):
        refuse_other_text(corpus, source)
    else:
        build_corpus([source], tokenizer, corpus, HELD_OUT_EVERY)


def open_corpus(
    options: argparse.Namespace, tokenizer: AlbertTokenizer
) -> tuple[TokenStore, TokenStore | None]:
    """Open the corpus, with its held-out part if it has one; a text is built into one first.

    One process builds, the others wait. Raises StoreError when the output holds a corpus that was
    built from another text.
    """
    corpus = Path(options.corpus)
    # The first process decides for all; one that does not see the same disk then fails.
    if distributed.broadcast_json(is_store(corpus)):
        return opened_whole(corpus), None
    if not distributed.broadcast_json(is_store(corpus / "train")):
        corpus = options.output / "corpus"
        distributed.run_on_first(partial(build_or_go_on_with, corpus, options.corpus, tokenizer))
    held_out = corpus / "held-out"
    return opened_whole(corpus / "train"), opened_whole(held_out) if held_out.is_dir() else None


def opened_whole(folder: Path) -> TokenStore:
    """Open a store whose bytes are what was written: a run on it may last for hours."""
    store = TokenStore.open(folder)
    distributed.run_on_first(store.verify)
    return store
