"""Read blocks of registers over Modbus: pymodbus behind one function, `read_block`.

Nothing in this room can write to a meter. Requests are never repeated in here (the one that polls decides), a link
that is lost is opened again with growing pauses, and a late answer never reaches the request after it: Modbus TCP
numbers its answers, and on RTU the line is left alone for a while after a request without an answer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from edge.dial_in import DialIn
from edge.errors import DeviceRefused, DeviceTimeout
from edge.linestats import LineStatistics
from edge.mbap import StrictMbap
from edge.profiles import Table
from edge.rtu import StrictRtu

CONNECT_TIMEOUT_S = 3.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
NEVER = 10**9
TURNS_TO_TAKE_WHAT_CAME = 2
"""The event loop sees bytes that are there in its next turn and hands them over in the one after."""
GATEWAY_GOT_NO_ANSWER = (10, 11)
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
REGISTER_TABLES = ("holding_register", "input_register")
LinkChanged = Callable[[bool], None]
MakeClient = Callable[[LineStatistics, LinkChanged], ModbusBaseClient]


@dataclass
class Backoff:
    """When to try a lost link again: after 0.5 s, 1 s, 2 s … at most 30 s."""

    pause_s: float = FIRST_PAUSE_S
    not_before_s: float = field(default=0.0)
    """On the machine's monotonic clock."""

    def failed(self) -> None:
        self.not_before_s = time.monotonic() + self.pause_s
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)

    def succeeded(self) -> None:
        self.pause_s, self.not_before_s = FIRST_PAUSE_S, 0.0

    @property
    def is_waiting(self) -> bool:
        return time.monotonic() < self.not_before_s


class ModbusLine:
    """One bus, used by one task: each request waits for the answer to the one before."""

    def __init__(self, url: str, make_client: MakeClient, dial_in: DialIn | None = None) -> None:
        """`make_client` gets the statistics to keep, and what to call when the link comes up (True) or goes down."""
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
        self.url = url
        self.statistics = LineStatistics()
        self._make_client, self._dial_in = make_client, dial_in
        self._client: ModbusBaseClient | None = None
        self._backoff = Backoff()
        self._numbers_answers = url.startswith("tcp")
        self._quiet_until_s = 0.0
        self._unit_quiet_until_s: dict[int, float] = {}
        """Units whose last request brought nothing, and until when its answer may still come."""

    async def read_block(self, unit: int, table: Table, register: int, count: int, *, timeout_s: float) -> list[int]:
        """Return `count` registers (or bits, as 0 and 1). Raises DeviceTimeout or DeviceRefused."""
        await self._drain(unit)
        client = await self._connected()
        self.statistics.requests += 1
        began_s, answer = time.perf_counter(), None
        try:
            answer = await self._ask(client, unit, table, register, count, timeout_s)
        finally:
            if answer is None:  # also when cancelled
                self._expect_late_answer(client, unit, timeout_s)
        self._unit_quiet_until_s.pop(unit, None)
        self.statistics.answered(time.perf_counter() - began_s)
        return self._content(answer, unit, table, register, count)

    def close(self) -> None:
        """Hang up and stop listening; the next read opens the line again."""
        self._hang_up()
        if self._dial_in is not None:
            self._dial_in.close()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    async def _ask(
        self, client: ModbusBaseClient, unit: int, table: Table, register: int, count: int, timeout_s: float
    ) -> ModbusPDU:
        client.ctx.comm_params.timeout_connect = timeout_s
        try:
            answer = await _reader(client, table)(register, count=count, device_id=unit)
        except ModbusIOException as error:
            self.statistics.timeouts += 1
            raise DeviceTimeout(
                f"{self.url} unit {unit}: no answer to {_request(table, register, count)} in {timeout_s} s. "
                "Check power and wiring; the next poll tries again"
            ) from error
        except ConnectionException as error:
            self._hang_up()
            raise DeviceTimeout(f"{self.url} unit {unit}: the link broke. The next poll opens it again") from error
        _raise_if_cancelled()
        return answer

    def _content(self, answer: ModbusPDU, unit: int, table: Table, register: int, count: int) -> list[int]:
        asked = f"{self.url} unit {unit}: {_request(table, register, count)}"
        if answer.isError():
            code = answer.exception_code
            self.statistics.refused += 1
            text = f"{asked}: exception {code}, {EXCEPTIONS.get(code, 'unknown')}"
            if code in GATEWAY_GOT_NO_ANSWER:
                raise DeviceTimeout(text)
            raise DeviceRefused(text, code)
        return list(answer.registers) if table in REGISTER_TABLES else [int(bit) for bit in answer.bits[:count]]

    async def _connected(self) -> ModbusBaseClient:
        superseded = self._dial_in is not None and self._dial_in.has_caller()
        if self._client is not None and self._client.connected and not superseded:
            return self._client
        self._hang_up()
        if self._backoff.is_waiting:
            raise DeviceTimeout(f"{self.url}: not connected, waiting before the next attempt")
        client = self._make_client(self.statistics, self._link_changed)
        client.set_max_no_responses(NEVER)  # before connect: else five silent units make pymodbus hang up on the rest
        if not await client.connect():
            client.close()
            self._backoff.failed()
            raise DeviceTimeout(f"{self.url}: no connection. Check the address, the cable and the far end's power")
        self._backoff.succeeded()
        self.statistics.connects += 1
        self._client = client
        return client

    def _link_changed(self, up: bool) -> None:
        """Let a request that waits when the link goes down fail now instead of at its time-out."""
        if not up and self._client is not None and not self._client.ctx.response_future.done():
            self._client.ctx.response_future.set_exception(ConnectionException("link lost"))

    async def _drain(self, unit: int) -> None:
        """Wait until no late answer is due any more, then let what came meanwhile be taken and dropped."""
        wait_s = max(self._quiet_until_s, self._unit_quiet_until_s.get(unit, 0.0)) - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if self._numbers_answers:
            return
        for _ in range(TURNS_TO_TAKE_WHAT_CAME):
            await asyncio.sleep(0)

    def _expect_late_answer(self, client: ModbusBaseClient, unit: int, timeout_s: float) -> None:
        """On RTU, where answers carry no number, listen for one more time-out before the unit is asked again.

        The other units wait too, for it may talk into their answers, unless it has been silent before.
        """
        framer = client.ctx.framer
        if isinstance(framer, StrictRtu | StrictMbap):
            framer.forget()
        if isinstance(framer, StrictMbap) and framer.is_broken:
            self._hang_up()
        if isinstance(framer, StrictRtu):
            quiet_until_s = time.monotonic() + timeout_s
            if unit not in self._unit_quiet_until_s:
                self._quiet_until_s = quiet_until_s
            self._unit_quiet_until_s[unit] = quiet_until_s


def _raise_if_cancelled() -> None:
    """Python 3.11's `wait_for`, inside pymodbus, swallows a cancel that meets the answer: bring it back."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _reader(client: ModbusBaseClient, table: Table) -> Callable[..., Awaitable[ModbusPDU]]:
    return {
        "coil": client.read_coils,
        "discrete_input": client.read_discrete_inputs,
        "holding_register": client.read_holding_registers,
        "input_register": client.read_input_registers,
    }[table]


def _request(table: Table, register: int, count: int) -> str:
    return f"'read {count} {table.replace('_', ' ')}{'s' if count > 1 else ''} at {register}'"
