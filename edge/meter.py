"""One Modbus meter: its points planned into blocks, read, taken apart and judged."""

import asyncio
import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edge.clock import Clock
from edge.decode import BlockDecoder, Judge, Raw, make_judge, text_of
from edge.devices import Device, device_points, point_name
from edge.driver import Sweep
from edge.errors import DeviceError, DeviceRefused, DeviceTimeout
from edge.modbus import BlockReader
from edge.plan import Block, Cell, cells_of, limits_of, main_cell, plan_blocks, side_cells
from edge.profiles import Point
from edge.wire import Quality, Reading

log = logging.getLogger(__name__)

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS_OR_VALUE = (2, 3)
REPLAN_MS = 3_600_000


class ModbusMeter:
    """Reads a device in as few requests as it allows, and remembers for an hour which registers it refused."""

    def __init__(self, device: Device, line: BlockReader) -> None:
        self.name, self.period_s, self.timeout_s = device.name, device.poll_every_s, device.timeout_s
        self._unit, self._pause_s, self._line = device.unit, device.pause_s, line
        points = device_points(device)
        self._cells = _shared(cells_of(points))
        self._limits = limits_of(device)
        place = {cell: index for index, cell in enumerate(self._cells)}
        numbers = [point for point in points if point.type != "string"]
        self._names = [point_name(device, point.name) for point in numbers]
        self._places, self._judges = _places_and_judges(msgspec.json.encode(numbers), self._cells)
        self._text_places = {point_name(device, p.name): place[main_cell(p)] for p in points if p.type == "string"}
        self.texts: dict[str, str] = {}
        """What the string points said last."""
        self.raws: list[Raw | Quality] = [Quality.BAD_NO_ANSWER] * len(self._cells)
        """What each cell held at the last sweep, or why nothing is known."""
        self._instants = [0] * len(self._cells)
        self._pieces: list[_Piece] = []
        self._may_repeat = False
        self._replan_ms: int | None = None
        self._plan_anew()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The requests of one sweep."""
        return tuple(piece.block for piece in self._pieces)

    async def read(self, clock: Clock) -> Sweep:
        """Read every point; each is stamped when its answer arrived."""
        if self._replan_ms is not None and clock.monotonic_ms() >= self._replan_ms:
            self._plan_anew()
        self._answers, self._gave_up = 0, False
        pieces = [await self._sweep_piece(piece, clock) for piece in self._pieces]
        self._pieces = [part for parts in pieces for part in parts]
        has_changed = len(self._pieces) > len(pieces) or any(piece.refused for piece in self._pieces)
        if has_changed and self._replan_ms is None:
            self._replan_ms = clock.monotonic_ms() + REPLAN_MS
        self._may_repeat = self._answers > 0
        self._note_texts()
        return Sweep(self._readings(), answered=self._answers > 0)

    async def probe(self) -> bool:
        """Ask for the first cell alone; True if the meter answered, be it with a refusal."""
        first = Block(self._cells[:1])
        try:
            await self._ask(first)
        except DeviceRefused:
            return True
        except DeviceError:
            return False
        return True

    def silent(self, now_ms: int) -> list[Reading]:
        """Return the rows of a meter that is not asked: BAD_NO_ANSWER, no values."""
        return [Reading(name, now_ms, None, Quality.BAD_NO_ANSWER) for name in self._names]

    def _plan_anew(self) -> None:
        self._replan_ms = None
        self._pieces, at = [], 0
        for block in plan_blocks(self._cells, self._limits):
            self._pieces.append(_Piece(block, _decoder_of(block), at))
            at += len(block.cells)

    async def _sweep_piece(self, piece: "_Piece", clock: Clock) -> "list[_Piece]":
        """Read one piece of the plan; return what to read in its place next time."""
        if self._gave_up or piece.refused:
            self._keep(piece, Quality.BAD_CONFIGURATION if piece.refused else Quality.BAD_NO_ANSWER, clock)
            return [piece]
        try:
            registers = await self._ask(piece.block)
        except DeviceRefused as refusal:
            self._answers += 1
            if refusal.code in ILLEGAL_ADDRESS_OR_VALUE:
                return await self._split(piece, clock)
            unfit = refusal.code == ILLEGAL_FUNCTION
            self._keep(piece, Quality.BAD_CONFIGURATION if unfit else Quality.BAD_REFUSED, clock)
        except DeviceError as error:
            log.debug("%s: %s", self.name, error)
            self._gave_up = True
            self._keep(piece, Quality.BAD_NO_ANSWER, clock)
        else:
            self._answers += 1
            self._keep(piece, piece.decoder.raws(registers), clock)
        return [piece]

    async def _split(self, piece: "_Piece", clock: Clock) -> "list[_Piece]":
        """Find out which cells of a refused block are the bad ones, half by half."""
        if len(piece.block.cells) == 1:
            log.warning("%s: there is no register %d; its points stay BAD", self.name, piece.block.register)
            self._keep(piece, Quality.BAD_CONFIGURATION, clock)
            return [_Piece(piece.block, piece.decoder, piece.first, refused=True)]
        parts, first = [], piece.first
        for half in piece.block.halves():
            parts += await self._sweep_piece(_Piece(half, _decoder_of(half), first), clock)
            first += len(half.cells)
        return parts

    async def _ask(self, block: Block) -> list[int]:
        """Read a block; once per sweep a meter that answered the last time gets a second chance."""
        while True:
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
            try:
                return await self._line.read_block(
                    self._unit, block.table, block.register, block.count, timeout_s=self.timeout_s
                )
            except DeviceTimeout:
                if not self._may_repeat:
                    raise
                self._may_repeat = False

    def _keep(self, piece: "_Piece", what: Sequence[Raw] | Quality, clock: Clock) -> None:
        count = len(piece.block.cells)
        run = slice(piece.first, piece.first + count)
        self.raws[run] = [what] * count if isinstance(what, Quality) else what
        self._instants[run] = [clock.now_ms()] * count

    def _readings(self) -> list[Reading]:
        raws, instants, readings = self.raws, self._instants, []
        for name, place, judge in zip(self._names, self._places, self._judges, strict=True):
            raw = raws[place]
            value, quality = (None, raw) if isinstance(raw, Quality) else judge(raw, raws)  # type: ignore[arg-type]
            readings.append(Reading(name, instants[place], value, quality))
        return readings

    def _note_texts(self) -> None:
        """A text is an event: it is told when it changes."""
        for name, place in self._text_places.items():
            raw = self.raws[place]
            if not isinstance(raw, Quality) and (text := text_of(raw)) != self.texts.get(name):
                log.info("%s says %r", name, text)
                self.texts[name] = text


@dataclass(frozen=True, slots=True)
class _Piece:
    """One request of the plan, and where its cells stand among the device's."""

    block: Block
    decoder: BlockDecoder
    first: int
    refused: bool = False
    """The device has refused this one cell: it is not asked until the plan is made anew."""


_decoder_of = functools.lru_cache(maxsize=1024)(BlockDecoder)
"""Meters of one kind share what takes their blocks apart: with many of them it is a good part of the memory."""


@functools.lru_cache(maxsize=256)
def _shared(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return the cells that meters of one kind have in common."""
    return cells


@functools.lru_cache(maxsize=256)
def _places_and_judges(points: bytes, cells: tuple[Cell, ...]) -> tuple[list[int], list[Judge]]:
    """Return per point the place of its number among `cells`, and its judge; shared by meters of one kind."""
    place = {cell: index for index, cell in enumerate(cells)}
    places, judges = [], []
    for point in msgspec.json.decode(points, type=list[Point]):
        sides = {what: place[cell] for what, cell in side_cells(point).items()}
        places.append(place[main_cell(point)])
        judges.append(make_judge(point, sides=sides))
    return places, judges
