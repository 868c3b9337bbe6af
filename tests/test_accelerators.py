"""The data sheets' numbers are whole, sourced, and in the order that is promised."""

from __future__ import annotations

from albert_lib.accelerators import accelerators


def test_every_accelerator_has_positive_numbers_and_a_source() -> None:
    found = accelerators()
    assert list(found) == ["TPU v3 chip", "A100 80GB", "H100 SXM"]
    for device in found.values():
        assert device.memory_gb > 0 and len(device.source) > 20
        assert device.link_gb_per_second is None or device.link_gb_per_second > 0
    peaks = [device.peak for device in found.values()]
    assert peaks == sorted(peaks) == [123e12, 312e12, 989e12]
