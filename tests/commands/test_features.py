"""python -m albert_lib features: what is shown, and the numbers in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib import AlbertForMaskedLM
from albert_lib.probing import Features

TEXTS = ["Replace me by any text you'd like.", "日本 café"]


@pytest.fixture(scope="module")
def features(model: Path) -> Features:
    return Features.from_pretrained(model)


def test_a_line_a_piece_with_the_beginning_of_its_vector(
    run: Any, model: Path, features: Features
) -> None:
    heading, shape, columns, *rows, pooled = run("features", "--model", model, TEXTS[0]).split(
        "\n"
    )[:-1]
    expected = features(TEXTS[0])
    assert heading == TEXTS[0]
    assert shape.strip() == f"last_hidden_state: {len(rows)} tokens × 256 numbers"
    assert columns.split()[:3] == ["token", "id", "length"]
    for row, piece, token, vector in zip(
        rows, expected.tokens, expected.input_ids, expected.last_hidden_state, strict=True
    ):
        shown_piece, shown_token, length, *numbers = row.removesuffix(" …").split()
        assert (shown_piece, int(shown_token)) == (piece, token)
        assert float(length) == pytest.approx(float(vector.norm()), abs=1e-3)
        assert [float(number) for number in numbers] == pytest.approx(vector[:5].tolist(), abs=1e-4)
    numbers = pooled.split(", ")[1].removesuffix(" …").split()
    assert expected.pooler_output is not None
    assert [float(n) for n in numbers] == pytest.approx(
        expected.pooler_output[:5].tolist(), abs=1e-4
    )


def test_the_file_holds_every_number_and_no_pickle(
    run: Any, model: Path, features: Features, tmp_path: Path
) -> None:
    file = tmp_path / "features.npz"
    assert f"{file}: texts, input_ids_0" in run(
        "features", "--model", model, *TEXTS, "--output", file
    )
    expected = features(TEXTS)
    with np.load(file, allow_pickle=False) as stored:
        assert stored["texts"].tolist() == TEXTS
        assert stored["pooler_output"].shape == (2, 256)
        for number, of_text in enumerate(expected):
            assert stored[f"pieces_{number}"].tolist() == of_text.tokens
            assert stored[f"input_ids_{number}"].tolist() == of_text.input_ids.tolist()
            states = torch.from_numpy(stored[f"last_hidden_state_{number}"])
            assert torch.equal(states, of_text.last_hidden_state)
            assert of_text.pooler_output is not None
            assert torch.equal(
                torch.from_numpy(stored["pooler_output"][number]), of_text.pooler_output
            )
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_without_a_pooler_says_so(run: Any, model: Path, tmp_path: Path) -> None:
    AlbertForMaskedLM.from_pretrained(model).save_pretrained(tmp_path / "masked")
    (tmp_path / "masked" / "spiece.model").write_bytes((model / "spiece.model").read_bytes())
    file = tmp_path / "features.npz"
    shown = run("features", "--model", tmp_path / "masked", TEXTS[0], "--output", file)
    assert "pooler_output: none" in shown
    with np.load(file, allow_pickle=False) as stored:
        assert "pooler_output" not in stored
        assert stored["last_hidden_state_0"].shape == (12, 256)


def test_texts_come_from_a_pipe_too(run: Any, model: Path, typed: Any) -> None:
    typed("\n".join(TEXTS).encode())
    assert run("features", "--model", model, "--file", "-") == run(
        "features", "--model", model, *TEXTS
    )


def test_a_file_that_cannot_be_written_is_one_sentence_and_leaves_nothing(
    refusal: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    for output, reason in (
        ("gone/f.npz", "cannot be written (No such file"),
        ("taken", "is a fol"),
    ):
        words = ("features", "--model", model, "a", "--output", tmp_path / output)
        assert f"{tmp_path / output} {reason}" in refusal(*words)
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


def test_a_text_that_is_too_long_is_one_sentence(refusal: Any, model: Path) -> None:
    assert "cut it into several" in refusal("features", "--model", model, "the " * 600)
