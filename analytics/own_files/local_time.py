"""Local time: what people write in tables, as instants; and the calendar as instants.

A clock time without an offset belongs to the stated zone. A time that daylight saving skips, or has twice, names no
instant: it is told apart instead of guessed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from edge.errors import BadInput

Ms = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNKNOWN_MS = -(2**63)
"""Stands where a text names no instant; the masks beside it say why."""
QUARTER_MS = 900_000
"""Zones change their offset at quarters of an hour."""
CHUNK = 10_000
"""Texts read together; one that is not plain slows down its chunk only."""
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: local clock time is counted from it

WITH_OFFSET = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([Zz]|[+-]\d{2}(:?\d{2})?)$"
LIKE_A_SPREADSHEET = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?)?")


@dataclass(frozen=True)
class Instants:
    """Texts read as instants, each element one of: known, wrong, skipped or double."""

    ms: Ms
    """`UNKNOWN_MS` unless known. [ms since 1970-01-01T00:00Z]"""
    wrong: Mask
    """Not a time."""
    skipped: Mask
    """A clock time that daylight saving leaves out."""
    double: Mask
    """A clock time that comes twice as daylight saving ends."""


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as `Asia/Shanghai`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"time zone {name!r} is unknown; write an IANA name such as Asia/Shanghai") from error


def instants(times: pa.Array, local: ZoneInfo) -> Instants:
    """Read a column of texts or timestamps; times without an offset are local."""
    if pa.types.is_timestamp(times.type):
        us = _us(pc.cast(times, pa.timestamp("us", times.type.tz), safe=False))
        naive = np.full(len(us), times.type.tz is None)
    else:
        us, naive = _parsed(pc.utf8_trim_whitespace(pc.fill_null(pc.cast(times, pa.string()), "")))
    wrong = us == UNKNOWN_MS
    ms = np.where(wrong, 0, us // 1000)
    utc, skipped, double = local_to_utc(ms, local)
    skipped, double = skipped & naive & ~wrong, double & naive & ~wrong
    known = ~(wrong | skipped | double)
    return Instants(np.where(known, np.where(naive, utc, ms), UNKNOWN_MS), wrong, skipped, double)


def local_to_utc(local_ms: Ms, local: ZoneInfo) -> tuple[Ms, Mask, Mask]:
    """Instants of local clock times, and which of these the zone skips or has twice.

    A clock time is counted as if it were UTC. [ms]
    """
    quarters, index = np.unique(local_ms // QUARTER_MS, return_inverse=True)
    clock = [EPOCH + timedelta(milliseconds=int(quarter) * QUARTER_MS) for quarter in quarters]
    first, second = (
        np.array([_offset_ms(time.replace(tzinfo=local, fold=fold)) for time in clock], dtype=np.int64)
        for fold in (0, 1)
    )
    return local_ms - first[index], (first < second)[index], (first > second)[index]


def utc_to_local(utc_ms: Ms, local: ZoneInfo) -> Ms:
    """Local clock times of instants, counted as if they were UTC. [ms]"""
    quarters, index = np.unique(utc_ms // QUARTER_MS, return_inverse=True)
    offsets = [_offset_ms(datetime.fromtimestamp(int(q) * QUARTER_MS / 1000, UTC).astimezone(local)) for q in quarters]
    return np.asarray(utc_ms + np.array(offsets, dtype=np.int64)[index])


def instant(text: str, local: ZoneInfo, option: str) -> int:
    """The instant of one text, such as the value of an option. [ms since 1970-01-01T00:00Z]"""
    read = instants(pa.array([text]), local)
    if read.wrong[0]:
        raise BadInput(f"{option}: {text!r} is not a date or time; write 2025-06-01 or 2025-06-01T08:00")
    if read.skipped[0] or read.double[0]:
        raise BadInput(f"{option}: {text!r} names no single instant in {local.key}; write its offset")
    return int(read.ms[0])


def local_midnights(start_ms: int, end_ms: int, local: ZoneInfo) -> Ms:
    """The midnights from the one at or before `start_ms` to the one at or after `end_ms`."""
    day = timedelta(days=1)
    first = datetime.fromtimestamp(start_ms / 1000, local).replace(hour=0, minute=0, second=0, microsecond=0)
    midnights = [_ms(first)]
    while midnights[-1] < end_ms:
        first = first + day
        midnights.append(_ms(first))
    return np.array(midnights, dtype=np.int64)


def local_text(instant_ms: int, local: ZoneInfo) -> str:
    """ISO 8601 with the offset of the zone."""
    return datetime.fromtimestamp(instant_ms / 1000, local).isoformat()


def _parsed(texts: pa.Array) -> tuple[Ms, Mask]:
    """Microseconds since 1970 of each text, as UTC or as local clock time; and which are local."""
    offset = np.asarray(pc.match_substring_regex(texts, WITH_OFFSET).to_numpy(zero_copy_only=False), dtype=np.bool_)
    us = np.full(len(texts), UNKNOWN_MS, dtype=np.int64)
    for which, kind in ((offset, pa.timestamp("us", "UTC")), (~offset, pa.timestamp("us"))):
        part = texts.filter(pa.array(which))
        chunks = [_parsed_chunk(part[at : at + CHUNK], kind) for at in range(0, len(part), CHUNK)]
        us[which] = np.concatenate(chunks) if chunks else us[:0]
    return us, ~offset


def _parsed_chunk(texts: pa.Array, kind: pa.DataType) -> Ms:
    """Fast where every text is plain ISO 8601, one by one where any is not."""
    try:
        return _us(pc.cast(texts, kind))
    except pa.ArrowInvalid:
        return np.array([_parse_one(text) for text in texts.to_pylist()], dtype=np.int64)


def _parse_one(text: str) -> int:
    """Microseconds of one text, with the forms that spreadsheets write and `24:00` for the end of a day."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        match = LIKE_A_SPREADSHEET.fullmatch(text)
        if match is None:
            return UNKNOWN_MS
        year, month, day, hour, minute, second = (float(part or 0) for part in match.groups())
        if hour > 24 or minute > 59 or second >= 60 or (hour == 24 and minute + second > 0):
            return UNKNOWN_MS
        try:
            date = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - local clock time
        except ValueError:
            return UNKNOWN_MS
        time = date + timedelta(hours=hour, minutes=minute, seconds=second)
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return (time - EPOCH) // timedelta(microseconds=1)


def _us(timestamps: pa.Array) -> Ms:
    """Microseconds of an Arrow column of timestamps, `UNKNOWN_MS` for nulls."""
    return np.asarray(pc.fill_null(pc.cast(timestamps, pa.int64()), UNKNOWN_MS), dtype=np.int64)


def _offset_ms(time: datetime) -> int:
    offset = time.utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)


def _ms(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
