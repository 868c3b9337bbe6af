"""Training by a learner's own pieces: batches, schedule, optimizer and steps, for some seconds."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from albert_lib.corpus import TokenStore, python_documentation
from albert_lib.errors import InputError, StoreError
from albert_lib.files import build_folder, data_folder
from albert_lib.objectives import MaskingConfig, PretrainingBatch
from albert_lib.text import AlbertTokenizer
from albert_lib.training import parameter_groups
from albert_lib.training.lamb import lamb_update_in_place
from albert_lib.workbook.answer_files import is_graded
from albert_lib.workbook.my_batches import MyBatches
from albert_lib.workbook.my_pieces import Pieces

PEAK = 0.04  # LAMB's learning rate
WEIGHT_DECAY = 0.01
WARMUP_SHARE = 0.1
SEQUENCES, LENGTH, MASKING_RATE = 16, 48, 0.5  # as in the quick recipe of chapter 05
AT_ONCE = 5  # steps between two looks at the clock
LEAST_STEPS = 2 * AT_ONCE
BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} s"


@dataclass
class TrainedCurve:
    """What a training run noted: losses by step, and the marks that they are read against."""

    uniform: float  # ln V, nats: a reader that knows nothing
    unigram: float  # entropy of the frequencies, nats: one that counts
    mlm_loss: list[float] = field(default_factory=list)
    sop_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.mlm_loss)

    @property
    def first(self) -> float:
        """The MLM loss of the first batch, before any step."""
        return self.mlm_loss[0]

    @property
    def last(self) -> float:
        """The mean MLM loss of the last tenth of the steps."""
        return float(np.mean(self.mlm_loss[-max(1, self.steps // 10) :]))


class PieceLamb(torch.optim.Optimizer):
    """LAMB whose update of a variable is piece 5.1; biases and LayerNorms take plain Adam steps."""

    def __init__(self, model: nn.Module, pieces: Pieces) -> None:
        defaults = {"lr": 0.0, "betas": (0.9, 0.999), "eps": 1e-6}
        super().__init__(parameter_groups(model, WEIGHT_DECAY), defaults)
        self.pieces = pieces

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every variable that has a gradient."""
        names = ("lr", "betas", "eps", "weight_decay")
        for group in self.param_groups:
            settings = {name: group[name] for name in names}
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["means"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
                if group["adapt"]:
                    new, *means = self.pieces(
                        "5.1", parameter.detach(), parameter.grad, *state["means"], **settings
                    )
                    state["means"] = tuple(means)
                    parameter.copy_(new)
                else:
                    lamb_update_in_place(
                        parameter, parameter.grad, *state["means"], **settings, adapt=False
                    )


def learn(
    model: Any,
    pieces: Pieces,
    seconds: float | int,
    *,
    store: TokenStore | None = None,
    tokenizer: AlbertTokenizer | None = None,
    seed: int = 0,
) -> TrainedCurve:
    """Train `model` in place for so many seconds, reading the text included; return its curve."""
    began = time.perf_counter()
    if not 0 < seconds < math.inf:
        raise InputError(f"seconds is {seconds}; give a number above 0, such as 60.")
    if is_graded():  # nobody waits for the curves of a class
        seconds = min(seconds, 1)
    if tokenizer is None:
        tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
    store = store or documentation(tokenizer)
    store.check_tokenizer(tokenizer)
    masking = MaskingConfig(rate=MASKING_RATE)
    batches = MyBatches(store, tokenizer, pieces, masking, SEQUENCES, LENGTH, seed)
    curve = TrainedCurve(math.log(tokenizer.vocab_size), store.unigram_entropy())
    copied = StepTaker(copy.deepcopy(model).train(), pieces)
    copied.take(batches, steps_in_all=AT_ONCE)  # the first steps are slow, and not the run's
    copied_at = time.perf_counter()
    copied.take(batches, steps_in_all=AT_ONCE)
    pace = (time.perf_counter() - copied_at) / AT_ONCE
    try:
        StepTaker(model.train(), pieces, curve).take_for(seconds, batches, pace, began)
    except KeyboardInterrupt:
        print("Interrupted: the curve ends here.")
    finally:
        model.eval()
    return curve


class StepTaker:
    """Takes the steps of a run, a few at a time, by pieces 5.1 to 5.3, and notes their losses."""

    def __init__(self, model: nn.Module, pieces: Pieces, curve: TrainedCurve | None = None) -> None:
        self.model, self.pieces = model, pieces
        self.curve = curve or TrainedCurve(0.0, 0.0)
        self.optimizer = PieceLamb(model, pieces)

    def take_for(self, seconds: float | int, batches: MyBatches, pace: float, began: float) -> None:
        """Take steps until so many seconds have gone by since `began`; `pace` is a step's."""
        curve, started = self.curve, time.perf_counter()
        left = seconds - (started - began)
        with tqdm(total=round(seconds), unit="s", bar_format=BAR) as bar:
            while left > 0 or curve.steps < LEAST_STEPS:
                self.take(batches, steps_in_all=curve.steps + max(AT_ONCE, int(left / pace)))
                pace = (time.perf_counter() - started) / curve.steps
                curve.seconds = time.perf_counter() - began
                left = seconds - curve.seconds
                bar.update(min(round(curve.seconds), bar.total) - bar.n)

    def take(self, batches: MyBatches, steps_in_all: int) -> None:
        """Take the next few steps of a run that will have about so many.

        Only as it goes does a run learn how many steps its seconds hold; the learning rate comes
        down to 0 at their end all the same.
        """
        done = self.curve.steps
        warmup = max(1, round(WARMUP_SHARE * steps_in_all))
        rates = [
            float(
                self.pieces("5.2", step, peak=PEAK, warmup_steps=warmup, total_steps=steps_in_all)
            )
            for step in range(done, done + AT_ONCE)
        ]
        self.optimizer.zero_grad()
        self.pieces(
            "5.3",
            self.model,
            [batches.batch() for _ in rates],
            self.noted_loss,
            self.optimizer,
            learning_rates=rates,
            max_grad_norm=1.0,
        )

    def noted_loss(self, model: Any, batch: PretrainingBatch) -> Tensor:
        """The loss of a batch; its two parts are written down."""
        found = model.losses(batch)
        self.curve.mlm_loss.append(found["mlm_loss"].item())
        self.curve.sop_loss.append(found["sop_loss"].item())
        return found["loss"]


def documentation(tokenizer: AlbertTokenizer) -> TokenStore:
    """The standard library's documentation as a store, which is built once.

    It takes a few seconds where it has not been built with this tokenizer.
    """
    folder = build_folder() / "workbook" / "my-albert"
    try:
        store = TokenStore.open(folder)
        store.check_tokenizer(tokenizer)
    except StoreError:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return TokenStore.build(folder, python_documentation(packages=()), tokenizer)
    return store
