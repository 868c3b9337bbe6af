"""Threads that wait: they spin while nobody is hindered, and no digit depends on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from albert_lib import openmp
from albert_lib.files import project_folder
from albert_lib.openmp import WAIT_SETTINGS, ShortSpins, Watch

# Two threads; a parallel region, then a pause in which its threads wait. What they use up then is
# counted in instructions, and hardly depends on what else the machine does.
MEASURE = """
import json, sys, threading, time
import sentencepiece  # brings an OpenMP library of its own
import torch
from albert_lib import openmp
from albert_lib.openmp import ShortSpins

torch.set_num_threads(2)
numbers = torch.linspace(0, 1, 200_000)


def seconds_of_processors():
    began = time.process_time()
    for _ in range(30):
        numbers.add_(1e-9)
        time.sleep(0.004)
    return time.process_time() - began


def trained(spins):
    torch.manual_seed(0)
    layer = torch.nn.Linear(300, 300)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.01)
    for step in range(12):
        if spins is not None:
            (spins.end if step % 4 == 2 else spins.begin if step % 2 else int)(*[2] * (step % 2))
        loss = (layer(numbers[:150_000].view(-1, 300)).softmax(-1) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [loss.item().hex(), layer.weight.sum().item().hex(), layer.weight.std().item().hex()]


spins, used = ShortSpins(), {}
seconds_of_processors()
for name in ("spinning", "asleep", "spinning again"):
    (spins.begin if name == "asleep" else lambda threads: spins.end())(2)
    time.sleep(0.1)  # until threads that are no longer needed have ended
    used[name] = seconds_of_processors()
bits = [trained(None), trained(spins), trained(None)]
openmp.share_processors()
openmp.share_processors()
watches = [each.name for each in threading.enumerate() if "albert_lib" in each.name]
print(json.dumps({"used": used, "bits": bits, "watches": len(watches)}))
"""


def measured(**settings: str) -> dict[str, Any]:
    names = {*WAIT_SETTINGS, "OMP_NUM_THREADS"}
    environment = {k: v for k, v in os.environ.items() if k not in names} | settings
    environment["PYTHONPATH"] = str(project_folder())
    shown = subprocess.run(
        [sys.executable, "-c", MEASURE],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    result: dict[str, Any] = json.loads(shown.stdout)
    return result


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch has another OpenMP here")
@pytest.mark.skipif(len(openmp.allowed_processors()) < 2, reason="there is one processor")
def test_threads_sleep_at_once_spin_again_and_compute_the_same_bits() -> None:
    result = measured()
    used = result["used"]
    assert used["asleep"] < used["spinning"] / 3 and used["asleep"] < used["spinning again"] / 3
    assert result["bits"][0] == result["bits"][1] == result["bits"][2]
    assert result["watches"] == 1


@pytest.mark.parametrize("name", WAIT_SETTINGS)
def test_what_the_user_has_set_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_watch", None)
    for each in WAIT_SETTINGS:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "1000")
    openmp.share_processors()
    assert openmp._watch is None
    assert openmp.how_threads_wait() == f"as {name}=1000 says"


class Counted(ShortSpins):
    """Notes what it is asked for."""

    def begin(self, threads: int) -> None:
        self.threads = threads

    def end(self) -> None:
        self.threads = 0


def test_threads_sleep_as_long_as_others_need_the_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openmp, "allowed_processors", lambda: {0, 1})
    watch = Watch()
    watch.short_spins = Counted()

    def looks(*others: float | None, threads: int = 2) -> list[int]:
        asleep = []
        for each in others:
            watch.look(each, threads)
            asleep.append(watch.short_spins.threads)
        return asleep

    assert looks(None, 0.0, 0.2) == [0, 0, 0]  # a little use hinders nobody
    assert looks(0.5, 0.2, 0.2, 0.2, 0.2, 0.2) == [2] * 6  # nor is it quiet
    assert looks(0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0) == [2] * 6 + [0]
    assert looks(1.1, threads=1) == [0]  # one thread waits for nobody
    monkeypatch.setattr(openmp, "allowed_processors", lambda: set(range(8)))
    assert looks(5.0, 6.5) == [0, 2]  # there is room for five neighbours beside two threads


@pytest.mark.parametrize(("others", "expected"), [(1.4, "0"), (0.1, None), (None, None)])
def test_elsewhere_the_choice_is_made_before_pytorch_is_loaded(
    others: float | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openmp, "_watch", None)
    monkeypatch.setattr(openmp, "allowed_processors", lambda: {0, 1})
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(openmp.OthersUse, "_read", lambda self: None)
    monkeypatch.setattr(openmp.OthersUse, "since_last", lambda self: others)
    for each in WAIT_SETTINGS:
        monkeypatch.setenv(each, "")
        monkeypatch.delenv(each)
    openmp.share_processors()
    assert openmp._watch is None
    assert os.environ.get("KMP_BLOCKTIME") == expected
