"""What Linux refuses an answer's process: to signal, to look into, to limit another; a network."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

NO_NEW_RIGHTS, FILTER = 38, 22  # Linux's prctl
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # what a filter answers; refused as EPERM
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of a filter
CALL, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # where a filter finds them
OTHER_TABLE = 0x40000000  # from here on, numbers of a second table of the same calls
# The machine's number, then the numbers of its calls.
MACHINES = {
    "x86_64": (0xC000003E, {"kill": 62, "tgkill": 234, "prlimit64": 302, "tkill": 200,
        "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "pidfd_send_signal": 424, "ptrace": 101,
        "process_vm_writev": 311, "socket": 41, "io_uring_setup": 425}),
    "aarch64": (0xC00000B7, {"kill": 129, "tgkill": 131, "prlimit64": 261, "tkill": 130,
        "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "pidfd_send_signal": 424, "ptrace": 117,
        "process_vm_writev": 271, "socket": 198, "io_uring_setup": 425}),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_what_reaches_others() -> bool:
    """Refuse these calls to this process and all that it starts, for good; whether it worked.

    A process may still signal and limit itself. On other systems and machines nothing changes.
    """
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return False
    system = ctypes.CDLL(None)
    code = filter_program(platform.machine(), os.getpid())
    program = _Program(len(code) // 8, code)
    if system.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0):
        return False
    return not system.prctl(FILTER, 2, ctypes.byref(program), 0, 0)


def filter_program(machine: str, process: int) -> bytes:
    """The filter as the kernel reads it: eight bytes an instruction.

    Example:
        >>> len(filter_program("x86_64", process=1)) % 8
        0
    """
    number, calls = MACHINES[machine]
    own = {calls["kill"]: process, calls["tgkill"]: process, calls["prlimit64"]: 0}
    lines = [
        (LOAD, 0, 0, MACHINE),
        (EQUAL, 1, 0, number),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, CALL),
        (AT_LEAST, 0, 1, OTHER_TABLE),
        (RETURN, 0, 0, REFUSE),
    ]
    for call in calls.values():
        if call in own:  # allowed where the first argument is the process itself
            lines += [
                (EQUAL, 0, 4, call),
                (LOAD, 0, 0, FIRST_ARGUMENT),
                (EQUAL, 0, 1, own[call]),
                (RETURN, 0, 0, ALLOW),
                (RETURN, 0, 0, REFUSE),
            ]
        else:
            lines += [(EQUAL, 0, 1, call), (RETURN, 0, 0, REFUSE)]
    lines.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
