"""Features gives what transformers' AlbertModel gives, each text without the padding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError, TokenizerError
from albert_lib.model import AlbertForMaskedLM, AlbertModel
from albert_lib.probing import Features
from albert_lib.text import AlbertTokenizer

TEXTS = [
    "Replace me by any text you'd like.",
    "",
    "In the old town, the baker (who sells bread) gets up before dawn, at 4:30.",
    "un[MASK]ing Café 日本語",
]


@pytest.fixture(scope="module")
def bare_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare model written by transformers, pooler included, with the shipped vocabulary."""
    folder = tmp_path_factory.mktemp("bare-albert")
    config = transformers.AlbertConfig.from_pretrained(model_folder)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        transformers.AlbertModel(config).save_pretrained(folder)
    for name in ("spiece.model", "tokenizer_config.json"):
        (folder / name).write_bytes((model_folder / name).read_bytes())
    return folder


@pytest.fixture
def features(bare_folder: Path) -> Features:
    return Features.from_pretrained(bare_folder)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_every_number_as_transformers_whatever_the_batch(
    features: Features, bare_folder: Path, batch_size: int
) -> None:
    theirs = transformers.AlbertModel.from_pretrained(bare_folder).eval()
    features.batch_size = batch_size
    for text, ours in zip(TEXTS, features(TEXTS), strict=True):
        ids = torch.tensor([features.tokenizer.encode(text)])
        with torch.no_grad():
            expected = theirs(ids)
        assert torch.equal(ours.input_ids, ids[0])
        assert ours.pooler_output is not None
        torch.testing.assert_close(
            ours.last_hidden_state, expected.last_hidden_state[0], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(ours.pooler_output, expected.pooler_output[0], atol=1e-5, rtol=0)


def test_each_vector_has_its_piece(features: Features) -> None:
    for text, of_text in zip(TEXTS, features(TEXTS), strict=True):
        assert of_text.tokens == ["[CLS]", *features.tokenizer.tokenize(text), "[SEP]"]
        assert len(of_text.tokens) == len(of_text.input_ids) == len(of_text.last_hidden_state)


def test_one_text_gives_its_features_and_a_list_a_list(features: Features) -> None:
    alone = features(TEXTS[0])
    (of_list,) = features([TEXTS[0]])
    assert alone.tokens == of_list.tokens
    assert torch.equal(alone.last_hidden_state, of_list.last_hidden_state)
    assert features([]) == []


def test_a_folder_without_a_pooler_gives_features_all_the_same(model_folder: Path) -> None:
    theirs = transformers.AlbertForMaskedLM.from_pretrained(model_folder).eval()
    features = Features.from_pretrained(model_folder)
    ours = features(TEXTS[0])
    assert ours.pooler_output is None
    with torch.no_grad():
        expected = theirs.albert(ours.input_ids[None]).last_hidden_state[0]
    torch.testing.assert_close(ours.last_hidden_state, expected, atol=1e-5, rtol=0)


def test_dropout_is_off_and_no_gradients_are_kept(features: Features) -> None:
    expected = features(TEXTS[0]).last_hidden_state
    features.model.train()
    again = features(TEXTS[0]).last_hidden_state
    assert torch.equal(again, expected)
    assert not again.requires_grad
    assert features.model.training


def test_a_text_that_is_too_long_is_refused(features: Features) -> None:
    with pytest.raises(InputError, match=r"begins with 'the the.* 82 tokens.*knows 64 positions"):
        features([TEXTS[0], "the " * 80])


def test_another_vocabulary_is_refused(tokenizer: AlbertTokenizer, tmp_path: Path) -> None:
    sizes = {"embedding_size": 8, "hidden_size": 16, "num_hidden_layers": 1}
    config = AlbertConfig(vocab_size=9, num_attention_heads=2, intermediate_size=32, **sizes)
    with pytest.raises(TokenizerError, match="9 word embeddings; load both"):
        Features(AlbertModel(config), tokenizer)
    AlbertForMaskedLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TokenizerError, match=r"spiece\.model has 8000 tokens .* vocab_size=9; put"):
        Features.from_pretrained(tmp_path)
