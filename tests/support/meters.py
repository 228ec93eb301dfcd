"""Meters for tests: a line with registers behind it that can refuse and fall silent, and a clock that jumps."""

import asyncio

from edge.errors import DeviceRefused, DeviceTimeout


class SteppedClock:
    """Time that moves only when someone sleeps."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self.start_ms = start_ms
        self.elapsed_ms = 0

    def now_ms(self) -> int:
        return self.start_ms + self.elapsed_ms

    def monotonic_ms(self) -> int:
        return self.elapsed_ms

    def real_s(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        self.elapsed_ms += max(round(seconds * 1000), 0)
        await asyncio.sleep(0)


class FakeLine:
    """Registers of any units; `silent` units never answer, `forbidden` registers are refused with exception 2."""

    def __init__(self, registers: dict[int, int] | None = None) -> None:
        self.registers = registers or {}
        self.silent: set[int] = set()
        self.forbidden: set[int] = set()
        self.exception: int | None = None
        self.lost_answers = 0
        """The next so many requests bring nothing."""
        self.requests: list[tuple[int, int, int]] = []

    async def read_block(self, unit: int, table: str, register: int, count: int, *, timeout_s: float) -> list[int]:
        self.requests.append((unit, register, count))
        await asyncio.sleep(0)
        if unit in self.silent or self.lost_answers > 0:
            self.lost_answers -= 1
            raise DeviceTimeout(f"unit {unit} is silent")
        if self.exception is not None:
            raise DeviceRefused("refused", self.exception)
        if self.forbidden & set(range(register, register + count)):
            raise DeviceRefused("illegal data address", 2)
        return [self.registers.get(place, 0) for place in range(register, register + count)]
