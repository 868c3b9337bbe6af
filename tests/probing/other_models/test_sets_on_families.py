"""The published sets on other families: where public code goes wrong, and what is refused."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from families import SMALL, write_family

from albert_lib.__main__ import main
from albert_lib.errors import AlbertLibError, CheckpointError, ConfigError, TokenizerError
from albert_lib.probing import FillMask, word_positions
from albert_lib.probing.sets import blimp, comps, stereoset, weat, winobias
from albert_lib.probing.sets.winobias_files import PronounPair, PronounSentence
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer

ModelOf = Callable[[str], FillMask]
FolderOf = Callable[[str], Path]
WORDS = ("late", "she", "a")


def log_probability(fill_mask: FillMask, text: str, word: str) -> float:
    """Of a word of one token in a text, by transformers alone; the word is marked as *."""
    left, right = text.split("*")
    tokenizer = fill_mask.tokenizer.tokenizer
    encoded = tokenizer(left + word + right, return_offsets_mapping=True)
    (place,) = [
        place
        for place, (first, last) in enumerate(encoded.offset_mapping)
        if last > len(left) and first < len(left + word)
    ]
    ids = torch.tensor(encoded.input_ids)
    token = int(ids[place])
    ids[place] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = fill_mask.model.model(ids[None], torch.ones_like(ids)[None]).logits[0, place]
    return float(logits.log_softmax(-1)[token])


def test_a_word_is_looked_up_behind_another_mask(family: str, model_of: ModelOf) -> None:
    """What stands before a word may hold a [MASK] of its own."""
    tokenizer = model_of(family).tokenizer
    behind = tokenizer.word_pieces("late", before="The [MASK] is ")
    assert behind == tokenizer.word_pieces("late", before="The man is ")


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert"])
def test_stereoset_keeps_the_space_before_its_word(family: str, model_of: ModelOf) -> None:
    texts = tuple(f"The man is {word}." for word in WORDS)
    item = stereoset.ContextExample(
        "intrasentence", "1", "man", "gender", "The man is BLANK.", texts
    )
    (one,) = stereoset.score(model_of(family), [item]).scored
    expected = [log_probability(model_of(family), "The man is *.", word) for word in WORDS]
    found = torch.tensor([one.stereotype, one.anti_stereotype, one.unrelated]).log()
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-4, rtol=0)


def test_next_sentences_need_a_head_that_these_models_lack(model_of: ModelOf) -> None:
    texts = ("He is late.", "He is old.", "It is a house.")
    item = stereoset.ContextExample("intersentence", "1", "man", "gender", "A man.", texts)
    result = stereoset.score(model_of("bert"), [item])
    assert (list(result.scored), result.dropped) == ([], {stereoset.NO_ORDER_HEAD: 1})


@pytest.mark.parametrize("family", ["bert-cased", "roberta"])
def test_winobias_asks_for_the_pronoun_as_the_sentence_writes_it(
    family: str, model_of: ModelOf
) -> None:
    sentences = [
        PronounSentence("The nurse is late and [MASK] is old.", (pronoun,), "nurse")
        for pronoun in ("she", "he")
    ]
    (one,) = winobias.score(model_of(family), [PronounPair(1, 1, *sentences)]).scored
    text = "The nurse is late and * is old."
    she, he = (log_probability(model_of(family), text, word) for word in ("she", "he"))
    assert one.in_pro == pytest.approx(she - he, abs=1e-4)


def test_all_sets_score_every_family(family: str, model_of: ModelOf) -> None:
    fill_mask = model_of(family)
    pair = blimp.MinimalPair("He is late.", "He are late.", "agreement", "agreement")
    assert len(blimp.score(fill_mask, [pair]).scored) == 1
    sets = [("man", "old"), ("woman", "late"), ("he",), ("she",)]
    lists = weat.WeatLists("weat1", *(weat.WordSet(words[0], words) for words in sets))
    for vectors in ("static", "cls", "mean"):
        size, _ = weat.score(fill_mask, [lists], vectors=vectors).measures()
        assert -2 <= size.value <= 2


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
def test_a_property_is_scored_after_its_space(family: str, model_of: ModelOf) -> None:
    pair = comps.ConceptPair("The man is", "She is", "late", "comps_base", "random")
    (one,) = comps.score(model_of(family), [pair]).scored
    fill_mask = model_of(family)
    assert len(fill_mask.tokenizer.word_pieces("late", before="The man is ")) == 1
    expected = [log_probability(fill_mask, text, "late") for text in ("The man is *", "She is *")]
    assert (one.acceptable, one.unacceptable) == pytest.approx(expected, abs=1e-4)


def test_a_text_that_cannot_be_written_is_left_out(model_of: ModelOf) -> None:
    pairs = [
        blimp.MinimalPair("He is late.", "He are late.", "a", "a"),
        blimp.MinimalPair("He is 本.", "He are 本.", "a", "a"),
    ]
    result = blimp.score(model_of("bert"), pairs)
    assert result.dropped == {"pair with characters that the vocabulary cannot write": 1}
    assert not blimp.score(model_of("roberta"), pairs).dropped  # bytes write everything


def test_positions_are_right_without_a_start_token(folder_of: FolderOf) -> None:
    bare = transformers.AutoTokenizer.from_pretrained(folder_of("bert"))
    bare.backend_tokenizer.post_processor = None
    tokenizer = TransformersTokenizer(bare, "bare")
    ids, places = word_positions(tokenizer, "The man is a ", "nurse", ".")
    assert [tokenizer.id_to_piece(ids[place]) for place in places] == ["nurse"]


def test_commands_take_any_masked_model(
    folder_of: FolderOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(folder_of("roberta"))
    assert main(["fill-mask", "The man is a [MASK].", "--model", folder, "--top-k", "2"]) == 0
    assert "The man is a" in capsys.readouterr().out
    data = tmp_path / "agreement.jsonl"
    record = {"sentence_good": "He is late.", "sentence_bad": "He are late.", "UID": "agreement"}
    data.write_text(json.dumps({**record, "linguistics_term": "agreement"}))
    assert main(["probe", "blimp", "--model", folder, "--data", str(data)]) == 0
    assert "accuracy" in capsys.readouterr().out


def _folder(tmp_path: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def bert_config(**more: Any) -> Any:
    return transformers.BertConfig(**{**SMALL, "vocab_size": 300, **more})


def test_what_fills_no_masks_is_refused(folder_of: FolderOf, tmp_path: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder_of("bert"))
    config = transformers.GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=300)
    causal = _folder(tmp_path / "gpt2", transformers.GPT2LMHeadModel(config), tokenizer)
    with pytest.raises(ConfigError, match="type 'gpt2' does not fill masks"):
        FillMask.from_pretrained(causal)
    decoder = transformers.BertForMaskedLM(bert_config())
    decoder.config.is_decoder = True
    with pytest.raises(ConfigError, match="does not fill masks"):
        FillMask.from_pretrained(_folder(tmp_path / "decoder", decoder, tokenizer))
    headless = transformers.BertForSequenceClassification(bert_config())
    with pytest.raises(CheckpointError, match=r"has no weights for cls\.predictions"):
        FillMask.from_pretrained(_folder(tmp_path / "headless", headless, tokenizer))


def test_tokenizers_that_do_not_fit_are_refused(folder_of: FolderOf, tmp_path: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder_of("bert"))
    small = transformers.BertForMaskedLM(bert_config(vocab_size=200))
    with pytest.raises(TokenizerError, match="has 300 tokens but the model scores 200"):
        FillMask.from_pretrained(_folder(tmp_path / "small", small, tokenizer))
    folder = write_family("bert", tmp_path / "maskless")
    for name in ("tokenizer_config.json", "tokenizer.json"):
        content = json.loads((folder / name).read_text())
        content.pop("mask_token", None)
        content["mask_token"] = None
        if name == "tokenizer_config.json":
            content["tokenizer_class"] = "PreTrainedTokenizerFast"
            (folder / name).write_text(json.dumps(content))
    with pytest.raises(TokenizerError, match="no mask token"):
        FillMask.from_pretrained(folder)


def test_a_broken_folder_is_one_sentence(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = write_family("bert", tmp_path / "torn")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be opened with transformers"):
        FillMask.from_pretrained(folder)
    weights.unlink()
    with pytest.raises(AlbertLibError):
        FillMask.from_pretrained(folder)


def test_without_transformers_the_remedy_is_named(
    folder_of: FolderOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = folder_of("bert"), builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "transformers":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CheckpointError, match=r"not installed; run `pip install .*other-models"):
        FillMask.from_pretrained(folder)
