"""Folders in Hugging Face's format: both ways, and every way they can be broken."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from albert_lib import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForPreTraining,
    AlbertForSequenceClassification,
    AlbertModel,
)
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import write_json


@pytest.fixture
def saved(tmp_path, tiny):
    AlbertForPreTraining(tiny).save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "SHA256SUMS").unlink()  # its files are changed below, as others do
    return tmp_path / "model"


def test_what_is_saved_is_loaded(saved, tiny) -> None:
    again = AlbertForPreTraining.from_pretrained(saved)
    again.save_pretrained(saved.parent / "again")
    first, second = (
        load_file(folder / "model.safetensors") for folder in (saved, saved.parent / "again")
    )
    assert first.keys() == second.keys() and len(first) == 32
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert again.config == tiny and not again.training


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("AlbertForPreTraining", AlbertForPreTraining),
        ("AlbertForMaskedLM", AlbertForMaskedLM),
        ("AlbertModel", AlbertModel),
    ],
)
@torch.no_grad()
def test_what_transformers_saves_is_loaded(tmp_path, tiny, theirs, ours) -> None:
    reference = getattr(transformers, theirs)(transformers.AlbertConfig(**tiny.to_dict())).eval()
    reference.save_pretrained(tmp_path)
    ids = torch.arange(5, 15)[None]
    mine = ours.from_pretrained(tmp_path)(ids)
    first = next(value for value in vars(mine).values() if value is not None)
    assert (first - reference(ids)[0]).abs().max() < 1e-5


def test_a_part_can_be_loaded_from_the_whole(saved) -> None:
    whole = AlbertForPreTraining.from_pretrained(saved)
    for part in (AlbertModel.from_pretrained(saved), AlbertForMaskedLM.from_pretrained(saved)):
        bare = part if isinstance(part, AlbertModel) else part.albert
        assert torch.equal(
            bare.embeddings.word_embeddings.weight, whole.albert.embeddings.word_embeddings.weight
        )


def test_layers_that_share_nothing_are_saved_as_groups(tmp_path, tiny) -> None:
    model = AlbertModel(tiny.replace(sharing="none")).eval()
    model.save_pretrained(tmp_path)
    again = AlbertModel.from_pretrained(tmp_path)
    assert again.config.num_hidden_groups == tiny.num_hidden_layers
    ids = torch.arange(5, 15)[None]
    assert torch.equal(model(ids).last_hidden_state, again(ids).last_hidden_state)


def test_partial_sharing_is_not_exported(tmp_path, tiny) -> None:
    with pytest.raises(ConfigError, match='sharing="ffn" has no form'):
        AlbertModel(tiny.replace(sharing="ffn")).save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_saving_again_keeps_the_tokenizer_beside_it(saved, tiny) -> None:
    (saved / "spiece.model").write_bytes(b"pieces")
    AlbertForPreTraining(tiny).save_pretrained(saved)
    assert (saved / "spiece.model").read_bytes() == b"pieces"


def change_tensors(folder, change) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file({key: tensor.clone() for key, tensor in tensors.items()}, file)


def test_old_quirks_are_accepted(saved) -> None:
    bias = torch.arange(100.0)

    def make_old(tensors) -> None:
        tensors["albert.embeddings.position_ids"] = torch.arange(64)[None]
        tensors["predictions.decoder.weight"] = tensors["albert.embeddings.word_embeddings.weight"]
        tensors["predictions.decoder.bias"] = bias
        del tensors["predictions.bias"]

    change_tensors(saved, make_old)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(AlbertForPreTraining.from_pretrained(saved).mlm_head.bias, bias)


def test_half_precision_files_come_back_in_float32(saved) -> None:
    change_tensors(saved, lambda t: t.update({key: value.half() for key, value in t.items()}))
    model = AlbertForPreTraining.from_pretrained(saved)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_weights_in_several_files_are_one_model(saved, tmp_path) -> None:
    reference = transformers.AlbertForPreTraining.from_pretrained(saved)
    reference.save_pretrained(tmp_path / "parts", max_shard_size="20KB")
    assert (tmp_path / "parts" / "model.safetensors.index.json").is_file()
    whole, parts = (AlbertForPreTraining.from_pretrained(f) for f in (saved, tmp_path / "parts"))
    for first, second in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(first, second)
    next((tmp_path / "parts").glob("model-00002-*")).unlink()
    with pytest.raises(CheckpointError, match=r"index\.json names model-00002-\S*, not in"):
        AlbertForPreTraining.from_pretrained(tmp_path / "parts")


def test_keys_of_no_known_place_are_listed(saved) -> None:
    change_tensors(saved, lambda t: t.update(adapter=torch.zeros(1)))
    with pytest.warns(UserWarning, match=r"also holds adapter, which no AlbertModel has"):
        AlbertModel.from_pretrained(saved)


def test_what_a_present_head_has_no_place_for_is_listed(saved) -> None:
    change_tensors(saved, lambda t: t.update({"predictions.extra.weight": torch.zeros(1)}))
    with pytest.warns(UserWarning, match=r"also holds predictions\.extra\.weight"):
        AlbertForMaskedLM.from_pretrained(saved)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a head that this kind does not have is no surprise
        AlbertModel.from_pretrained(saved)


@pytest.mark.parametrize("key", ["albert.pooler.weight", "albert.pooler.bias"])
def test_half_a_pooler_is_refused(saved, key) -> None:
    change_tensors(saved, lambda t: t.pop(key))
    with pytest.raises(CheckpointError, match=rf"lacks {key}"):
        AlbertModel.from_pretrained(saved)


def test_half_a_head_is_refused_and_not_drawn_anew(tmp_path, tiny) -> None:
    AlbertForSequenceClassification(tiny).save_pretrained(tmp_path)
    change_tensors(tmp_path, lambda t: t.pop("classifier.bias"))
    with pytest.raises(CheckpointError, match=r"lacks classifier\.bias"):
        AlbertForSequenceClassification.from_pretrained(tmp_path)


def test_quantised_weights_are_refused(saved) -> None:
    name = "albert.embeddings.word_embeddings.weight"
    change_tensors(saved, lambda t: t.update({name: t[name].to(torch.int8)}))
    with pytest.raises(CheckpointError, match=r"holds torch\.int8 in albert\.embeddings\.word_emb"):
        AlbertModel.from_pretrained(saved)


def test_biases_that_were_never_tied_are_said_and_the_first_is_taken(saved) -> None:
    bias = load_file(saved / "model.safetensors")["predictions.bias"]
    change_tensors(saved, lambda t: t.update({"predictions.decoder.bias": bias + 1}))
    with pytest.warns(UserWarning, match="beside another predictions.bias"):
        model = AlbertForPreTraining.from_pretrained(saved)
    assert torch.equal(model.mlm_head.bias, bias)


@pytest.mark.parametrize(
    "listing", [{"a": 5}, {"a": "pytorch_model.bin"}, {"a": "../x.safetensors"}, {}, None, "x"]
)
def test_an_index_that_names_no_safetensors_is_refused(saved, listing) -> None:
    (saved / "model.safetensors").rename(saved / "x.safetensors")
    write_json(saved / "model.safetensors.index.json", {"weight_map": listing})
    with pytest.raises(CheckpointError, match=r"index\.json does not list \.safetensors files"):
        AlbertModel.from_pretrained(saved)


def test_saving_deletes_nothing_of_others_and_the_old_weights_in_parts(tmp_path, tiny) -> None:
    (tmp_path / "runs").mkdir()
    for name in ("runs/notes.txt", "model-00001-of-00002.safetensors", "card.md"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    AlbertModel(tiny).save_pretrained(tmp_path)
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")) == sorted(
        ["runs", str(Path("runs", "notes.txt")), "card.md", "config.json", "model.safetensors"]
        + ["SHA256SUMS"]
    )


def test_a_model_is_saved_where_one_stands(tmp_path, tiny, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    AlbertModel(tiny).save_pretrained(".")
    assert AlbertModel.from_pretrained(".").config == tiny


def test_a_file_is_no_folder_to_save_to(tmp_path, tiny) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    for place in ("precious.txt", "precious.txt/model"):
        with pytest.raises(CheckpointError, match=r"cannot be a folder.*name another one"):
            AlbertModel(tiny).save_pretrained(tmp_path / place)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_loaded_model_does_not_depend_on_its_file_any_more(saved) -> None:
    model = AlbertModel.from_pretrained(saved)
    before = [parameter.clone() for parameter in model.parameters()]
    file = saved / "model.safetensors"
    with file.open("r+b") as opened:
        opened.write(bytes(file.stat().st_size))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_layers_beyond_the_configuration_are_refused(saved, tiny) -> None:
    AlbertForPreTraining(tiny.replace(num_hidden_groups=2)).save_pretrained(saved)
    tiny.to_json(saved / "config.json")
    with pytest.raises(
        CheckpointError, match=r"also holds albert\.encoder\.albert_layer_groups\.1"
    ):
        AlbertModel.from_pretrained(saved)


def test_an_output_matrix_of_its_own_is_refused(saved) -> None:
    untied = {"predictions.decoder.weight": torch.zeros(100, 16)}
    change_tensors(saved, lambda t: t.update(untied))
    with pytest.raises(CheckpointError, match="a matrix of its own"):
        AlbertForPreTraining.from_pretrained(saved)


def test_a_model_saved_without_pooler_is_loaded_without(tmp_path, tiny) -> None:
    AlbertForMaskedLM(tiny).save_pretrained(tmp_path)
    model = AlbertModel.from_pretrained(tmp_path)
    assert model.pooler is None
    output = model(torch.arange(5, 15)[None])
    assert output.pooler_output is None and output.last_hidden_state.shape == (1, 10, 32)


def test_a_new_head_is_said_and_drawn_as_any_other(saved, tiny) -> None:
    torch.manual_seed(1)
    with pytest.warns(
        UserWarning, match=r"lacks classifier\.weight, classifier\.bias: new weights"
    ):
        model = AlbertForSequenceClassification.from_pretrained(saved, labels=("a", "b", "c"))
    assert model.classifier.weight.shape == (3, 32)
    assert model.classifier.weight.std().item() == pytest.approx(0.02, rel=0.3)
    assert model.classifier.bias.abs().max() == 0
    model.save_pretrained(saved.parent / "classifier")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = AlbertForSequenceClassification.from_pretrained(saved.parent / "classifier")
    assert again.config.labels == ("a", "b", "c")
    assert torch.equal(again.classifier.weight, model.classifier.weight)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells peak memory")
@pytest.mark.parametrize("columns", [False, True])
def test_loading_at_xlarge_shape_takes_little_more_than_the_weights(tmp_path, columns) -> None:
    """Peak memory of a process that loads and reads every weight, beyond what imports take."""
    AlbertForPreTraining(AlbertConfig.preset("albert-xlarge-v1")).save_pretrained(tmp_path)
    shown = subprocess.run(
        [sys.executable, "-c", MEASURE_LOADING, str(tmp_path), str(int(columns))],
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    size = (tmp_path / "model.safetensors").stat().st_size
    assert 0.9 < float(shown.stdout) / size < 1.3


MEASURE_LOADING = """
import sys
from pathlib import Path
import torch
from albert_lib import AlbertForPreTraining
from albert_lib.model import layout
def peak():  # of this program alone: ru_maxrss would begin with the parent's
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
torch.zeros(1 << 16).sum(), torch.nn.Linear(2, 2)  # the threads that work are there, too
before = peak()
model = AlbertForPreTraining.from_pretrained(sys.argv[1])
if int(sys.argv[2]):  # as FillMask does where PyTorch has MKL
    layout.matrix_order = lambda: "columns"
    assert layout.store_for_few_tokens(model) == "columns"
with torch.no_grad():
    total = sum(float(parameter.sum()) for parameter in model.parameters())
print(peak() - before)
"""


def test_a_truncated_file_is_named(saved) -> None:
    file = saved / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged or cut short"):
        AlbertModel.from_pretrained(saved)


def test_missing_keys_are_listed(saved) -> None:
    file = saved / "model.safetensors"
    tensors = load_file(file)
    del tensors["sop_classifier.classifier.bias"]
    save_file(tensors, file)
    with pytest.raises(CheckpointError, match=r"lacks sop_classifier\.classifier\.bias"):
        AlbertForPreTraining.from_pretrained(saved)


def test_other_shapes_are_compared(saved, tiny) -> None:
    tiny.replace(vocab_size=101).to_json(saved / "config.json")
    with pytest.raises(CheckpointError, match=r"is \(100, 16\) instead of \(101, 16\)"):
        AlbertModel.from_pretrained(saved)


def test_pickles_are_refused_and_the_way_out_works(saved) -> None:
    numbers = load_file(saved / "model.safetensors")
    (saved / "model.safetensors").unlink()
    torch.save(numbers, saved / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="is a pickle, which could run code") as caught:
        AlbertForPreTraining.from_pretrained(saved)
    command = str(caught.value).partition('python -c "')[2].removesuffix('"')
    subprocess.run([sys.executable, "-c", command], check=True, cwd=saved)
    model = AlbertForPreTraining.from_pretrained(saved)
    assert torch.equal(model.mlm_head.bias, numbers["predictions.bias"])


def test_an_empty_folder_is_said(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json does not exist"):
        AlbertModel.from_pretrained(tmp_path)
