"""Folders in Hugging Face's format: both ways, and every way they can be broken."""

from __future__ import annotations

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from albert_lib import AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.errors import CheckpointError, ConfigError


@pytest.fixture
def saved(tmp_path, tiny):
    AlbertForPreTraining(tiny).save_pretrained(tmp_path / "model")
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


def test_old_quirks_are_accepted(saved) -> None:
    file = saved / "model.safetensors"
    tensors = load_file(file)
    tensors["albert.embeddings.position_ids"] = torch.arange(64)[None]
    del tensors["predictions.bias"]
    bias = torch.arange(100.0)
    tensors["predictions.decoder.bias"] = bias
    save_file(tensors, file)
    assert torch.equal(AlbertForPreTraining.from_pretrained(saved).mlm_head.bias, bias)


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


def test_pickles_are_refused_with_a_way_out(saved) -> None:
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="a pickle that could run code"):
        AlbertModel.from_pretrained(saved)


def test_an_empty_folder_is_said(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json does not exist"):
        AlbertModel.from_pretrained(tmp_path)
