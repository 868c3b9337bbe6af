"""python -m albert_lib evaluate: a card's table, printed and put into its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from albert_lib.commands.evaluate import BEGIN, CARD_HELD_OUT_EVERY, END
from albert_lib.corpus import TokenStore
from albert_lib.text import AlbertTokenizer

Run = Callable[..., str]
SENTENCES = ["The old man walks to the mill.", "He sleeps in the house by the river."]


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    TokenStore.build(tmp_path / "corpus" / "held-out", [SENTENCES] * 4, tokenizer)
    return tmp_path / "corpus"


@pytest.fixture
def probes(tmp_path: Path) -> Path:
    """A little of each set, in its authors' files."""
    folder = tmp_path / "data" / "probes"
    for name in ("blimp", "winobias", "bec_pro"):
        (folder / name).mkdir(parents=True)
    pair = {"sentence_good": "She sleeps.", "sentence_bad": "She sleep."}
    for paradigm in ("one", "two"):
        line = json.dumps({**pair, "UID": paradigm, "linguistics_term": "agreement"})
        (folder / "blimp" / f"{paradigm}.jsonl").write_text(f"{line}\n{line}\n")
    for half, pronouns in (("pro", ("he", "she")), ("anti", ("she", "he"))):
        lines = [
            f"[The {person}] slept because [{pronoun}] had time."
            for person, pronoun in zip(("driver", "nurse"), pronouns, strict=True)
        ]
        text = "\n".join(f"{number} {line}" for number, line in enumerate(lines * 2, 1))
        (folder / "winobias" / f"{half}_stereotyped_type2.txt.dev").write_text(text)
    return folder


def test_held_out_text_is_scored_beside_random_weights(
    run: Run, model: Path, held_out: Path
) -> None:
    printed = run("evaluate", model, "--held-out", held_out, "--rows", "8")
    lines = printed.splitlines()
    assert lines[0].split() == "score model 95 % interval random weights of unit".split()
    names = [line.split("  ")[0] for line in lines[1:8]]
    assert names[0] == "plain: loss" and names[6] == "SOP accuracy"
    loss, random = (float(lines[1].split()[i]) for i in (2, 6))
    assert loss < random
    assert lines[9].startswith("The man worked as a [MASK]. ")
    assert lines[10].startswith("The woman worked as a [MASK]. ")
    inner = run("evaluate", model, "--held-out", held_out / "held-out", "--rows", "8")
    assert inner == printed, "the store itself does as well"


def test_the_card_gets_the_table_and_keeps_the_rest(
    run: Run, model: Path, held_out: Path, tmp_path: Path
) -> None:
    card = tmp_path / "README.md"
    card.write_text(f"# A card\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n", encoding="utf-8")
    words = ("evaluate", model, "--held-out", held_out, "--rows", "8", "--card", card)
    printed = run(*words)
    text = card.read_text(encoding="utf-8")
    assert text.startswith(f"# A card\n\n{BEGIN}\n| score | model |")
    assert text.endswith(f"\n{END}\n\nThe rest.\n") and "old" not in text
    shown = [line.split() for line in printed.splitlines() if line.startswith("SOP")]
    (row,) = (line for line in text.splitlines() if line.startswith("| SOP"))
    assert [cell.strip() for cell in row.strip("|").split("|")][1] == shown[0][2]
    run(*words)
    assert card.read_text(encoding="utf-8") == text, "the same numbers again"


def test_all_takes_what_the_variable_names(
    run: Run, model: Path, probes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = probes.parent / "corpus"
    corpus.mkdir()
    documents = ["\n".join(SENTENCES)] * (CARD_HELD_OUT_EVERY * 2)
    (corpus / "a.txt").write_text("\n\n".join(documents), encoding="utf-8")
    table = [
        ("", "Sentence", "Sent_AM", "Sent_TM", "Sent_TAM", "Template", "Person", "Gender",
         "Profession", "Prof_Gender"),
        ("1", "He is a nurse.", "[MASK] is a nurse.", "He is a [MASK].", "[MASK] is a [MASK].",
         "1", "he", "male", "nurse", "female"),
        ("2", "She is a nurse.", "[MASK] is a nurse.", "She is a [MASK].", "[MASK] is a [MASK].",
         "1", "she", "female", "nurse", "female"),
    ]  # fmt: skip
    lines = "\n".join("\t".join(row) for row in table)
    (probes / "bec_pro" / "BEC-Pro_EN.tsv").write_text(lines)
    monkeypatch.setenv("ALBERT_SHARED_DATA", str(probes.parent))
    monkeypatch.setenv("ALBERT_LIB_HOME", str(tmp_path / "home"))
    printed = run("evaluate", model, "--all", "--rows", "8")
    for name in ("plain: loss", "blimp: accuracy", "blimp: term agreement", "winobias: type 2"):
        assert f"\n{name}" in printed
    assert "paradigm" not in printed
    (store,) = (tmp_path / "home" / "build" / "evaluation").iterdir()
    assert TokenStore.open(store).n_documents == 2


def test_what_cannot_be_scored_is_one_sentence(
    refusal: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALBERT_SHARED_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("ALBERT_LIB_HOME", str(tmp_path / "home"))  # without a corpus built before
    assert "corpus is missing; let ALBERT_SHARED_DATA name a folder" in refusal(
        "evaluate", model, "--all"
    )
    assert "--rows is 1; make it at least 2." in refusal("evaluate", model, "--rows", "1")
    card = tmp_path / "README.md"
    card.write_text("# A card\n", encoding="utf-8")
    assert f"has no place for scores; write {BEGIN} and {END}" in refusal(
        "evaluate", model, "--card", card
    )
    assert "nowhere" in refusal("evaluate", tmp_path / "nowhere")


def test_a_store_of_another_vocabulary_is_refused(
    refusal: Run, model: Path, tmp_path: Path
) -> None:
    other = AlbertTokenizer.train(["the old mill", "the old man", "a mill"], vocab_size=26)
    TokenStore.build(tmp_path / "store", [SENTENCES], other)
    assert "vocabulary" in refusal("evaluate", model, "--held-out", tmp_path / "store")
