"""Two processes train as one does: the same rows, losses and weights, and one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrain_cases import weighted_loss
from safetensors.torch import load_file
from torch import Tensor

from albert_lib.__main__ import main
from albert_lib.diagnosis import Measurements
from albert_lib.errors import ConfigError
from albert_lib.files import project_folder
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import PretrainingBatches
from albert_lib.training import History, Recipe, distributed, load_latest, pretrain

pytestmark = [
    pytest.mark.skipif(
        not torch.distributed.is_available(), reason="this build of PyTorch has no processes"
    ),
    pytest.mark.skipif(
        sys.platform == "win32", reason="PyTorch for Windows may lack libuv, which torchrun uses"
    ),
]

SHORT = Recipe(
    steps=12, batch_size=7, sequence_length=32, learning_rate=0.02, warmup_steps=2,
    evaluate_every=5, evaluation_batches=3, checkpoint_every=2, precision="float32",
)  # fmt: skip
RECIPES = {
    "whole": SHORT,
    "in parts": SHORT.replace(accumulation=3, optimizer="adamw"),
    "dropout": SHORT.replace(batch_size=8),
    "stopped": SHORT,
    "weighted": SHORT.replace(accumulation=2),
}
HOW: dict[str, dict[str, Any]] = {
    "whole": {"saves": True},
    "stopped": {"saves": True, "stops_at": 7},
    "weighted": {"weighted": True},
}
DROPOUT = {"dropout": 0.3}


def torchrun(*words: str | Path, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    """Start two processes on this machine, each with one thread, and wait for them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
    return subprocess.run(
        [*command, *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(project_folder())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True)
class Seen:
    """What one process was left with after a case."""

    rows: list[dict[str, float]]
    ids: list[list[list[int]]]  # of each step, of each of its rows
    weights: dict[str, Tensor]


def fresh_model(world: Any, name: str, seed: int = 0) -> AlbertForPreTraining:
    """The model of a case, without any dropout unless that is what the case is about."""
    dropout = DROPOUT.get(name, 0.0)
    config = world.model(dropout).config.replace(classifier_dropout_prob=dropout)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AlbertForPreTraining(config)


def pretrain_cases(
    world: Any, output: Path, how: dict[str, dict[str, Any]], restarts: int = 0
) -> None:
    """Run some of RECIPES in two processes."""
    cases = {}
    for name, settings in how.items():
        config = fresh_model(world, name).config.to_dict()
        recipe = {k: v for k, v in RECIPES[name].to_dict().items() if k != "masking"}
        del config["model_type"]
        cases[name] = {"model": config, "recipe": recipe, **settings}
    output.mkdir(exist_ok=True)
    (output / "cases.json").write_text(json.dumps(cases))
    program = Path(__file__).with_name("pretrain_cases.py")
    done = torchrun(program, world.folder, output / "cases.json", output, restarts=restarts)
    assert done.returncode == 0, done.stderr


def read(output: Path, name: str, process: int) -> Seen:
    """Read what a process wrote down."""
    found = json.loads((output / f"{name}-{process}.json").read_text())
    return Seen(found["rows"], found["seen"], load_file(output / f"{name}-{process}.safetensors"))


@pytest.fixture(scope="module")
def two(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every recipe, run in two processes that nobody disturbs."""
    output = tmp_path_factory.mktemp("two")
    pretrain_cases(world, output, {name: HOW.get(name, {}) for name in RECIPES})
    return output


def alone(world: Any, name: str, **changes: Any) -> tuple[AlbertForPreTraining, History]:
    """The same recipe in this process."""
    model = fresh_model(world, name)
    recipe = RECIPES[name].replace(**changes)
    history = pretrain(
        model, world.store, world.tokenizer, recipe,
        held_out=world.held_out, measure=Measurements, progress=False,
        loss_function=weighted_loss if name == "weighted" else None,
    )  # fmt: skip
    return model, history


def assert_close(model: AlbertForPreTraining, weights: dict[str, Tensor]) -> None:
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.detach(), weights[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("whole", {}),
        ("in parts", {}),
        ("dropout", {"accumulation": 2}),
        ("weighted", {"accumulation": 1}),
    ],
)
def test_losses_and_weights_are_those_of_one_process(
    name: str, changes: dict[str, Any], world: Any, two: Path
) -> None:
    # With dropout, one process draws the same where it cuts a batch into as many parts.
    model, history = alone(world, name, **changes)
    for process in (0, 1):
        seen = read(two, name, process)
        assert len(seen.rows) == len(history.rows) == 12
        for ours, theirs in zip(seen.rows, history.rows, strict=True):
            assert ours.keys() == theirs.keys()
            for column in ours.keys() - {"seconds"}:
                assert ours[column] == pytest.approx(theirs[column], rel=0, abs=1e-5), column
        assert_close(model, seen.weights)
    one, other = (read(two, name, process).weights for process in (0, 1))
    assert all(torch.equal(one[each], other[each]) for each in one), "the two went apart"


@pytest.mark.parametrize("name", ["whole", "in parts"])
def test_together_they_read_every_batch_in_its_order(name: str, world: Any, two: Path) -> None:
    batches = PretrainingBatches(world.store, world.tokenizer, batch_size=7, sequence_length=32)
    first, second = (read(two, name, process).ids for process in (0, 1))
    assert len(first) == len(second) == 12
    for step in range(12):
        assert first[step] and second[step]
        assert first[step] + second[step] == batches.batch(step).input_ids.tolist()


def test_there_is_one_checkpoint_folder_and_one_model(two: Path) -> None:
    names = sorted(path.name for path in (two / "whole").iterdir())
    assert names == ["checkpoint-00000010", "checkpoint-00000012", "history.jsonl", "model"]
    saved = AlbertForPreTraining.from_pretrained(two / "whole" / "model")
    assert_close(saved, read(two, "whole", 1).weights)


def test_a_killed_worker_is_started_again_and_changes_nothing(
    world: Any, two: Path, tmp_path: Path
) -> None:
    pretrain_cases(world, tmp_path, {"whole": {"saves": True, "dies_at": 7}}, restarts=2)
    for process in (0, 1):
        killed, undisturbed = (read(each, "whole", process) for each in (tmp_path, two))
        assert len(killed.ids) == 6, "the second attempt began at step 6, where it was saved"
        assert killed.ids == undisturbed.ids[6:]
        for name, weight in undisturbed.weights.items():
            assert torch.equal(killed.weights[name], weight), name
        assert [row["loss"] for row in killed.rows] == [row["loss"] for row in undisturbed.rows]


def test_one_process_goes_on_where_two_stopped(world: Any, two: Path) -> None:
    resumed = fresh_model(world, "stopped", seed=99)
    how = {"held_out": world.held_out, "measure": Measurements}
    how |= {"output": two / "stopped", "progress": False}
    with pytest.warns(UserWarning, match=r"parts\.processes=2, but 1 was requested: it resumes"):
        history = pretrain(resumed, world.store, world.tokenizer, SHORT, **how)
    straight, expected = alone(world, "whole")
    assert history.column("loss") == pytest.approx(expected.column("loss"), rel=0, abs=1e-5)
    for ours, theirs in zip(resumed.parameters(), straight.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_the_command_line_trains_in_two_processes_and_speaks_once(
    world: Any, tmp_path: Path
) -> None:
    text, config = tmp_path / "text.txt", tmp_path / "config.json"
    days = ["\n".join(f"the baker {deed} {number}." for deed in "ab") for number in range(60)]
    text.write_text("\n\n".join(days), encoding="utf-8")
    config.write_text(json.dumps(fresh_model(world, "whole").config.to_dict()), encoding="utf-8")
    words: list[str | Path] = ["--config", config, "--tokenizer", world.folder / "tokenizer"]
    words += "--steps 11 --batch-size 5 --sequence-length 32 --warmup-steps 1".split()
    words += "--evaluate-every 4 --evaluation-batches 3 --checkpoint-every 5".split()
    words += ["--precision", "float32", "--corpus"]

    both = ("-m", "albert_lib", "pretrain", *words)
    to_two = ("--output", tmp_path / "two")
    done = torchrun(*both, text, *to_two)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" parameters; ") == done.stdout.count("The run is in ") == 1
    assert "11/11" in done.stderr, "there is a bar"

    alone = ("pretrain", *words, tmp_path / "two" / "corpus", "--output", tmp_path / "one")
    assert main([str(word) for word in alone]) == 0
    one, two = (
        load_latest(tmp_path / each).history  # type: ignore[union-attr]
        for each in ("one", "two")
    )
    for column in ("loss", "mlm_loss", "sop_loss", "gradient_norm", "held_out_mlm_loss"):
        assert two.column(column) == pytest.approx(one.column(column), rel=0, abs=1e-5)

    everyone = torchrun(*both, text, *to_two, "--seed", "1")
    first_alone = torchrun(*both, tmp_path / "two" / "corpus", "--output", text)
    for refused, sentence in (
        (everyone, "holds a run with recipe.seed=0, but 1 was requested"),
        (first_alone, "text.txt cannot be written to (File exists); name another"),
    ):
        assert refused.returncode != 0
        assert refused.stderr.count(sentence) == 1, refused.stderr
        assert "pretraining.py" not in refused.stderr, "a traceback beside the sentence"


WAITING = """
import sys, time
import torch
import torch.distributed as dist
from albert_lib.training import distributed

init = dist.init_process_group

def init_with_seconds_for_hours(*arguments, store, timeout, **settings):
    store.add("here", 1)
    while store.add("here", 0) < 2:
        time.sleep(0.1)
    init(*arguments, store=store, timeout=timeout / 1200, **settings)

dist.init_process_group = init_with_seconds_for_hours
try:
    with distributed.joined("cpu"):
        distributed.run_on_first(lambda: time.sleep(5))
        print("waited", flush=True)
        time.sleep(0 if distributed.is_first() else 100)
        distributed.all_reduce([torch.zeros(1)])
except distributed.ProcessError as problem:
    print(problem, file=sys.stderr)
    sys.exit(2)
"""


def test_the_first_may_take_its_time_and_a_process_that_hangs_may_not(tmp_path: Path) -> None:
    program = tmp_path / "waiting.py"
    program.write_text(WAITING, encoding="utf-8")
    began = time.monotonic()
    done = torchrun(program)
    assert done.stdout.count("waited") == 2, done.stderr
    assert done.stderr.count("Another process of this run is gone or cannot be reached") == 1
    assert time.monotonic() - began < 90, "it was noticed, not waited for"


@pytest.mark.parametrize("port", ["", "9"])
def test_processes_that_do_not_meet_say_so(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "TIMEOUT", timedelta(seconds=1))
    with (
        pytest.raises(distributed.ProcessError, match=r"does not find the others .*; see that"),
        distributed.joined("cpu"),
    ):
        pass


def test_rows_are_dealt_out_in_order_and_nearly_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "world_size", lambda: 3)
    dealt = []
    for process in range(3):
        monkeypatch.setattr(distributed, "rank", lambda process=process: process)
        dealt += distributed.own_rows(17, accumulation=2)
    assert [row for rows in dealt for row in range(17)[rows]] == list(range(17))
    assert {rows.stop - rows.start for rows in dealt} == {2, 3}
    with pytest.raises(ConfigError, match=r"batch_size is 5, .* 3 processes × 2 parts; raise"):
        distributed.own_rows(5, accumulation=2)


def test_a_device_that_is_not_there_is_named() -> None:
    assert distributed.own_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="device is 'gpu'; name one such as cpu"):
        distributed.own_device("gpu")
    if not torch.cuda.is_available():
        for name in ("cuda", "cuda:1"):
            with pytest.raises(ConfigError, match=f"device is {name}, but PyTorch sees no GPU"):
                distributed.own_device(name)


def test_a_gpu_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert distributed.own_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match="device is cuda:2, but the last GPU here is cuda:1"):
        distributed.own_device("cuda:2")
