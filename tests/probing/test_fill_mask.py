"""FillMask gives what transformers' fill-mask pipeline gives, and says what it cannot fill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError, TokenizerError
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.probing import FillMask
from albert_lib.text import AlbertTokenizer

TEXTS = [
    "The man worked as a [MASK].",
    "Hello I'm a [MASK] model.",
    "[MASK]",
    "In the old town of [MASK], the baker (who sells bread) gets up before dawn, at 4:30.",
    "un[MASK]ing Café",
]
TWO_MASKS = "The [MASK] worked as a [MASK] until the end."


def flat(answer: Any) -> Iterator[dict[str, Any]]:
    """The fills of any nesting, in order."""
    for part in answer:
        if isinstance(part, dict):
            yield part
        else:
            yield from flat(part)


def assert_same(ours: Any, theirs: Any) -> None:
    def shape(answer: Any) -> Any:
        return [shape(part) if isinstance(part, list) else None for part in answer]

    assert shape(ours) == shape(theirs)
    for our, their in zip(flat(ours), flat(theirs), strict=True):
        assert list(our) == list(their)  # the keys, in order
        assert our["score"] == pytest.approx(their["score"], abs=1e-5, rel=1e-3)
        for key in ("token", "token_str", "sequence"):
            assert our[key] == their[key]
            assert type(our[key]) is type(their[key])


@pytest.mark.parametrize("text", [*TEXTS, TWO_MASKS])
@pytest.mark.parametrize("top_k", [1, 5, 40])
def test_one_text_as_transformers(
    fill_mask: FillMask, reference: transformers.Pipeline, text: str, top_k: int
) -> None:
    assert_same(fill_mask(text, top_k=top_k), reference(text, top_k=top_k))


def test_every_piece_of_the_vocabulary_as_transformers(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    """Also <unk>, [MASK], ▁ and punctuation in the gap, whatever their rank."""
    size = fill_mask.tokenizer.vocab_size
    ours, theirs = (
        sorted(flat(fill("A [MASK].", top_k=size)), key=lambda answer: answer["token"])
        for fill in (fill_mask, reference)
    )
    assert len(ours) == size
    assert_same(ours, theirs)
    assert sum(fill["score"] for fill in ours) == pytest.approx(1.0, abs=1e-4)


def test_padding_as_a_fill_is_left_out_of_the_sequence(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    theirs: Any = reference.model
    biases = (fill_mask.model.mlm_head.bias, theirs.predictions.bias)
    with torch.no_grad():
        for bias in biases:
            bias[fill_mask.tokenizer.pad_token_id] += 100.0
    try:
        ours = fill_mask("A [MASK] [MASK]", top_k=1)
        assert_same(ours, reference("A [MASK] [MASK]", top_k=1))
    finally:
        with torch.no_grad():
            biases[1][fill_mask.tokenizer.pad_token_id] -= 100.0
    assert [fill["sequence"] for fill in flat(ours)] == ["[CLS] a[MASK][SEP]"] * 2


def test_many_texts_as_transformers_whatever_the_batch(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    texts = [*TEXTS, TWO_MASKS, *reversed(TEXTS)]
    expected = reference(texts)
    for batch_size in (1, 3, 32):
        fill_mask.batch_size = batch_size
        assert_same(fill_mask(texts), expected)


def test_a_list_of_one_text_gives_a_list_of_one(fill_mask: FillMask) -> None:
    assert fill_mask([TEXTS[0]]) == [fill_mask(TEXTS[0])]
    assert fill_mask([]) == []


def test_targets_as_transformers_when_they_are_pieces(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    pieces = ["▁man", "▁woman", "▁teacher", "▁man"]
    for text in (TEXTS[0], TWO_MASKS):
        ours = fill_mask(text, targets=pieces)
        assert_same(ours, reference(text, targets=pieces))
        assert ours == fill_mask(text, targets=["man", "woman", "teacher"])
    assert_same(fill_mask(TEXTS[0], targets="▁man"), reference(TEXTS[0], targets="▁man"))


def test_a_target_is_the_whole_word_not_the_inside_of_one(fill_mask: FillMask) -> None:
    tokenizer = fill_mask.tokenizer
    both = next(
        piece[1:]
        for piece in tokenizer.pieces
        if piece.startswith("▁") and piece[1:].isalpha() and piece[1:] in tokenizer.pieces
    )
    (fill,) = flat(fill_mask("They [MASK] it.", targets=both))
    assert fill["token"] == tokenizer.piece_id("▁" + both) != tokenizer.piece_id(both)


def test_a_target_of_several_pieces_is_refused_with_its_pieces(fill_mask: FillMask) -> None:
    pieces = fill_mask.tokenizer.tokenize("bookkeeper")
    assert len(pieces) > 1
    with pytest.raises(InputError, match="'bookkeeper'.*" + " ".join(pieces)):
        fill_mask(TEXTS[0], targets=["man", "bookkeeper"])
    with pytest.raises(InputError, match="targets is empty"):
        fill_mask(TEXTS[0], targets=[])


def test_only_masked_rows_are_projected(fill_mask: FillMask) -> None:
    rows: list[int] = []
    head = fill_mask.model.mlm_head
    handle = head.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    fill_mask([*TEXTS, TWO_MASKS])
    handle.remove()
    assert sum(rows) == len(TEXTS) + 2


def test_masked_logits_keep_the_order_of_texts(
    fill_mask: FillMask, reference: transformers.Pipeline
) -> None:
    their_tokenizer: Any = reference.tokenizer
    texts = [TEXTS[3], TWO_MASKS, TEXTS[2]]
    logits = fill_mask.masked_logits(texts)
    assert [row.shape[0] for row in logits] == [1, 2, 1]
    for text, row in zip(texts, logits, strict=True):
        encoded = their_tokenizer(text, return_tensors="pt")
        gaps = encoded["input_ids"][0] == fill_mask.tokenizer.mask_token_id
        with torch.no_grad():
            expected = reference.model(**encoded).logits[0, gaps]
        assert torch.allclose(row, expected, atol=1e-4)


def test_dropout_is_off_and_every_training_flag_comes_back(fill_mask: FillMask) -> None:
    expected = fill_mask(TEXTS[0])
    fill_mask.model.train()
    fill_mask.model.albert.embeddings.eval()  # frozen by whoever trains the rest
    before = [module.training for module in fill_mask.model.modules()]
    assert fill_mask(TEXTS[0]) == expected
    assert [module.training for module in fill_mask.model.modules()] == before
    assert len(set(before)) == 2
    with pytest.raises(InputError):
        fill_mask("no gap")
    assert [module.training for module in fill_mask.model.modules()] == before


def test_no_gradients_are_kept(fill_mask: FillMask) -> None:
    assert not fill_mask.masked_logits(TEXTS)[0].requires_grad


def test_a_model_with_both_pretraining_heads_fills_too(tokenizer: AlbertTokenizer) -> None:
    config = AlbertConfig(
        vocab_size=tokenizer.vocab_size,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    both = AlbertForPreTraining(config)
    alone = AlbertForMaskedLM(config)
    missing = alone.load_state_dict(both.state_dict(), strict=False).missing_keys
    assert not missing
    assert FillMask(both, tokenizer)(TEXTS) == FillMask(alone, tokenizer)(TEXTS)


def test_from_pretrained_reads_one_folder(fill_mask: FillMask, model_folder: Path) -> None:
    assert FillMask.from_pretrained(model_folder)(TEXTS[0]) == fill_mask(TEXTS[0])


def test_impossible_texts_are_refused_with_a_reason(fill_mask: FillMask) -> None:
    with pytest.raises(InputError, match=r"no \[MASK\] in 'The end'"):
        fill_mask(["A [MASK] here.", "The end"])
    with pytest.raises(InputError, match=r"has 83 tokens.*knows 64 positions"):
        fill_mask("the " * 80 + "[MASK]")
    with pytest.raises(InputError, match="top_k=0"):
        fill_mask(TEXTS[0], top_k=0)


def test_a_tokenizer_that_cannot_write_a_gap_is_refused(fill_mask: FillMask) -> None:
    cutting = AlbertTokenizer(fill_mask.tokenizer.model, split_special_tokens=True)
    with pytest.raises(TokenizerError, match="split_special_tokens=False"):
        FillMask(fill_mask.model, cutting)
