"""Values on their way from an answer's process to the check: plain data, from which no code runs.

A message is a tree in JSON, in which arrays are numbers of the buffers that follow it. What is no
plain data, an object of a learner's own class above all, arrives as a stand-in that has the name
of its type and nothing else.
"""

from __future__ import annotations

import functools
import json
import math
import numbers
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from albert_lib.errors import AlbertLibError

MOST_BYTES = 64 * 2**20  # of a message; the answers to the exercises take kilobytes
MOST_BITS = 10_000  # of a whole number
LENGTH = struct.Struct("<Q")
PLAIN_ARRAYS = "biufcUS"  # kinds of NumPy's dtypes whose elements are no objects
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.complex64, torch.complex128),
    )
}


class UnreadableAnswer(AlbertLibError, ValueError):
    """What came from an answer's process is no message, or too large a one."""


class ModuleState(dict[str, torch.Tensor]):
    """The tensors of a torch module by name, which is all that arrives of one."""


def pack(value: Any) -> bytes:
    """A value as a message; raises UnreadableAnswer where it is too large or holds itself.

    Example:
        >>> unpack(pack((1, [0.5, None], range(3), torch.ones(2))))
        (1, [0.5, None], range(0, 3), tensor([1., 1.]))
    """
    buffers: list[bytes] = []
    try:
        head = json.dumps([_tree(value, buffers), list(map(len, buffers))]).encode()
    except RecursionError:
        raise UnreadableAnswer("The answer holds itself, or lists in lists without end.") from None
    size = LENGTH.size + len(head) + sum(map(len, buffers))
    if size > MOST_BYTES:
        raise UnreadableAnswer(f"The answer takes {size // 2**20} MB; kilobytes are expected.")
    return b"".join([LENGTH.pack(len(head)), head, *buffers])


def unpack(message: bytes) -> Any:
    """The value of a message; UnreadableAnswer for bytes that are none, whatever they are.

    Example:
        >>> unpack(b"nonsense")
        Traceback (most recent call last):
        albert_lib.classroom.values.UnreadableAnswer: The answer's process sent no answer.
    """
    try:
        (length,) = LENGTH.unpack_from(message)
        at = LENGTH.size + length
        tree, sizes = json.loads(message[LENGTH.size : at])
        buffers = []
        for size in sizes:
            buffers.append(message[at : at + size])
            at += size
        return _value(tree, buffers)
    except Exception:  # whatever somebody has sent in its place
        raise UnreadableAnswer("The answer's process sent no answer.") from None


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of a value in a fixed order, the parameters of modules among them.

    Example:
        >>> [tensor.tolist() for tensor in tensors_in([torch.ones(1), {"a": torch.zeros(1)}])]
        [[1.0], [0.0]]
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, torch.nn.Module):
        yield from value.parameters()
    elif type(value) in (list, tuple, dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(part)


def overwrite(old: Any, new: Any) -> None:
    """Change a value in place into another of its form, as far as it can be changed.

    Example:
        >>> old = [1, torch.zeros(2)]
        >>> overwrite(old, [2, torch.ones(2)])
        >>> old
        [2, tensor([1., 1.])]
    """
    if isinstance(old, torch.nn.Module) and isinstance(new, ModuleState):
        own = old.state_dict()
        for name in own.keys() & new.keys():
            overwrite(own[name], new[name])
    elif isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        with torch.no_grad():
            if old.shape == new.shape:
                old.copy_(new)
            else:  # resized in place
                old.data = new.to(old.dtype)
    elif isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape == new.shape:
            old[...] = new
    elif isinstance(old, np.random.Generator) and isinstance(new, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, dict) and isinstance(new, dict):
        old.clear()
        old.update(new)
    elif isinstance(old, list) and isinstance(new, list):
        _overwrite_parts(old, new)
        old[:] = [
            one if type(one) is type(other) and _can_change(one) else other
            for one, other in zip(old[: len(new)] + new[len(old) :], new, strict=True)
        ]
    elif isinstance(old, tuple) and isinstance(new, tuple):
        _overwrite_parts(old, new)


def _overwrite_parts(old: Any, new: Any) -> None:
    for one, other in zip(old, new, strict=False):
        overwrite(one, other)


def _can_change(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict, np.ndarray, torch.Tensor))


def _tree(value: Any, buffers: list[bytes]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int and value.bit_length() <= MOST_BITS:
        return value
    if kind in (list, tuple):
        return [kind.__name__, [_tree(part, buffers) for part in value]]
    if kind is dict:
        pairs = value.items()
        return ["dict", [[_tree(key, buffers), _tree(held, buffers)] for key, held in pairs]]
    if kind is range:
        return ["range", value.start, value.stop, value.step]
    if isinstance(value, torch.Tensor):
        return _tensor_tree(value, buffers)
    if (kind is np.ndarray or isinstance(value, np.generic)) and value.dtype.kind in PLAIN_ARRAYS:
        name = "array" if kind is np.ndarray else "scalar"
        buffers.append(np.ascontiguousarray(value).tobytes())
        return [name, value.dtype.str, list(value.shape), len(buffers) - 1]
    if kind is np.random.Generator and type(value.bit_generator) is np.random.PCG64:
        return ["generator", _tree(value.bit_generator.state, buffers)]
    if isinstance(value, torch.nn.Module):
        state = value.state_dict().items()
        return ["module", [[name, _tree(held, buffers)] for name, held in state]]
    if isinstance(value, numbers.Real) and kind is not int:
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return ["foreign", kind.__name__]


def _tensor_tree(value: torch.Tensor, buffers: list[bytes]) -> Any:
    name = str(value.dtype).removeprefix("torch.")
    if name not in DTYPES or value.layout is not torch.strided or value.is_meta:
        return ["foreign", type(value).__name__]
    flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    buffers.append(flat.view(torch.uint8).numpy().tobytes())
    return ["tensor", name, list(value.shape), bool(value.requires_grad), len(buffers) - 1]


def _value(tree: Any, buffers: list[bytes]) -> Any:
    if not isinstance(tree, list):
        return tree
    kind, *rest = tree
    if kind in ("list", "tuple"):
        parts = [_value(part, buffers) for part in rest[0]]
        return parts if kind == "list" else tuple(parts)
    if kind in ("dict", "module"):
        pairs = {_value(key, buffers): _value(held, buffers) for key, held in rest[0]}
        return pairs if kind == "dict" else ModuleState(pairs)
    if kind == "range":
        return range(*rest)
    if kind == "tensor":
        name, shape, gradient, number = rest
        flat = torch.frombuffer(bytearray(buffers[number]) or bytearray(1), dtype=torch.uint8)
        flat = flat[: len(buffers[number])].view(DTYPES[name])
        tensor = flat.reshape(_shape(shape)).clone()
        return tensor.requires_grad_() if gradient and tensor.is_floating_point() else tensor
    if kind in ("array", "scalar"):
        dtype, shape, number = rest
        if np.dtype(dtype).kind not in PLAIN_ARRAYS:
            raise ValueError(dtype)
        array = np.frombuffer(buffers[number], dtype=dtype).reshape(_shape(shape)).copy()
        return array if kind == "array" else array[()]
    if kind == "generator":
        generator = np.random.Generator(np.random.PCG64())
        generator.bit_generator.state = _value(rest[0], buffers)
        return generator
    return _stand_in(_plain_name(rest[0]))()


@functools.lru_cache(maxsize=1000)
def _stand_in(name: str) -> type:
    """A type without anything, of which two objects are equal."""
    return type(name, (), {})


def _shape(shape: list[int]) -> list[int]:
    if math.prod(shape) > MOST_BYTES or min(shape, default=0) < 0:
        raise ValueError(shape)
    return shape


def _plain_name(name: object) -> str:
    return name[:60] if isinstance(name, str) and name.isidentifier() else "object"
