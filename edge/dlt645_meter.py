"""One DL/T 645-2007 meter: each data identifier a question of its own, its digits judged as any other number."""

import asyncio
import logging

from edge.clock import Clock
from edge.decode import Judge, make_judge
from edge.devices import Device, device_points, point_name
from edge.dlt645 import ANY_ADDRESS, Dlt645Request, is_refusal
from edge.driver import Sweep
from edge.errors import DeviceError, DeviceRefused, DeviceTimeout
from edge.line import Line
from edge.profiles import BYTES_OF_DIGITS
from edge.wire import Quality, Reading

log = logging.getLogger(__name__)

NO_SUCH_DATA = 0x02
"""Bit of the error word: the meter does not know the identifier."""
ASK_AGAIN_MS = 3_600_000


class Dlt645Meter:
    """Reads a meter identifier by identifier, and remembers for an hour which ones it does not know."""

    def __init__(self, device: Device, line: Line[Dlt645Request]) -> None:
        self.name, self.period_s, self.timeout_s = device.name, device.poll_every_s, device.timeout_s
        self._pause_s, self._line = device.pause_s, line
        self._items = [
            (
                point_name(device, point.name),
                Dlt645Request(device.address, point.register, BYTES_OF_DIGITS[point.type]),
                make_judge(point, sides={}),
            )
            for point in device_points(device)
        ]
        self.raws: dict[str, bytes] = {}
        """What each point's answer brought at the last sweep, lowest byte first."""
        self._unknown_until_ms: dict[int, int] = {}
        self._may_repeat = False

    async def read(self, clock: Clock) -> Sweep:
        """Read every point; each is stamped when its answer arrived."""
        readings, answers, gave_up = [], 0, False
        for name, request, judge in self._items:
            quality = self._without_asking(request, clock) if not gave_up else Quality.BAD_NO_ANSWER
            content = b""
            if quality is Quality.GOOD:
                try:
                    content = await self._ask(request)
                    answers += 1
                except DeviceRefused as refusal:
                    answers += 1
                    quality = self._refused(name, request, refusal, clock)
                except DeviceError as error:
                    log.debug("%s: %s", self.name, error)
                    gave_up, quality = True, Quality.BAD_NO_ANSWER
            self.raws[name] = content
            value, quality = _judged(content, judge) if quality is Quality.GOOD else (None, quality)
            readings.append(Reading(name, clock.now_ms(), value, quality))
        self._may_repeat = answers > 0
        return Sweep(readings, answered=answers > 0)

    async def probe(self) -> bool:
        """Ask for the first identifier alone; True if the meter answered, be it with an error."""
        try:
            await self._ask_once(self._items[0][1])
        except DeviceRefused:
            return True
        except DeviceError:
            return False
        return True

    def silent(self, now_ms: int) -> list[Reading]:
        """Return the rows of a meter that is not asked: BAD_NO_ANSWER, no values."""
        return [Reading(name, now_ms, None, Quality.BAD_NO_ANSWER) for name, _, _ in self._items]

    def _without_asking(self, request: Dlt645Request, clock: Clock) -> Quality:
        """Return BAD_CONFIGURATION where the meter has said lately that it does not know the identifier, else GOOD."""
        until_ms = self._unknown_until_ms.get(request.identifier, 0)
        return Quality.BAD_CONFIGURATION if clock.monotonic_ms() < until_ms else Quality.GOOD

    def _refused(self, name: str, request: Dlt645Request, refusal: DeviceRefused, clock: Clock) -> Quality:
        """Return what an error answer makes of the value; an identifier that is not known is remembered."""
        if not refusal.code & NO_SUCH_DATA:
            return Quality.BAD_REFUSED
        log.warning("%s: the meter does not know %08X; it stays BAD", name, request.identifier)
        self._unknown_until_ms[request.identifier] = clock.monotonic_ms() + ASK_AGAIN_MS
        return Quality.BAD_CONFIGURATION

    async def _ask(self, request: Dlt645Request) -> bytes:
        """Ask; once per sweep a meter that answered the last time gets a second chance."""
        try:
            return await self._ask_once(request)
        except DeviceTimeout:
            if not self._may_repeat:
                raise
            self._may_repeat = False
            return await self._ask_once(request)

    async def _ask_once(self, request: Dlt645Request) -> bytes:
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        return await read_data(self._line, request, timeout_s=self.timeout_s)


async def read_data(line: Line[Dlt645Request], request: Dlt645Request, *, timeout_s: float) -> bytes:
    """Return the content of a data identifier, lowest byte first. Raises DeviceTimeout or DeviceRefused."""
    answer = await line.ask(request, timeout_s=timeout_s)
    if is_refusal(answer[0]):
        line.statistics.refused += 1
        raise DeviceRefused(f"{line.url} {request.party}: {request}: error word {answer[1]:#04x}", answer[1])
    return answer[1:]


async def read_address(line: Line[Dlt645Request], *, timeout_s: float) -> str:
    """Return the address of the only meter on the line. Raises DeviceTimeout or DeviceRefused."""
    return (await read_data(line, Dlt645Request(ANY_ADDRESS), timeout_s=timeout_s))[::-1].hex()


def _judged(content: bytes, judge: Judge) -> tuple[float | None, Quality]:
    return judge(int.from_bytes(content, "little"), ())
