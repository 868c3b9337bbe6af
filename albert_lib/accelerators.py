"""Accelerators as their data sheets describe them, each number with its source."""

from __future__ import annotations

from dataclasses import dataclass

from albert_lib.errors import InputError
from albert_lib.files import data_folder, read_json


@dataclass(frozen=True)
class Accelerator:
    """One device, as its data sheet describes it."""

    name: str
    peak_tflops: int  # 10¹² operations a second in dense bfloat16 matrix products
    memory_gb: float  # 10⁹ bytes
    link_gb_per_second: int | None  # to a neighbour of its kind, in one direction
    source: str

    @property
    def peak(self) -> float:
        """Operations a second."""
        return self.peak_tflops * 1e12


def accelerators() -> dict[str, Accelerator]:
    """Every stored accelerator, by its name, the slowest first.

    Example:
        >>> from albert_lib.accelerators import accelerators
        >>> all(device.peak == device.peak_tflops * 1e12 for device in accelerators().values())
        True
    """
    table = read_json(data_folder() / "accelerators" / "accelerators.json", InputError)
    rows = [Accelerator(**dict(zip(table["columns"], row, strict=True))) for row in table["rows"]]
    return {row.name: row for row in rows}
