"""What the number of selected tokens says when some of them are shown unmasked.

Masking selects some tokens; most become [MASK], some a random token, some stay as they are
(MaskingConfig). A reader sees which are [MASK] and how many others were selected, not which.
"""

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
    selected: Int[np.ndarray, " batch"],
) -> tuple[Float64[np.ndarray, "batch degrees"], Float64[np.ndarray, "batch degrees"]]:
    """P(shown tokens | true ones) for each number of mismatches, up to a factor of each example.

    Of an example's `visible` tokens, `selected` were selected: any subset of that size, all
    equally likely. Every mismatch is a selected token shown as a random one. The others among the
    selected are shown as they are, on purpose or because the random token was the same. The second
    table is the part in which one given token that matches is among the selected. Degrees run to
    the largest number selected. Raises InputError where more are selected than visible.

    Example:
        >>> import numpy as np
        >>> from albert_lib.objectives import MaskingConfig
        >>> from albert_lib.town.selection import selection_weights
        >>> masking = MaskingConfig(max_ngram=1)  # 80 % [MASK], 10 % random, 10 % unchanged
        >>> weights, among = selection_weights(masking, 100, np.array([4]), np.array([1]))
        >>> weights.round(4).tolist()  # all 4 fit, one of them selected: 4 × (0.1 + 0.001)
        [[0.404, 0.001]]
        >>> among.round(4).tolist()
        [[0.101, 0.0]]
    """
    by_chance = masking.random_probability / vocab_size
    unchanged = 1 - masking.mask_probability - masking.random_probability + by_chance
    degrees = int(selected.max(initial=0)) + 1
    weights = np.zeros((len(visible), degrees))
    among = np.zeros((len(visible), degrees))
    for row, (places, number) in enumerate(zip(visible.tolist(), selected.tolist(), strict=True)):
        check_selected(row, places, number)
        for mismatches in range(number + 1):
            matches = number - mismatches
            probability = by_chance**mismatches * unchanged**matches
            weights[row, mismatches] = probability * comb(places - mismatches, matches)
            if matches:
                among[row, mismatches] = probability * comb(places - mismatches - 1, matches - 1)
    return weights, among


def check_selected(row: int, visible: int, selected: int) -> None:
    """Raise InputError where more tokens are said to be selected than are visible.

    Example:
        >>> from albert_lib.town.selection import check_selected
        >>> check_selected(0, visible=4, selected=1)
    """
    if not 0 <= selected <= visible:
        raise InputError(
            f"Sequence {row} shows {visible} tokens, of which {selected} would have been "
            f"selected; read batches that were made with the reader's own masking."
        )
