"""Compare a learner's answer with the library's, and say how type, shape or dtype differ."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import torch


def same(expected: Any, answer: Any, tolerance: float = 0.0) -> bool:
    """Whether two answers agree, decimals within `tolerance` (absolute plus relative).

    Answers of different kinds, shapes or dtypes never agree; nan agrees with nan.
    """
    if _plainly_equal(expected, answer):
        return True
    return kind_problem(expected, answer) is None and _agree(expected, answer, tolerance)


PLAIN = {str, range, int, bool, float, type(None)}  # whose == compares what `same` does


def _plainly_equal(expected: Any, answer: Any) -> bool:
    """Whether these are equal plain things of one type, or flat lists of them; a shortcut."""
    if type(expected) is not type(answer):
        return False
    if type(expected) in PLAIN:
        return bool(expected == answer)
    return (
        type(expected) is list
        and PLAIN.issuperset(map(type, expected))
        and list(map(type, expected)) == list(map(type, answer))
        and bool(expected == answer)
    )


def _agree(expected: Any, answer: Any, tolerance: float) -> bool:
    """`same` for answers of one kind."""
    if expected is answer:
        return True
    if isinstance(expected, (list, tuple)):
        return len(expected) == len(answer) and all(
            same(one, other, tolerance) for one, other in zip(expected, answer, strict=True)
        )
    if isinstance(expected, dict):
        return expected.keys() == answer.keys() and all(
            same(expected[key], answer[key], tolerance) for key in expected
        )
    if isinstance(expected, np.random.Generator):
        return same(expected.bit_generator.state, answer.bit_generator.state)
    if isinstance(expected, torch.nn.Module):
        return same(dict(expected.state_dict()), dict(answer.state_dict()), tolerance)
    if not is_numeric(expected):
        return _equal_objects(expected, answer)
    one, other = as_array(expected), as_array(answer)
    if np.array_equal(one, other):  # most are, and this is quicker
        return True
    if "f" not in one.dtype.kind + other.dtype.kind:
        return False
    return bool(np.allclose(other, one, rtol=tolerance, atol=tolerance, equal_nan=True))


def _equal_objects(expected: Any, answer: Any) -> bool:
    """By their own ==, or part by part where they have none, so that copies are equal."""
    has_its_own = any("__eq__" in vars(kind) for kind in type(expected).__mro__[:-1])
    if has_its_own:
        return bool(expected == answer)
    try:
        return same(vars(expected), vars(answer))
    except (TypeError, RecursionError):  # nothing to look into, or itself
        return True


def largest_difference(expected: Any, answer: Any) -> float:
    """The largest difference between the numbers of two answers of one kind."""
    if isinstance(expected, (list, tuple)):
        pairs = zip(expected, answer, strict=True)
        return max((largest_difference(one, other) for one, other in pairs), default=0.0)
    if isinstance(expected, dict):
        return max(
            (largest_difference(expected[key], answer[key]) for key in expected), default=0.0
        )
    if not is_numeric(expected):
        return 0.0
    with np.errstate(invalid="ignore"):  # inf less inf is nan, and they are equal
        gaps = np.abs(as_array(expected).astype(float) - as_array(answer).astype(float))
    return float(np.max(gaps, where=~np.isnan(gaps), initial=0.0))


def holds_nan(value: Any) -> bool:
    """Whether `value` contains a NaN."""
    if isinstance(value, (list, tuple)):
        return any(map(holds_nan, value))
    if isinstance(value, dict):
        return any(map(holds_nan, value.values()))
    return is_numeric(value) and bool(np.isnan(as_array(value).astype(float)).any())


def kind_problem(expected: Any, answer: Any, what: str = "your answer") -> str | None:
    """How type, shape or dtype differ, as a clause ("your answer is a list, …"), or None."""
    if type(expected) is type(answer) and type(expected) in PLAIN:
        return None
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        return _array_problem(expected, answer, what)
    if isinstance(expected, (numbers.Real, np.bool_)):
        if _number_fits(expected, answer):
            return None
        return f"{what} is {a_kind(answer)}, {a_kind(expected)} is expected"
    if type(expected) is not type(answer):
        return f"{what} is {a_kind(answer)}, {a_kind(expected)} is expected"
    if isinstance(expected, dict):
        for key in [each for each in expected if each in answer]:
            problem = kind_problem(expected[key], answer[key], f"the entry {key!r} of {what}")
            if problem is not None:
                return problem
    if isinstance(expected, tuple) and len(expected) != len(answer):
        return f"{what} is a tuple of {len(answer)}, a tuple of {len(expected)} is expected"
    if isinstance(expected, (list, tuple)) and expected:
        for position, element in enumerate(answer):
            like = expected[min(position, len(expected) - 1)]  # further elements are like the last
            problem = kind_problem(like, element, f"element {position} of {what}")
            if problem is not None:
                return problem
    return None


def _number_fits(expected: Any, answer: Any) -> bool:
    """Whether a number, or one in a tensor, is of the kind of another: truth, whole, decimal."""
    if not is_numeric(answer) or as_array(answer).size != 1:
        return False
    wanted, given = as_array(expected).dtype.kind, as_array(answer).dtype.kind
    if "b" in (wanted, given):
        return wanted == given
    return wanted not in "iuO" or given in "iuO"  # O: whole numbers too large for an array


def _array_problem(expected: torch.Tensor | np.ndarray, answer: Any, what: str) -> str | None:
    wanted = a_kind(expected)
    if type(expected) is not type(answer) and not (
        isinstance(expected, torch.Tensor) and isinstance(answer, torch.Tensor)
    ):
        return f"{what} is {a_kind(answer)}, {wanted} is expected"
    if tuple(expected.shape) != tuple(answer.shape):
        return f"{what} has shape {tuple(answer.shape)}, shape {tuple(expected.shape)} is expected"
    if expected.dtype != answer.dtype:
        return f"{what} holds {dtype_name(answer)}, {dtype_name(expected)} is expected"
    return None


def a_kind(value: Any) -> str:
    """The kind of a value in words: "a list", "a tensor of shape (2, 3)"."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {tuple(value.shape)}"
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if isinstance(value, numbers.Integral):
        return "a whole number"
    if isinstance(value, numbers.Real):
        return "a decimal number"
    if isinstance(value, str):
        return "a string"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"


def dtype_name(value: torch.Tensor | np.ndarray) -> str:
    """The dtype without the name of its library: "float32"."""
    return str(value.dtype).removeprefix("torch.")


def is_numeric(value: Any) -> bool:
    """Whether a value is a real number or holds numbers of one dtype."""
    return isinstance(
        value, (torch.Tensor, np.ndarray, np.bool_, numbers.Number)
    ) and not isinstance(value, complex)


def as_array(value: Any) -> np.ndarray:
    """Numbers of any library as a NumPy array."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return np.asarray(value)
