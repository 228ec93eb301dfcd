"""Which registers to ask for together: as few requests as the device and the line allow.

A `Cell` is one number on the wire, a `Block` one request. Cells are kept in the order of the wire, so each block is a
run of them, and half a block is again a run.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.devices import Device, device_profile, is_dlt645
from edge.profiles import Point, Table

BITS_PER_REGISTER = 16
GAP_ON_SERIAL, GAP_ON_TCP = 16, 50


class Cell(NamedTuple):
    """One number as it stands in the device: where, and how to take it apart."""

    table: Table
    register: int
    size: int
    """Registers (or bits) that it takes."""
    type: str
    order: str


class Limits(NamedTuple):
    """What one request may cover."""

    max_registers: int = 125
    max_gap: int = 50
    """Most unused registers to read along between two cells: dearer than a request of its own beyond that."""
    holes: tuple[tuple[int, int], ...] = ()
    """Ranges, both ends included, that must never be asked for."""


@dataclass(frozen=True)
class Block:
    """One request, and the cells it brings."""

    cells: tuple[Cell, ...]

    @functools.cached_property
    def table(self) -> Table:
        return self.cells[0].table

    @functools.cached_property
    def register(self) -> int:
        return self.cells[0].register

    @functools.cached_property
    def count(self) -> int:
        """Registers (or bits) to ask for."""
        return max(cell.register + cell.size for cell in self.cells) - self.register

    def halves(self) -> tuple["Block", "Block"]:
        """Split after half the cells. Needs two."""
        middle = len(self.cells) // 2
        return Block(self.cells[:middle]), Block(self.cells[middle:])


def limits_of(device: Device) -> Limits:
    """Return what one request to the device may cover: as the site says, as the profile says, or by the transport."""
    if is_dlt645(device.url):
        return Limits(max_registers=1, max_gap=0)  # one data identifier to a request
    profile = device_profile(device)
    limits = Limits(max_gap=GAP_ON_TCP if device.url.startswith("tcp:") else GAP_ON_SERIAL)
    for source in (profile, device):
        if source is not None and source.max_registers is not None:
            limits = limits._replace(max_registers=source.max_registers)
        if source is not None and source.max_gap is not None:
            limits = limits._replace(max_gap=source.max_gap)
    base = device.register_base
    holes = profile.holes if profile is not None else []
    return limits._replace(holes=tuple((first + base, last + base) for first, last in holes))


def main_cell(point: Point) -> Cell:
    """Return the cell that holds the point's own number."""
    return Cell(point.table, point.register, point.size, point.type, point.word_order)


def side_cells(point: Point) -> dict[str, Cell]:
    """Return the cells that decide over the point's number: decimals, exponent, status."""
    sides = {}
    if point.decimals_register is not None:
        sides["decimals"] = Cell(point.table, point.decimals_register, 1, "uint16", "ABCD")
    if point.exponent_register is not None:
        sides["exponent"] = Cell(point.table, point.exponent_register, 1, "int16", "ABCD")
    if point.status is not None:
        sides["status"] = Cell(point.table, point.status.register, 1, "uint16", "ABCD")
    return sides


def cells_of(points: Iterable[Point]) -> tuple[Cell, ...]:
    """Return every cell that the points need, once each, in the order of the wire."""
    return tuple(sorted({cell for point in points for cell in (main_cell(point), *side_cells(point).values())}))


def plan_blocks(cells: Sequence[Cell], limits: Limits) -> tuple[Block, ...]:
    """Return the requests that bring all `cells` (in the order of the wire), each within the limits."""
    runs: list[list[Cell]] = []
    for cell in cells:
        if runs and _fits(runs[-1], cell, limits):
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return tuple(Block(tuple(run)) for run in runs)


def _fits(run: list[Cell], cell: Cell, limits: Limits) -> bool:
    first, end = run[0].register, max(member.register + member.size for member in run)
    unit = BITS_PER_REGISTER if cell.type == "bit" else 1
    return (
        cell.table == run[0].table
        and cell.register - end <= limits.max_gap * unit
        and max(end, cell.register + cell.size) - first <= limits.max_registers * unit
        and not any(end <= last and start < cell.register for start, last in limits.holes)
    )
