"""My ALBERT: the library's model composed of pieces, whoever's they are, and trained by them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer, FillMask, TokenStore
from albert_lib.errors import ConfigError, InputError
from albert_lib.files import answers_folder
from albert_lib.objectives import MaskingConfig
from albert_lib.training import pretraining_loss
from albert_lib.workbook.answer_files import answer_path
from albert_lib.workbook.assembly import my_albert, print_agreement
from albert_lib.workbook.drawings.my_curve import draw_my_curve
from albert_lib.workbook.exercise import all_exercises
from albert_lib.workbook.my_batches import MyBatches
from albert_lib.workbook.my_comparison import disagreement, drawn_batch, find_disagreeing
from albert_lib.workbook.my_model import MyAlbert
from albert_lib.workbook.my_pieces import ALL_PIECES, MODEL_PIECES, Pieces
from albert_lib.workbook.my_training import learn

SMALL = AlbertConfig(
    vocab_size=120, embedding_size=16, hidden_size=24, num_hidden_layers=3, num_attention_heads=4,
    intermediate_size=40, max_position_embeddings=48, classifier_dropout_prob=0.0,
)  # fmt: skip


def another(id: str) -> Callable[..., Any]:
    """The library's piece under another identity: right, and not the library's own."""
    return lambda *arguments, **named: ALL_PIECES[id](*arguments, **named)


def all_mine() -> dict[str, Callable[..., Any]]:
    return {id: another(id) for id in ALL_PIECES}


def test_the_pieces_are_what_the_exercises_ask_for() -> None:
    exercises = all_exercises()
    for id, library in ALL_PIECES.items():
        assert exercises[id].solution is library, id


@pytest.mark.parametrize("own", [{}, all_mine()], ids=["the library's", "all mine"])
def test_same_numbers_as_the_library_s_model(own: dict[str, Callable[..., Any]]) -> None:
    found = disagreement(SMALL, Pieces(own))
    assert found.agrees and set(found.differences) == {"logits", "losses", "gradients"}
    assert found.largest > 0 or not own  # composed otherwise: not the same code by another name


def test_both_models_load_each_other_s_weights() -> None:
    mine, library = MyAlbert(SMALL), AlbertForPreTraining(SMALL)
    assert list(mine.state_dict()) == list(library.state_dict())
    mine.load_state_dict(library.state_dict())
    library.load_state_dict(mine.state_dict())
    assert mine.num_parameters() == library.num_parameters()


def test_scores_everywhere_at_positions_and_at_positions_out_of_order() -> None:
    mine = MyAlbert(SMALL).eval()
    library, batch = mine.as_library(), drawn_batch(SMALL)
    given = batch.input_ids, batch.attention_mask, batch.token_type_ids
    for positions in (None, batch.masked_positions, torch.tensor([30, 2, 2, 0, 9])):
        ours, theirs = (
            model(*given, masked_positions=positions, output_hidden_states=True)
            for model in (mine, library)
        )
        assert ours.prediction_logits.shape == theirs.prediction_logits.shape
        torch.testing.assert_close(ours.prediction_logits, theirs.prediction_logits)
        torch.testing.assert_close(ours.sop_logits, theirs.sop_logits)
        assert len(ours.hidden_states) == len(theirs.hidden_states)
    torch.testing.assert_close(
        mine(batch.input_ids).sop_logits, library(batch.input_ids).sop_logits
    )
    expected = pretraining_loss(library, batch)
    for name, loss in mine.losses(batch).items():
        torch.testing.assert_close(loss, expected[name])


def test_what_the_pieces_do_not_know_is_refused() -> None:
    for change in ({"sharing": "none"}, {"hidden_dropout_prob": 0.1}, {"hidden_act": "relu"}):
        with pytest.raises(ConfigError, match="my ALBERT has pieces for"):
            MyAlbert(SMALL.replace(**change))
    ids = drawn_batch(SMALL).input_ids
    for named in ({"inputs_embeds": torch.zeros(1, 2, 16)}, {"labels": ids}):
        with pytest.raises(InputError, match="My ALBERT takes no"):
            MyAlbert(SMALL)(ids, **named)
    with pytest.raises(InputError, match="scores alone"):
        MyAlbert(SMALL)(ids, output_attentions=True)


def shifted(id: str) -> Callable[..., Any]:
    """A piece whose answer is a little off."""

    def wrong(*arguments: Any, **named: Any) -> Any:
        answer = ALL_PIECES[id](*arguments, **named)
        if isinstance(answer, list):
            return [*answer[:-1], answer[-1] * 1.01]
        return (answer[0] * 1.01, answer[1]) if isinstance(answer, tuple) else answer * 1.01

    return wrong


@pytest.mark.parametrize("id", MODEL_PIECES)
def test_the_piece_that_differs_is_named(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    pieces = Pieces({**all_mine(), id: shifted(id)})
    mine = MyAlbert(SMALL, pieces)
    print_agreement(mine)
    said = capsys.readouterr().out
    assert said.startswith(f"{id}: with your {ALL_PIECES[id].__name__} the ")
    assert said.count("\n") == 1 and "the library's stands in" in said
    assert id not in mine.pieces.own and disagreement(SMALL, mine.pieces).agrees


def test_two_that_differ_are_both_named() -> None:
    own = {**all_mine(), "3.4": shifted("3.4"), "4.5": shifted("4.5")}
    assert find_disagreeing(SMALL, Pieces(own)) == ["3.4", "4.5"]


def test_a_loss_without_a_gradient_differs() -> None:
    own = {"4.3": lambda logits, labels: MODEL_PIECES["4.3"](logits.detach(), labels)}
    assert disagreement(SMALL, Pieces(own)).first == "gradients"
    assert find_disagreeing(SMALL, Pieces(own)) == ["4.3"]


@pytest.mark.parametrize("id", MODEL_PIECES)
def test_a_piece_that_raises_gives_way_with_one_sentence(
    id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def raises(*arguments: Any, **named: Any) -> Any:
        raise ValueError("not today")

    pieces = Pieces({**all_mine(), id: raises})
    assert disagreement(SMALL, pieces).agrees
    said = capsys.readouterr().out
    name = ALL_PIECES[id].__name__
    assert said == f"{id}: your {name} raises ValueError (not today); the library's stands in.\n"
    assert pieces.own == [each for each in ALL_PIECES if each != id]


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, english_tokenizer: AlbertTokenizer
) -> TokenStore:
    words = "the old baker walks to the mill before dawn and carries flour home".split()
    rng = np.random.default_rng(0)
    documents = [
        [" ".join(rng.choice(words, size=rng.integers(3, 20))) + "." for _ in range(8)]
        for _ in range(40)
    ]
    folder = tmp_path_factory.mktemp("text") / "store"
    return TokenStore.build(folder, [*documents, ["Alone."]], english_tokenizer)


def test_batches_are_what_pretraining_asks_for(
    store: TokenStore, english_tokenizer: AlbertTokenizer
) -> None:
    batches = MyBatches(
        store, english_tokenizer, Pieces(all_mine()), MaskingConfig(rate=0.3), 400, 32, seed=1
    )
    batch = batches.batch()
    assert batch.input_ids.shape == (400, 32)
    flat, mask = batch.input_ids.flatten(), batch.attention_mask.flatten()
    assert (mask[batch.masked_positions] == 1).all() and (flat[mask == 0] == 0).all()
    shown, is_special = flat[batch.masked_positions], english_tokenizer.is_special
    assert 0.75 < (shown == english_tokenizer.mask_token_id).float().mean() < 0.85
    assert 0.07 < (shown == batch.masked_labels).float().mean() < 0.13
    assert 0.2 < len(batch.masked_positions) / mask.sum() < 0.35
    assert not torch.from_numpy(is_special)[batch.masked_labels].any()
    assert 0.4 < batch.sop_labels.float().mean() < 0.6
    first = (batch.token_type_ids == 0).logical_and(batch.attention_mask == 1).sum(1).float()
    lengths = [first[batch.sop_labels == label].mean() for label in (0, 1)]
    assert abs(lengths[0] - lengths[1]) < 3  # nothing of the order shows in the lengths


def test_training_by_own_pieces_comes_down_and_calls_them_all(
    store: TokenStore, english_tokenizer: AlbertTokenizer
) -> None:
    called: set[str] = set()

    def noted(id: str) -> Callable[..., Any]:
        def piece(*arguments: Any, **named: Any) -> Any:
            called.add(id)
            return ALL_PIECES[id](*arguments, **named)

        return piece

    config = SMALL.replace(vocab_size=english_tokenizer.vocab_size, initializer_range=0.05)
    mine = MyAlbert(config, Pieces({id: noted(id) for id in ALL_PIECES}))
    curve = mine.learn(3, store=store, tokenizer=english_tokenizer)
    assert called == set(ALL_PIECES)
    assert curve.uniform == math.log(8000) and curve.unigram == store.unigram_entropy()
    assert abs(curve.first - curve.uniform) < 0.5
    assert curve.last < curve.uniform - 1
    assert curve.seconds < 15 and curve.steps == len(curve.sop_loss)
    assert not mine.training and len(mine.pieces.own) == len(ALL_PIECES)
    assert len(FillMask(mine, english_tokenizer)("the old [MASK]", top_k=3)) == 3
    figure, alt = draw_my_curve(curve)
    assert f"(here: {curve.steps} steps" in alt and figure.axes[0].get_ylabel()


def test_a_training_piece_that_raises_gives_way(
    store: TokenStore, english_tokenizer: AlbertTokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    def raises(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError("tired")

    own = dict.fromkeys(("2.1", "2.2", "2.3", "5.1", "5.2", "5.3"), raises)
    config = SMALL.replace(vocab_size=english_tokenizer.vocab_size)
    mine = MyAlbert(config, Pieces(own))
    curve = mine.learn(0.1, store=store, tokenizer=english_tokenizer)
    said = capsys.readouterr().out.splitlines()
    assert curve.steps == 10 and len(said) == len(own) and mine.pieces.own == []


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_seconds_are_checked(seconds: float) -> None:
    with pytest.raises(InputError, match="above 0"):
        learn(MyAlbert(SMALL), Pieces(), seconds)


MINE = """
import torch

def mlm_loss(logits, labels):
    chosen = labels != -100
    if not chosen.any():
        return logits.float().sum() * 0
    return torch.nn.functional.cross_entropy(logits[chosen].float(), labels[chosen])

def lamb_update(*anything, **settings):
    return 3
"""


def test_functions_of_a_file_of_one_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_albert.py").write_text(MINE)
    mine = my_albert(tmp_path / "my_albert.py", config=SMALL)
    said = capsys.readouterr().out
    assert mine.pieces.own == ["4.3"]
    assert "5.1: lamb_update of my_albert.py is not right: alone, it answers otherwise." in said
    assert "(here: 1 yours, 21 the library's)" in said
    assert "  4.3 mlm_loss             (here: yours)" in said
    assert "With the same weights, the library's numbers" in said


def test_nothing_solved_prints_the_same_text_but_for_what_is_here(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    texts = []
    (tmp_path / "my_albert.py").write_text(MINE.partition("def lamb")[0])
    for file in (None, tmp_path / "my_albert.py"):
        before = torch.get_rng_state()
        my_albert(file, config=SMALL)
        assert torch.equal(torch.get_rng_state(), before)
        texts.append(re.sub(r"\(here: [^)]*\)", "", capsys.readouterr().out))
    assert texts[0] == texts[1]


def test_weights_follow_from_the_seed() -> None:
    def weight(seed: int) -> Tensor:
        return my_albert(config=SMALL, seed=seed).mlm_head.dense.weight

    assert torch.equal(weight(1), weight(1)) and not torch.equal(weight(1), weight(2))


def test_while_a_class_is_graded_nobody_s_kept_answers_count_and_training_is_short(
    monkeypatch: pytest.MonkeyPatch, store: TokenStore, english_tokenizer: AlbertTokenizer
) -> None:
    answers_folder().mkdir(parents=True)
    answer_path("4.3").write_text(MINE.partition("def lamb")[0])
    config = SMALL.replace(vocab_size=8000)
    assert my_albert(config=config).pieces.own == ["4.3"]
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    mine = my_albert(config=config)
    assert mine.pieces.own == []
    began = time.monotonic()
    mine.learn(600, store=store, tokenizer=english_tokenizer)
    assert time.monotonic() - began < 60
