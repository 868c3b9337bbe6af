"""The figures of chapter 2: boxes keep words whole, and their words say what is drawn."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

from albert_lib.corpus import TokenStore
from albert_lib.files import data_folder
from albert_lib.objectives import MaskingConfig, SegmentPairs
from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.drawings import chapter_02 as drawings
from albert_lib.workbook.drawings import pieces as pieces_in_boxes

BAKER = ["The baker walks.", "The miller fills two sacks.", "The baker lights the oven."]
FERRY = ["The ferry leaves.", "Nobody is missing.", "The lights grow small."]


@pytest.fixture(scope="module")
def tokenizer() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_words_stay_in_one_line_and_lines_in_the_figure() -> None:
    pieces = ["[CLS]", *["▁un", "bel", "ievably", "▁the", ",", "[MASK]", "s"] * 12, "[SEP]"]
    found = pieces_in_boxes.places(pieces)
    for (before, after), piece in zip(pairwise(found), pieces[1:], strict=True):
        if piece in ("bel", "ievably", ",", "s"):
            assert after[1] == before[1]  # the line
        assert (after[1], after[0]) > (before[1], before[0])
    ends = [left + len(piece) for piece, (left, _) in zip(pieces, found, strict=True)]
    assert max(ends) < pieces_in_boxes.LINE and found[-1][1] > 1


def test_expected_lengths_are_the_papers() -> None:
    np.testing.assert_allclose(drawings.expected_lengths(3), [6 / 11, 3 / 11, 2 / 11])


def test_the_explorer_says_how_much_is_masked(tokenizer: AlbertTokenizer) -> None:
    ids = tokenizer.encode(" ".join(BAKER), " ".join(FERRY))
    for share, max_ngram in ((0.05, 1), (0.6, 5)):
        config = MaskingConfig(rate=share, max_ngram=max_ngram)
        figure, alt = drawings.draw_masking(ids, tokenizer, config, seed=3)
        budget = round(share * len(ids))
        assert alt.startswith(f"{budget} of the {len(ids)} tokens")
        assert f"the budget is {budget}" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("kind", "n_shared", "said"),
    [
        ("in order", 1, "swapped? No"),
        ("swapped", 1, "swapped? Yes"),
        ("another document", 0, "No."),
    ],
)
def test_a_swap_keeps_what_segments_share(
    tokenizer: AlbertTokenizer, kind: str, n_shared: int, said: str
) -> None:
    common = {tokenizer.piece_id(piece) for piece in ("▁the", ".", "s", "▁light")}
    _, alt = drawings.draw_order((BAKER, FERRY), tokenizer, common, n_first=1, kind=kind)
    assert f"that both have: {n_shared}." in alt and said in alt


def test_pairs_are_drawn_inside_their_document(tokenizer: AlbertTokenizer, tmp_path) -> None:
    store = TokenStore.build(tmp_path / "store", [BAKER, FERRY], tokenizer)
    plans = [SegmentPairs(store, 20, seed=seed).plan(0) for seed in range(3)]
    figure, _ = drawings.draw_pairs(store, plans, document=1)
    length = store.n_tokens - store.sentence_starts[store.document_starts[1]]
    bars = [bar for bars in figure.axes[0].containers for bar in bars]
    assert len(bars) >= 3 + 2 * len(plans)
    assert all(bar.get_x() >= 0 and bar.get_x() + bar.get_width() <= length for bar in bars)
