"""Old hours of the embedded store in a row each, and reading them together with what is not packed.

Every function works within the caller's transaction: a reading is at any instant either in `reading` or in an hour,
so both must be seen at the same one. Nothing is rounded: an unpacked hour is bit for bit what was packed.
"""

import sqlite3
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.columns import FIRST_BAD
from ingest.sqlite_tables import T_BITS, Rows, insert_sorted, rows_of

HOUR_MS = 3_600_000
FEWEST_ROWS = 4
"""Fewer readings take less room as they are."""
LOOSE_PER_PIECE = 50_000
HOURS_PER_PIECE = 500
COMPRESSION = 6
TENTHS = (1.0, 0.1, 0.01, 0.001, 0.0001)
MULTIPLIED = 16
SCALES = (0, 1, 2, 3, 4, MULTIPLIED + 1, MULTIPLIED + 2, MULTIPLIED + 3, MULTIPLIED + 4)
"""Whole numbers divided by 10 ** scale, or multiplied by a tenth, a hundredth … (`MULTIPLIED` and more)."""
AS_IT_IS = 255
LARGEST_WHOLE = 2.0**30
"""So that a step between two of them fits into 32 bits."""

SELECT_LOOSE = "SELECT key, value, quality FROM reading WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
SELECT_HOURS = "SELECT key, hour FROM packed WHERE key > ? AND key < ? ORDER BY key LIMIT ?"


def read_piece(db: sqlite3.Connection, first: int, end: int) -> tuple[Rows, int]:
    """Return rows of one series with first <= key < end, a bounded number, and the key at which the next begin."""
    loose = rows_of(db.execute(SELECT_LOOSE, (first, end, LOOSE_PER_PIECE)).fetchall())
    if len(loose) == LOOSE_PER_PIECE:
        end = int(loose.key[-1]) + 1
    hours = db.execute(SELECT_HOURS, (first - HOUR_MS, end, HOURS_PER_PIECE)).fetchall()
    if not hours:
        return loose, end
    if len(hours) == HOURS_PER_PIECE:
        end = min(end, hours[-1][0] + HOUR_MS)
    rows = _merged([unpack(key, hour) for key, hour in hours], loose)
    return rows.where((rows.key >= first) & (rows.key < end)), end


def read_all(db: sqlite3.Connection, first: int, end: int) -> Rows:
    """Return every row of one series with first <= key < end."""
    pieces = []
    while first < end:
        rows, first = read_piece(db, first, end)
        pieces.append(rows)
    return _joined(pieces)


def is_packed(db: sqlite3.Connection, first: int, end: int) -> bool:
    """Whether any hour of first <= key < end is packed."""
    query = "SELECT EXISTS (SELECT * FROM packed WHERE key > ? AND key < ?)"
    return bool(db.execute(query, (first - HOUR_MS, end)).fetchone()[0])


def newest(db: sqlite3.Connection, series: int) -> Rows:
    """Return the newest row of a series, or none."""
    first, end = series << T_BITS, (series + 1) << T_BITS
    loose = rows_of(
        db.execute(
            "SELECT key, value, quality FROM reading WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1", (first, end)
        ).fetchall()
    )
    (hour_key,) = db.execute("SELECT max(key) FROM packed WHERE key >= ? AND key < ?", (first, end)).fetchone()
    if hour_key is None or (len(loose) and loose.key[0] >= hour_key + HOUR_MS):
        return loose
    rows = read_all(db, hour_key, end)
    return rows.where(rows.key == rows.key[-1])


def pack_some(db: sqlite3.Connection, start: int, before_ms: int, hours: int) -> int | None:
    """Pack what is older than `before_ms` from key `start` on; return where to go on, None where all of it is packed.

    At most `hours` hours or series are looked at, so that a call holds the file for a short time.
    """
    before_ms -= before_ms % HOUR_MS
    key = start
    for _ in range(hours):
        (found,) = db.execute("SELECT min(key) FROM reading WHERE key >= ?", (key,)).fetchone()
        if found is None:
            return None
        t_ms = found & (1 << T_BITS) - 1
        if t_ms >= before_ms:
            key = (found >> T_BITS) + 1 << T_BITS
        else:
            key = found - t_ms % HOUR_MS + HOUR_MS
            _pack_hour(db, key - HOUR_MS)
    return key


def forget(db: sqlite3.Connection, rows: Rows) -> int:
    """Delete the rows of one series that still are exactly these; return how many. Whole hours are read and written."""
    first = int(rows.key[0]) - int(rows.key[0] & (1 << T_BITS) - 1) % HOUR_MS
    end = int(rows.key[-1]) - int(rows.key[-1] & (1 << T_BITS) - 1) % HOUR_MS + HOUR_MS
    held = read_all(db, first, end)
    known = np.isin(held.key, rows.key)
    place = np.searchsorted(rows.key, held.key[known])
    same_value = (held.value[known] == rows.value[place]) | (np.isnan(held.value[known]) & np.isnan(rows.value[place]))
    known[known] = same_value & (held.quality[known] == rows.quality[place])
    db.execute("DELETE FROM reading WHERE key >= ? AND key < ?", (first, end))
    db.execute("DELETE FROM packed WHERE key >= ? AND key < ?", (first, end))
    insert_sorted(db, held.where(~known))
    return int(known.sum())


def pack(rows: Rows, hour_key: int) -> bytes:
    """Return the rows of one hour as one piece: steps of time, qualities, values; each kind of byte by itself.

    Equal steps become equal numbers. Values that an instrument gave with some decimals become steps of whole numbers,
    where these give back every bit; any others stay as they are.
    """
    steps = np.diff(rows.key - hour_key, prepend=0)
    scale, values = _whole_numbers(np.where(rows.quality >= FIRST_BAD, 0.0, rows.value))
    return zlib.compress(
        bytes([scale]) + _by_place(steps.astype("<i4")) + rows.quality.tobytes() + _by_place(values), COMPRESSION
    )


def unpack(hour_key: int, hour: bytes) -> Rows:
    """Return the rows that were packed."""
    plain = zlib.decompress(hour)
    scale = plain[0]
    width = 8 if scale == AS_IT_IS else 4
    rows = (len(plain) - 1) // (4 + 1 + width)
    steps = _from_places(plain[1 : 1 + 4 * rows], "<i4")
    quality = np.frombuffer(plain, np.uint8, rows, 1 + 4 * rows)
    stored = plain[1 + 5 * rows :]
    if scale == AS_IT_IS:
        value = _from_places(stored, "<f8").astype(np.float64)
    else:
        value = _scaled(np.cumsum(_from_places(stored, "<i4"), dtype=np.int64), scale)
    value[quality >= FIRST_BAD] = np.nan
    return Rows(hour_key + np.cumsum(steps, dtype=np.int64), value, quality)


def _whole_numbers(value: NDArray[np.float64]) -> tuple[int, NDArray[Any]]:
    """Return a scale and the steps of whole numbers that give back every bit, or the values as they are."""
    for scale in SCALES:
        with np.errstate(over="ignore"):
            whole = np.rint(value * 10.0 ** (scale % MULTIPLIED))
        if np.abs(whole).max(initial=0.0) < LARGEST_WHOLE:
            back = _scaled(whole.astype(np.int64), scale)
            if (back.view(np.int64) == value.view(np.int64)).all():
                return scale, np.diff(whole.astype(np.int64), prepend=0).astype("<i4")
    return AS_IT_IS, value.astype("<f8")


def _scaled(whole: NDArray[np.int64], scale: int) -> NDArray[np.float64]:
    """Instruments' values are whole numbers divided by ten, a hundred …, or multiplied by a tenth, a hundredth …"""
    if scale < MULTIPLIED:
        return np.asarray(whole / 10.0**scale)
    return np.asarray(whole * TENTHS[scale - MULTIPLIED])


def _by_place(numbers: NDArray[Any]) -> bytes:
    """The first bytes of all numbers, then the second bytes: what changes little compresses well."""
    return numbers.view(np.uint8).reshape(-1, numbers.dtype.itemsize).T.tobytes()


def _from_places(places: bytes, kind: str) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    return np.ascontiguousarray(np.frombuffer(places, np.uint8).reshape(size, -1).T).view(kind).reshape(-1)


def _pack_hour(db: sqlite3.Connection, hour_key: int) -> None:
    span = (hour_key, hour_key + HOUR_MS)
    rows = read_all(db, *span)
    if len(rows) < FEWEST_ROWS:
        return
    hour = pack(rows, hour_key)
    db.execute("INSERT OR REPLACE INTO packed VALUES (?, ?, ?)", (hour_key, len(rows), hour))
    db.execute("DELETE FROM reading WHERE key >= ? AND key < ?", span)


def _merged(hours: list[Rows], loose: Rows) -> Rows:
    """Rows in key order; of two with the same key the loose one, which came later."""
    rows = _joined([*hours, loose])
    if not len(loose):
        return rows
    order = np.argsort(rows.key, kind="stable")
    key = rows.key[order]
    last = order[np.append(key[1:] != key[:-1], True)]
    return Rows(rows.key[last], rows.value[last], rows.quality[last])


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([np.zeros(0, np.int64), *(part.key for part in parts)]),
        np.concatenate([np.zeros(0), *(part.value for part in parts)]),
        np.concatenate([np.zeros(0, np.uint8), *(part.quality for part in parts)]),
    )
