"""Whether files are those that a corpus was built from: by size and time, else by their bytes.

A corpus that is copied, or checked out anew, has other times of last change and the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from albert_lib.corpus.sources import Unit

CHANGED, CHECKSUM = "changed_ns", "crc32"
Record = dict[str, Any]


def with_checksums(records: Sequence[Record], units: Sequence[Unit]) -> list[Record]:
    """The records of units, for sources.json, with the checksum of each that is a file.

    Example:
        >>> unit = Unit("a", "a.txt", {"bytes": 4, "changed_ns": 7}, iter, checksum=lambda: 99)
        >>> with_checksums([{"name": "a.txt", "bytes": 4, "changed_ns": 7}], [unit])
        [{'name': 'a.txt', 'bytes': 4, 'changed_ns': 7, 'crc32': 99}]
    """
    return [
        record if unit.checksum is None else {**record, CHECKSUM: unit.checksum()}
        for record, unit in zip(records, units, strict=True)
    ]


def as_recorded(
    records: Sequence[Record], units: Sequence[Unit], before: Sequence[Record]
) -> list[Record]:
    """The records of units as they are now, each as it stood before if the unit is the same.

    A file is the same with the same size and time of last change, or the same size and bytes;
    only those of another time are read for that. Records of an earlier version have no checksum.

    Example:
        >>> unit = Unit("a", "a.txt", {"bytes": 4, "changed_ns": 8}, iter, checksum=lambda: 99)
        >>> now = [{"name": "a.txt", "bytes": 4, "changed_ns": 8}]
        >>> as_recorded(now, [unit], [{**now[0], "changed_ns": 7, "crc32": 99}])[0]["changed_ns"]
        7
        >>> as_recorded(now, [unit], [{**now[0], "changed_ns": 7, "crc32": 98}])[0]["changed_ns"]
        8
    """
    found = []
    for place, (record, unit) in enumerate(zip(records, units, strict=True)):
        old = before[place] if place < len(before) else {}
        if unit.checksum is None or CHECKSUM not in old:
            found.append(record)
            continue
        is_old = all(old.get(name) == record[name] for name in record if name != CHANGED)
        if is_old and (old.get(CHANGED) == record[CHANGED] or old[CHECKSUM] == unit.checksum()):
            found.append(old)
        else:
            found.append({**record, CHECKSUM: unit.checksum()})
    return found
