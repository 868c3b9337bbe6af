"""A run that is stopped, killed or asked for again ends as if left alone, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from short_runs import (
    SHORT,
    assert_same_weights,
    pretrain_quietly,
    pretrain_until_killed,
    stop_after,
    without_time,
)

from albert_lib.corpus import TokenStore
from albert_lib.diagnosis import Measurements
from albert_lib.errors import CheckpointError
from albert_lib.files import read_json
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training import History, build_optimizer, pretrain, save_checkpoint
from albert_lib.training.same_run import describe_run


@pytest.mark.parametrize(
    ("optimizer", "precision"), [("lamb", "bfloat16"), ("adamw", "float32"), ("muon", "float32")]
)
def test_an_interrupted_run_ends_as_one_left_alone(
    optimizer: str, precision: str, world: Any, tmp_path: Path
) -> None:
    recipe = SHORT.replace(optimizer=optimizer, precision=precision)
    straight = world.model(dropout=0.2)
    how: dict[str, Any] = {"held_out": world.held_out, "measure": Measurements}
    expected = pretrain_quietly(world, straight, recipe, **how)

    how["output"] = tmp_path
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(0.2), recipe, on_step=stop_after(5), **how)
    resumed = world.model(dropout=0.2, seed=99)  # its weights come from the checkpoint
    history = pretrain_quietly(world, resumed, recipe, **how)
    assert_same_weights(resumed, straight)
    assert without_time(history) == without_time(expected)


def test_killed_at_a_step_and_killed_while_saving(world: Any, tmp_path: Path) -> None:
    straight = world.model(dropout=0.1)
    pretrain_quietly(world, straight, SHORT)

    for when in ("after step 5", "while writing"):
        assert pretrain_until_killed(world, SHORT, tmp_path, when)[-1] == "checkpoint-00000004"
    torn = tmp_path / "checkpoint-00000004" / "optimizer.safetensors"
    torn.write_bytes(torn.read_bytes()[:1000])

    resumed = world.model(dropout=0.1)
    with pytest.warns(UserWarning, match="checkpoint-00000004 is damaged"):
        pretrain_quietly(world, resumed, SHORT, output=tmp_path)
    assert_same_weights(resumed, straight)
    assert not list(tmp_path.glob(".checkpoint-*")), "what the kill left behind is swept up"


def test_killed_before_the_first_checkpoint(world: Any, tmp_path: Path) -> None:
    straight, again = world.model(dropout=0.1), world.model(dropout=0.1)
    expected = pretrain_quietly(world, straight, SHORT)
    assert pretrain_until_killed(world, SHORT, tmp_path, "after step 1") == []
    history = pretrain_quietly(world, again, SHORT, output=tmp_path)
    assert_same_weights(again, straight)
    assert without_time(history) == without_time(expected)


def test_killed_while_removing_and_while_writing_the_final_model(
    world: Any, tmp_path: Path
) -> None:
    straight, resumed = world.model(dropout=0.1), world.model(dropout=0.1)
    pretrain_quietly(world, straight, SHORT)
    saved = pretrain_until_killed(world, SHORT, tmp_path, "while removing an old one")
    assert saved == ["checkpoint-00000004", "checkpoint-00000006"]
    assert (tmp_path / ".checkpoint-00000002-old").is_dir()
    saved = pretrain_until_killed(world, SHORT, tmp_path, "while writing the final model")
    assert saved == ["checkpoint-00000006", "checkpoint-00000008"]
    assert not (tmp_path / "model").exists()
    assert sorted(path.name[:7] for path in tmp_path.glob(".*")) == [".lock", ".model-"]

    history = pretrain_quietly(world, resumed, SHORT, output=tmp_path)
    assert len(history) == 8
    assert_same_weights(resumed, straight)
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), straight)
    assert not list(tmp_path.glob(".*")), "what the kills left behind is swept up"


def test_another_accumulation_is_gone_on_with_and_said(world: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(), SHORT, output=tmp_path, on_step=stop_after(5))
    with pytest.warns(UserWarning, match=r"parts\.accumulation=1, but 2 was requested: it resumes"):
        history = pretrain_quietly(
            world, world.model(), SHORT.replace(accumulation=2), output=tmp_path
        )
    assert len(history) == 8


def test_other_threads_are_gone_on_with_and_said(world: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        pretrain_quietly(world, world.model(), SHORT, output=tmp_path, on_step=stop_after(5))
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.warns(UserWarning, match=rf"threads={before}, but .* but other last digits"):
            history = pretrain_quietly(world, world.model(), SHORT, output=tmp_path)
    finally:
        torch.set_num_threads(before)
    assert len(history) == 8


def test_a_run_whose_seed_gave_other_batches_is_not_gone_on_with(
    world: Any, tmp_path: Path
) -> None:
    recipe, model = SHORT, world.model()
    run = describe_run(model, world.store, world.tokenizer, recipe)
    del run["batches"]
    optimizer = build_optimizer(model, recipe)
    rows = [{"step": step, "loss": 1.0} for step in range(1, 5)]
    save_checkpoint(tmp_path, 4, History(rows), model=model, optimizer=optimizer, run=run)
    with pytest.raises(CheckpointError, match="batches=None, but 2 was requested"):
        pretrain_quietly(world, world.model(), recipe, output=tmp_path)


def sentences_of(store: TokenStore) -> list[list[list[int]]]:
    """The ids of every sentence of every document."""
    return [
        [
            store.ids[store.sentence_starts[number] : store.sentence_starts[number + 1]].tolist()
            for number in range(*store.document_starts[document : document + 2])
        ]
        for document in range(store.n_documents)
    ]


def test_the_text_in_another_order_is_another_run(world: Any, tmp_path: Path) -> None:
    pretrain_quietly(world, world.model(), SHORT, output=tmp_path / "run")
    documents = [
        [world.tokenizer.decode(sentence) for sentence in document]
        for document in reversed(sentences_of(world.store))
    ]
    turned = TokenStore.build(tmp_path / "turned", documents, world.tokenizer)
    assert turned.unigram_counts().tolist() == world.store.unigram_counts().tolist()
    with pytest.raises(CheckpointError, match=r"text\.fingerprint='"):
        pretrain(
            world.model(), turned, world.tokenizer, SHORT, output=tmp_path / "run", progress=False
        )


def test_a_checkpoint_of_something_else_is_not_gone_on_with(world: Any, tmp_path: Path) -> None:
    model = world.model()
    optimizer = build_optimizer(model, SHORT)
    save_checkpoint(tmp_path, 4, History(), model=model, optimizer=optimizer, run={"seed": 7})
    with pytest.raises(CheckpointError, match="holds a run with seed=7, but None was requested"):
        pretrain_quietly(world, world.model(), SHORT, output=tmp_path)


def test_a_disk_that_fills_up_at_the_end_costs_nothing(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise CheckpointError("model.safetensors could not be written; save elsewhere.")

    model = world.model()
    with monkeypatch.context() as patched:
        patched.setattr(AlbertForPreTraining, "save_pretrained", full)
        with pytest.raises(CheckpointError, match="from the last checkpoint and writes it"):
            pretrain_quietly(world, model, SHORT, output=tmp_path)
    assert not (tmp_path / "model").exists()
    steps: list[Any] = []
    pretrain_quietly(world, world.model(), SHORT, output=tmp_path, on_step=steps.append)
    assert steps == []
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), model)


def test_a_finished_run_comes_back_at_once(world: Any, tmp_path: Path) -> None:
    first = world.model()
    history = pretrain_quietly(world, first, SHORT, output=tmp_path)
    again, steps = world.model(seed=5), []
    how = {"output": tmp_path, "on_step": lambda row: steps.append(row)}
    assert pretrain_quietly(world, again, SHORT, **how).rows == history.rows
    assert steps == []
    assert_same_weights(again, first)
    assert_same_weights(AlbertForPreTraining.from_pretrained(tmp_path / "model"), first)
    tokenizer = AlbertTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.fingerprint == world.tokenizer.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 9}, r"recipe\.steps=8, but 9 was requested"),
        ({"learning_rate": 0.1}, r"recipe\.learning_rate=0\.02, but 0\.1"),
        ({"masking": MaskingConfig(rate=0.4)}, r"recipe\.masking\.rate=0\.15, but 0\.4"),
    ],
)
def test_another_recipe_in_the_same_folder_is_refused(
    changes: dict[str, Any], message: str, world: Any, tmp_path: Path
) -> None:
    pretrain_quietly(world, world.model(), SHORT, output=tmp_path)
    with pytest.raises(CheckpointError, match=message):
        pretrain_quietly(world, world.model(), SHORT.replace(**changes), output=tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.hidden_dropout_prob=0\.0, but 0\.3"):
        pretrain_quietly(world, world.model(dropout=0.3), SHORT, output=tmp_path)
    pretrain_quietly(world, world.model(), SHORT.replace(evaluate_every=1), output=tmp_path)


def test_the_measured_precision_stays_that_of_the_first_start(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = SHORT.replace(precision="auto")
    for precision, step in (("bfloat16", 4), ("float32", 6)):
        monkeypatch.setenv("ALBERT_LIB_PRECISION", precision)
        with pytest.raises(KeyboardInterrupt):
            pretrain_quietly(
                world, world.model(), recipe, output=tmp_path, on_step=stop_after(step)
            )
    saved = read_json(tmp_path / "checkpoint-00000006" / "state.json")
    assert saved["run"]["dtype"] == "bfloat16"


def test_a_model_that_no_run_there_has_made_is_not_replaced(world: Any, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.txt").write_text("Years of work.")
    with pytest.raises(CheckpointError, match=r"model is there, without a checkpoint .*move it aw"):
        pretrain_quietly(world, world.model(), SHORT, output=tmp_path)
    assert (tmp_path / "model" / "thesis.txt").read_text() == "Years of work."


def test_a_second_run_into_one_folder_is_told_so(world: Any, tmp_path: Path) -> None:
    told: list[str] = []

    def meet_another(_: object) -> None:
        with pytest.raises(CheckpointError, match="is being written by another run; wait") as info:
            pretrain_quietly(world, world.model(), SHORT, output=tmp_path)
        told.append(str(info.value))

    first = world.model()
    pretrain_quietly(world, first, SHORT, output=tmp_path, on_step=meet_another)
    assert len(told) == SHORT.steps
    straight = world.model()
    pretrain_quietly(world, straight, SHORT)
    assert_same_weights(first, straight)
    assert not list(tmp_path.glob(".*")), "the lock is gone"
