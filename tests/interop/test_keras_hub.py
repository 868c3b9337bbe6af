"""KerasHub on TensorFlow reads our folders and computes the same features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from google_checkpoint import shuffle
from keras_features import keras_features

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertModel, AlbertTokenizer
from albert_lib.files import data_folder

TOLERANCE = 1e-4
MINI = data_folder() / "checkpoints" / "albert-mini-en"

pytestmark = pytest.mark.usefixtures("keras_hub")


def largest_difference(
    folder: Path, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor
) -> float:
    """Between our features and KerasHub's of one folder, over all text and the pooled [CLS]."""
    with torch.no_grad():
        ours = AlbertModel.from_pretrained(folder)(ids, mask, segments)
    sequence, pooled = keras_features(folder, ids, mask, segments)
    is_text = mask.bool().numpy()
    assert ours.last_hidden_state is not None and ours.pooler_output is not None
    differences = (
        np.abs(ours.last_hidden_state.numpy() - sequence)[is_text],
        np.abs(ours.pooler_output.numpy() - pooled),
    )
    largest = float(max(each.max() for each in differences))
    print(f"largest difference: {largest:.1e}")  # pytest -rP shows it
    return largest


def padded_pairs(config: AlbertConfig) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three sequences of two segments each; two of them end in padding."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, config.vocab_size, (3, 20), generator=generator)
    positions = torch.arange(20)
    lengths = torch.tensor([[20], [13], [6]])
    mask = (positions < lengths).long()
    segments = ((positions >= lengths // 2) & (positions < lengths)).long()
    return ids * mask, mask, segments


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (AlbertForPreTraining, {}),
        (AlbertForPreTraining, {"num_hidden_groups": 2, "inner_group_num": 2}),
        (AlbertModel, {"num_hidden_groups": 3}),
    ],
    ids=["pretraining", "groups of layers", "encoder alone"],
)
def test_features_are_the_same(
    tmp_path: Path,
    tiny: AlbertConfig,
    kind: type[AlbertForPreTraining] | type[AlbertModel],
    changes: dict[str, int],
) -> None:
    config = tiny.replace(**changes)
    model = kind(config)
    shuffle(model)
    model.save_pretrained(tmp_path)
    assert largest_difference(tmp_path, *padded_pairs(config)) < TOLERANCE


def test_the_model_cards_example() -> None:
    """From text to features, as the cards of the published models show it for TensorFlow."""
    tokenizer = AlbertTokenizer.from_pretrained(MINI)
    encoded = tokenizer("Replace me by any text you'd like.")
    difference = largest_difference(
        MINI, encoded.input_ids, encoded.attention_mask, encoded.token_type_ids
    )
    assert difference < TOLERANCE


def test_only_the_tanh_form_of_gelu_is_the_same(tmp_path: Path, tiny: AlbertConfig) -> None:
    """KerasHub ignores hidden_act: a v1 folder, whose "gelu" is exact, comes out a little off."""
    config = tiny.replace(hidden_act="gelu")
    model = AlbertForPreTraining(config)
    shuffle(model)
    model.save_pretrained(tmp_path)
    assert TOLERANCE < largest_difference(tmp_path, *padded_pairs(config)) < 1e-1
