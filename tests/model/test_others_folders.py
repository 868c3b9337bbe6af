"""Model folders that others wrote: read as they mean it, or refused in a sentence."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertModel, FillMask
from albert_lib.config_values import ACTIVATION_NAMES
from albert_lib.errors import CheckpointError, ConfigError, InputError, TokenizerError
from albert_lib.model.layer import ACTIVATIONS
from albert_lib.probing import Features, compare_top_k

IDS = torch.randint(5, 100, (3, 11), generator=torch.Generator().manual_seed(0))
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"


@pytest.fixture
def folder(tmp_path: Path, tiny: AlbertConfig) -> Path:
    torch.manual_seed(0)
    AlbertModel(tiny.replace(initializer_range=0.3)).save_pretrained(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()  # others write none
    return tmp_path


def change_config(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@torch.no_grad()
@pytest.mark.parametrize("name", [*ACTIVATIONS, *ACTIVATION_NAMES])
def test_activations_are_those_of_transformers(folder: Path, name: str) -> None:
    change_config(folder, hidden_act=name)
    ours = AlbertModel.from_pretrained(folder)
    theirs = transformers.AlbertModel.from_pretrained(folder).eval()
    assert (ours(IDS).last_hidden_state - theirs(IDS).last_hidden_state).abs().max() < 1e-5
    assert ours.config.replace(hidden_act=name) == ours.config
    if name not in ("gelu", "gelu_python", "gelu_10"):
        assert (ours(IDS)[0] - AlbertModel.from_pretrained(folder, hidden_act="gelu")(IDS)[0]).any()


def renamed(old: str, new: str) -> Callable[[str], str]:
    return lambda name: re.sub(old, new, name)


@torch.no_grad()
@pytest.mark.parametrize(
    "rename",
    [
        renamed("^", "module."),
        renamed("^", "_orig_mod.module."),
        renamed("^(?!albert)", "model.albert."),
        renamed(r"(LayerNorm|layer_norm)\.weight$", r"\1.gamma"),
    ],
    ids=["DataParallel", "compiled", "Lightning", "gamma"],
)
def test_names_under_a_wrapper_and_of_old_are_the_same_weights(
    folder: Path, rename: Callable[[str], str]
) -> None:
    before = AlbertModel.from_pretrained(folder)(IDS).last_hidden_state
    file = folder / "model.safetensors"
    tensors = {name.removeprefix("albert."): each for name, each in load_file(file).items()}
    save_file({rename(name): tensor for name, tensor in tensors.items()}, file)
    assert {*load_file(file)} != {*tensors}
    assert torch.equal(AlbertModel.from_pretrained(folder)(IDS).last_hidden_state, before)


@torch.no_grad()
def test_whole_numbers_beside_the_weights_stop_nothing(folder: Path) -> None:
    before = AlbertModel.from_pretrained(folder)(IDS).last_hidden_state
    file = folder / "model.safetensors"
    buffers = {"embeddings.token_type_ids": torch.zeros(1, 32, dtype=torch.long)}
    save_file({**load_file(file), **buffers, "step": torch.tensor(7)}, file)
    with pytest.warns(UserWarning, match="also holds step, which no AlbertModel has; ignored"):
        again = AlbertModel.from_pretrained(folder)
    assert torch.equal(again(IDS).last_hidden_state, before)


@pytest.mark.parametrize("old", ["bert", "albert/", "albert.albert"])
def test_names_of_another_kind_are_told(folder: Path, old: str) -> None:
    file = folder / "model.safetensors"
    tensors = {name.removeprefix("albert."): each for name, each in load_file(file).items()}
    save_file({f"{old}.{name}": tensor for name, tensor in tensors.items()}, file)
    with pytest.raises(CheckpointError, match=r"does not name its weights as .*; rename them"):
        AlbertModel.from_pretrained(folder)


@torch.no_grad()
@pytest.mark.parametrize(
    "fields",
    [
        {"id2label": {"0": "x", "1": "x"}, "label2id": {"x": 1}},
        {"id2label": {"0": 3, "1": 4.5}},
        {"id2label": None, "num_labels": None},
        {"pad_token_id": -1},
        {"pad_token_id": None, "bos_token_id": None},
        {"eos_token_id": [3, 7], "bos_token_id": []},
        {"eos_token_id": -1},
        {"classifier_dropout_prob": None, "problem_type": None},
    ],
    ids=str,
)
def test_fields_that_no_answer_needs_stop_nothing(folder: Path, fields: dict[str, Any]) -> None:
    before = AlbertModel.from_pretrained(folder)(IDS)[0]
    change_config(folder, **fields)
    model = AlbertModel.from_pretrained(folder)
    assert torch.equal(model(IDS)[0], before)
    if fields.get("id2label"):
        expected = ("x (0)", "x (1)") if "label2id" in fields else ("3", "4.5")
        assert model.config.labels == expected
    if fields.get("pad_token_id") == -1:
        model(torch.zeros_like(IDS))[0].sum().requires_grad_()
        assert model.embeddings.word_embeddings.padding_idx is None
    model.save_pretrained(folder)
    assert AlbertModel.from_pretrained(folder).config == model.config


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"num_labels": 10**9}, "num_labels=1000000000 must be .* at most 1,000,000"),
        ({"num_hidden_layers": 10**8}, "100,000,000 layers one after another; use at most"),
        ({"num_hidden_layers": 10**4, "inner_group_num": 10**4}, "layers one after another"),
        *(({name: 2**63}, f"{name}=.* below") for name in ("vocab_size", "num_hidden_layers")),
        ({"vocab_size": 2**31 - 1, "embedding_size": 2**20}, "which no machine holds"),
        ({"hidden_size": 2**30, "intermediate_size": 2**30}, "which no machine holds"),
        ({"initializer_range": 10**400}, "below 10⁹"),
        ({"id2label": 5}, "in a row"),
        ({"num_hidden_layers": None}, "num_hidden_layers=None must be"),
        ({"hidden_act": None}, "must be one of gelu"),
        ({"hidden_act": ["gelu"]}, "must be one of gelu"),
    ],
    ids=str,
)
def test_numbers_have_limits(folder: Path, fields: dict[str, Any], sentence: str) -> None:
    change_config(folder, **fields)
    if "num_labels" in fields:
        content = json.loads((folder / "config.json").read_text())
        content.pop("id2label", None)
        (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=sentence):
        AlbertModel.from_pretrained(folder)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"vocab_size": ' + "9" * 6000 + "}", "is not valid JSON"),
        ("[" * 10**5, "has too many brackets"),
    ],
)
def test_json_beyond_all_measure_is_refused(folder: Path, text: str, sentence: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=rf"config\.json {sentence}"):
        AlbertModel.from_pretrained(folder)


NAME = "albert.pooler.bias"


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({NAME: torch.full((32,), math.nan)}, f"holds NaN or infinity in {NAME}"),
        ({NAME: torch.full((32,), -math.inf)}, f"holds NaN or infinity in {NAME}"),
        ({NAME: torch.zeros(32).to(torch.float8_e4m3fn)}, f"holds torch.float8_e4m3fn in {NAME}"),
        ({"pooler.bias": torch.zeros(32)}, f"holds {NAME} a second time, as"),
    ],
    ids=["nan", "infinity", "eight bits", "two spellings"],
)
def test_numbers_that_mean_nothing_are_refused(
    folder: Path, tensors: dict[str, torch.Tensor], sentence: str
) -> None:
    file = folder / "model.safetensors"
    save_file({**load_file(file), **tensors}, file)
    with pytest.raises(CheckpointError, match=sentence):
        AlbertModel.from_pretrained(folder)


def test_an_unknown_format_of_numbers_is_named(folder: Path) -> None:
    header = b'{"pooler.bias":{"dtype":"F128","shape":[1],"data_offsets":[0,16]}}'
    content = struct.pack("<Q", len(header)) + header + bytes(16)
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"format that is unknown here .*F128.*as float32"):
        AlbertModel.from_pretrained(folder)


def test_what_half_precision_cannot_hold_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    save_file({**load_file(file), NAME: torch.full((32,), 1e5)}, file)
    assert AlbertModel.from_pretrained(folder, dtype="bfloat16").pooler.bias[0] > 9e4
    with pytest.raises(ConfigError, match=r"beyond float16's range in .*bias; load it as"):
        AlbertModel.from_pretrained(folder, dtype="float16")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "pytorch_model.bin"])
def test_pointers_are_told_for_what_they_are(folder: Path, name: str) -> None:
    if name.endswith("bin"):
        (folder / "model.safetensors").unlink()
    (folder / name).write_text(POINTER)
    with pytest.raises((CheckpointError, ConfigError), match=rf"{name} is a Git LFS pointer"):
        AlbertModel.from_pretrained(folder)


@pytest.mark.parametrize("rows", [0, 3, 64])
def test_rows_that_pad_a_vocabulary_are_never_an_answer(
    tmp_path: Path, tiny: AlbertConfig, english_tokenizer: Any, rows: int
) -> None:
    """The scores are transformers' own; its answers may be rows that no token has."""
    torch.manual_seed(0)
    size = english_tokenizer.vocab_size
    model = AlbertForMaskedLM(tiny.replace(vocab_size=size + rows, initializer_range=0.3))
    model.mlm_head.bias.data[size:] = 9.0
    model.save_pretrained(tmp_path)
    english_tokenizer.save_pretrained(tmp_path)
    fill_mask, text = FillMask.from_pretrained(tmp_path), "The [MASK] is old."
    found = fill_mask(text, top_k=size + rows)
    assert len(found) == size and max(fill["token"] for fill in found) < size
    theirs = transformers.pipeline("fill-mask", model=str(tmp_path))(text, top_k=20 + rows)
    expected = [fill for fill in theirs if fill["token"] < size][:20]
    for fill, reference in zip(found, expected, strict=False):
        assert fill["token"] == reference["token"]
        assert fill["score"] == pytest.approx(reference["score"], rel=1e-4)
    assert Features.from_pretrained(tmp_path)(text).input_ids.max() < size
    listed = compare_top_k(fill_mask, text, "The [MASK] is new.", top_k=9)
    assert len(listed) >= 9


@pytest.mark.parametrize("rows", [-1, 128])
def test_a_vocabulary_of_another_model_is_refused(
    tmp_path: Path, tiny: AlbertConfig, english_tokenizer: Any, rows: int
) -> None:
    model = AlbertForMaskedLM(tiny.replace(vocab_size=english_tokenizer.vocab_size + rows))
    with pytest.raises(TokenizerError, match="load both from the same folder"):
        FillMask(model, english_tokenizer)
    model.save_pretrained(tmp_path)
    english_tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TokenizerError, match=rf"{tmp_path.name}: spiece\.model has"):
        FillMask.from_pretrained(tmp_path)
    with pytest.raises(TokenizerError, match=rf"{tmp_path.name}: spiece\.model has"):
        Features.from_pretrained(tmp_path)


def test_no_limit_is_no_length_to_pad_to(english_tokenizer: Any, tmp_path: Path) -> None:
    english_tokenizer.save_pretrained(tmp_path)
    change = {"model_max_length": 1e30, "do_lower_case": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(change))
    tokenizer = type(english_tokenizer).from_pretrained(tmp_path)
    assert tokenizer("A mill").input_ids.tolist() == english_tokenizer("A mill").input_ids.tolist()
    with pytest.raises(InputError, match="too long to pad to; give a max_length"):
        tokenizer("a mill", padding="max_length")
