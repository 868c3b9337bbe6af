"""Every family of masked models answers the probes as it answers transformers' own pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from families import LONGEST

from albert_lib.errors import InputError
from albert_lib.probing import (
    Features,
    FillMask,
    probe,
    pseudo_log_likelihood,
    single_token_words,
    static_embeddings,
    word_id,
    word_positions,
)

TEXTS = [
    "The man is a [MASK].",
    "[MASK] works as a doctor!",
    "A woman isn't a [MASK]; he is a [MASK] and sleeps in the old house.",
]
ModelOf = Callable[[str], FillMask]
FolderOf = Callable[[str], Path]


def theirs(folder: Path) -> tuple[Any, Any]:
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def test_fills_are_those_of_the_pipeline(
    family: str, model_of: ModelOf, folder_of: FolderOf
) -> None:
    model, tokenizer = theirs(folder_of(family))
    reference = transformers.pipeline("fill-mask", model=model, tokenizer=tokenizer, top_k=10)
    answers = model_of(family)(TEXTS, top_k=4)
    for text, mine in zip(TEXTS, answers, strict=True):
        other = reference(text.replace("[MASK]", tokenizer.mask_token))
        several = isinstance(other[0], list)
        for my_fills, their_fills in zip(
            mine if several else [mine], other if several else [other], strict=True
        ):
            # theirs also names rows that belong to no token
            known = [fill for fill in their_fills if fill["token"] < len(tokenizer)][:4]
            for my_fill, their_fill in zip(my_fills, known, strict=True):
                assert my_fill["score"] == pytest.approx(their_fill["score"], rel=1e-4, abs=1e-6)
                for name in ("token", "token_str", "sequence"):
                    assert my_fill[name] == their_fill[name]


def test_head_sees_only_what_is_asked_for(family: str, model_of: ModelOf) -> None:
    fill_mask, rows = model_of(family), []
    head_input = fill_mask.model.model.get_output_embeddings().register_forward_hook(
        lambda module, inputs, output: rows.append(inputs[0].flatten(0, -2).shape[0])
    )
    fill_mask.masked_logits(TEXTS)
    head_input.remove()
    assert rows == [4]  # masks, of about forty positions


@pytest.mark.parametrize("mask_unit", ["token", "word"])
def test_pseudo_likelihood_is_that_of_a_loop_over_whole_forwards(
    family: str, model_of: ModelOf, folder_of: FolderOf, mask_unit: Any
) -> None:
    model, tokenizer = theirs(folder_of(family))
    text = "The man isn't late; nurses sleep."
    encoded = tokenizer(text)
    words = encoded.word_ids()
    expected = []
    for place, word in enumerate(words):
        if word is None:
            continue
        ids = torch.tensor(encoded.input_ids)
        hidden = [
            other
            for other in range(place, len(ids))
            if other == place or (mask_unit == "word" and words[other] == word)
        ]
        true_token = int(ids[place])
        ids[hidden] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = model(ids[None], torch.ones_like(ids)[None]).logits[0, place]
        expected.append(float(logits.log_softmax(-1)[true_token]))
    (scores,) = pseudo_log_likelihood(model_of(family), [text], mask_unit=mask_unit)
    assert scores.input_ids == encoded.input_ids
    np.testing.assert_allclose(scores.log_probabilities, expected, atol=2e-5)


def test_a_word_is_the_token_that_it_has_in_its_place(family: str, model_of: ModelOf) -> None:
    tokenizer = model_of(family).tokenizer
    single, split = single_token_words(tokenizer, ["house", "nurse", "woman"])
    assert sorted([*single, *split]) == ["house", "nurse", "woman"]
    for word in single:
        ids, places = word_positions(tokenizer, "The woman is a ", word, ".")
        assert [ids[place] for place in places] == [word_id(tokenizer, word, "The woman is a ")]
    for word, pieces in split.items():
        ids, places = word_positions(tokenizer, "The woman is a ", word, ".")
        assert len(places) == len(pieces) > 1
        with pytest.raises(InputError, match="not one token"):
            word_id(tokenizer, word)


def test_byte_pieces_differ_at_the_beginning_of_a_text(model_of: ModelOf) -> None:
    tokenizer = model_of("roberta").tokenizer
    inside, first = word_id(tokenizer, "Nurse"), word_id(tokenizer, "Nurse", before="")
    assert (tokenizer.id_to_piece(inside), tokenizer.id_to_piece(first)) == ("ĠNurse", "Nurse")
    fills = model_of("roberta")(["A [MASK] sleeps.", "[MASK] sleeps."], targets=["Nurse"])
    assert [fill[0]["token"] for fill in fills] == [inside, first]


def test_case_is_the_tokenizer_s_matter(model_of: ModelOf) -> None:
    small, cased = model_of("bert").tokenizer, model_of("bert-cased").tokenizer
    assert word_id(small, "Nurse") == word_id(small, "nurse")
    assert word_id(cased, "Nurse") != word_id(cased, "nurse")


def test_template_probe_reads_each_word_s_own_token(family: str, model_of: ModelOf) -> None:
    fill_mask = model_of(family)
    words, _ = single_token_words(fill_mask.tokenizer, ["late", "he", "the", "nurse", "is"])
    persons, _ = single_token_words(fill_mask.tokenizer, ["He", "The", "is", "a", "in"])
    templates = ["It is a {person} in [MASK].", "In the {person} [MASK] sleeps."]
    fill, (first, second) = words[0], persons[:2]
    (row,) = probe(fill_mask, templates, [fill], (first, second))
    for template, gap in zip(templates, row.values, strict=True):
        values = []
        for person in (first, second):
            text = template.replace("{person}", person)
            ids, (place,) = word_positions(fill_mask.tokenizer, *_around(text, fill))
            masked = fill_mask.tokenizer.encode(text)
            place = masked.index(fill_mask.tokenizer.mask_token_id)
            ((_, logits),) = fill_mask.logits_at([torch.tensor(masked)], [torch.tensor([place])])
            values.append(float(logits[0].log_softmax(-1)[ids[place]]))
        assert gap == pytest.approx(values[0] - values[1], abs=1e-4)


def _around(text: str, fill: str) -> tuple[str, str, str]:
    left, right = text.split("[MASK]")
    return left, fill, right


def test_longest_text_is_what_the_model_has_positions_for(family: str, model_of: ModelOf) -> None:
    fill_mask = model_of(family)
    assert fill_mask.model.config.max_position_embeddings == LONGEST
    some = fill_mask.tokenizer.encode("is", add_special_tokens=False)[-1]
    inner = [*[some] * (LONGEST - 3), fill_mask.tokenizer.mask_token_id]
    ids, _ = fill_mask.tokenizer.with_special_tokens(inner)
    assert len(ids) == LONGEST
    ((_, logits),) = fill_mask.logits_at([torch.tensor(ids)], [torch.tensor([LONGEST - 2])])
    assert logits.isfinite().all()
    with pytest.raises(InputError, match=f"knows {LONGEST} positions"):
        fill_mask("is it " * LONGEST + "[MASK]")


def test_rows_that_belong_to_no_token_are_no_answers(model_of: ModelOf) -> None:
    fill_mask = model_of("modernbert")
    n_tokens = fill_mask.tokenizer.vocab_size
    assert fill_mask.model.config.vocab_size == n_tokens + 6
    fills = fill_mask(TEXTS[0], top_k=n_tokens + 6)
    assert sorted(fill["token"] for fill in fills) == list(range(n_tokens))
    assert sum(fill["score"] for fill in fills) < 1  # the rest is theirs


def test_features_are_the_encoder_s(family: str, folder_of: FolderOf) -> None:
    folder = folder_of(family)
    features = Features.from_pretrained(folder)
    model, tokenizer = theirs(folder)
    texts = ["The man sleeps.", "He is late, and in the old house."]
    for text, mine in zip(texts, features(texts), strict=True):
        with torch.no_grad():
            states = model.base_model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        torch.testing.assert_close(mine.last_hidden_state, states, atol=1e-4, rtol=1e-4)
    vectors = static_embeddings(features.model, features.tokenizer, ["man"])
    table = model.get_input_embeddings().weight.detach().double().numpy()
    both, first = (tokenizer(text, add_special_tokens=False).input_ids for text in ("a man", "a"))
    ids = both[len(first) :]  # as within a text: RoBERTa's at its beginning are others
    np.testing.assert_allclose(vectors[0], table[ids].mean(axis=0))
