"""Which pieces were chosen for hiding: what is known of it when some are shown all the same."""

from __future__ import annotations

from math import comb

import numpy as np
from jaxtyping import Float64, Int

from albert_lib.errors import InputError
from albert_lib.objectives import MaskingConfig


def selection_weights(
    masking: MaskingConfig,
    vocab_size: int,
    visible: Int[np.ndarray, " batch"],
    chosen: Int[np.ndarray, " batch"],
) -> tuple[Float64[np.ndarray, "batch degrees"], Float64[np.ndarray, "batch degrees"]]:
    """P(shown pieces | true ones) for each number of mismatches, up to a factor of each example.

    Of an example's `visible` pieces, `chosen` were chosen: any so many of them, all sets being
    equally likely. Every mismatch is a chosen piece shown as a random one. The others among the
    chosen are shown as they are, by leave or by chance. The second table holds the part in which
    one given piece that matches is among the chosen. Degrees run to the largest number chosen.
    """
    by_chance = masking.random_probability / vocab_size
    as_it_is = 1 - masking.mask_probability - masking.random_probability + by_chance
    degrees = int(chosen.max(initial=0)) + 1
    weights = np.zeros((len(visible), degrees))
    asked = np.zeros((len(visible), degrees))
    for row, (places, number) in enumerate(zip(visible.tolist(), chosen.tolist(), strict=True)):
        if not 0 <= number <= places:
            raise InputError(
                f"Sequence {row} shows {places} pieces, {number} of which are to have been chosen "
                f"for hiding; read batches that were made with the reader's own masking."
            )
        for mismatches in range(number + 1):
            kept = number - mismatches
            share = by_chance**mismatches * as_it_is**kept
            weights[row, mismatches] = share * comb(places - mismatches, kept)
            if kept:
                asked[row, mismatches] = share * comb(places - mismatches - 1, kept - 1)
    return weights, asked
