"""What fill-mask, features and probe share: by which engine and in which precision they compute."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from torch import Tensor

from albert_lib.engines import ENGINES
from albert_lib.instruction_sets import bfloat16_instructions
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.loading import AskedPrecision

PYTORCH = "pytorch"


def add_computing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --engine and --precision."""
    parser.add_argument(
        "--engine",
        choices=(PYTORCH, *ENGINES),
        default=PYTORCH,
        help="what computes; the engines are extras of the installation, for ALBERT alone",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(AskedPrecision),
        default="float32",
        help="of the layers' products; bfloat16 where the processor has it, and a line says how "
        "far the results are from float32's",
    )


def computing(options: argparse.Namespace, precision: str | None = None) -> dict[str, Any]:
    """The arguments of `from_pretrained`; in another precision than the options', if one is given.

    Example:
        >>> computing(argparse.Namespace(engine="pytorch", precision="bfloat16"))
        {'engine': None, 'precision': 'bfloat16'}
    """
    engine = None if options.engine == PYTORCH else options.engine
    return {"engine": engine, "precision": precision or options.precision}


def difference_line(options: argparse.Namespace, what: str, difference: float) -> str:
    """The line that says what was chosen and what it costs.

    Example:
        >>> options = argparse.Namespace(engine="openvino", precision="bfloat16")
        >>> difference_line(options, "probability of these texts", 0.00213).partition("; ")[2]
        'the largest difference of a probability of these texts from float32 is 0.0021.'
    """
    found = bfloat16_instructions()
    return (
        f"Computed by {options.engine} in {options.precision} ({found}); the largest difference "
        f"of a {what} from float32 is {difference:.2g}."
    )


def probability_difference(first: Tensor, second: Tensor) -> float:
    """The largest difference of a probability between two tables of logits.

    Example:
        >>> import torch
        >>> probability_difference(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 100.0]]))
        0.5
    """
    return float((first.softmax(dim=-1) - second.softmax(dim=-1)).abs().max())


class FirstBatchKept(FillMask):
    """A FillMask that keeps its first batch and the answer, to be compared with another's."""

    kept: tuple[tuple[Tensor, Tensor, Tensor], Tensor] | None = None

    def _predict(
        self, input_ids: Tensor, attention_mask: Tensor, masked_positions: Tensor
    ) -> Tensor:
        given = (input_ids, attention_mask, masked_positions)
        logits = super()._predict(*given)
        if self.kept is None:
            self.kept = given, logits
        return logits

    def difference_from(self, other: FillMask) -> float:
        """The largest difference of a probability of the first batch, asked of another model."""
        if self.kept is None:
            return 0.0
        given, logits = self.kept
        return probability_difference(other._predict(*given), logits)
