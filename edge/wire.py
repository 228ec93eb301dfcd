"""The wire contract, version 1: what a site says to the centre, and what the centre answers.

Imports nothing of ours, so both ends may import it. Topics are `steppe/v1/<site>/batch|points|status` (up) and
`steppe/v1/<site>/ack` (down); a gateway with a certificate asks for its next one on `csr` and finds it on `cert`, both
PEM. Any other payload that starts with `{` is JSON, one that starts with 0x78 is the same JSON under zlib. Everything
is bounded before it is allocated: a payload from outside is never trusted.
"""

import enum
import re
import zlib
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

Version = Literal[1]
"""Version of this contract."""
VERSION: Version = 1
MAX_WIRE_BYTES = 256 * 1024
MAX_UNPACKED_BYTES = 4 * 1024 * 1024
MAX_ROWS = 20_000
MAX_FUTURE_MS = 10 * 60 * 1000
MAX_PAST_MS = 400 * 24 * 3600 * 1000

SITE_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
POINT_PATTERN = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"

SiteName = Annotated[str, Meta(pattern=SITE_PATTERN)]
"""Lower-case letters, digits and hyphens: also the topic level, the certificate's name and the store's tag."""
PointName = Annotated[str, Meta(pattern=POINT_PATTERN, max_length=120)]
"""Name within the site, such as `clearwell.turbidity_ntu`: device, then the quantity with its unit last."""
StreamId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
"""Made at random with the spool file: a replaced disk starts a new stream instead of reusing numbers."""
BootId = Annotated[str, Meta(min_length=1, max_length=36)]
"""Names the time since the gateway's machine last started: within it, its monotonic clock never steps."""
UInt = Annotated[int, Meta(ge=0, le=2**62)]
TimeMs = Annotated[int, Meta(ge=0, le=2**53)]
"""By the gateway's clock. [ms since 1970-01-01T00:00Z]"""
Delta = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class WireError(Exception):
    """A payload that cannot be taken; the message is the reason kept with the dead letter."""


class Quality(enum.IntEnum):
    """How far one value can be trusted. From 8 on there is no value: a silent device is a row, never a stale number.

    OPC UA: 0 Good; 1–3 Uncertain (SourceTimestamp, EngineeringUnitsExceeded); 8 BadNoCommunication;
    9 BadDeviceFailure; 10 BadNoDataAvailable; 11 BadConfigurationError.
    """

    GOOD = 0
    UNCERTAIN_CLOCK = 1
    UNCERTAIN_RANGE = 2
    UNCERTAIN_CLOCK_AND_RANGE = 3
    BAD_NO_ANSWER = 8
    BAD_REFUSED = 9
    BAD_NOT_AVAILABLE = 10
    BAD_CONFIGURATION = 11

    @property
    def is_bad(self) -> bool:
        return self >= Quality.BAD_NO_ANSWER


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one point at one instant, at the edge before it is sealed."""

    point: str
    """Name within the site, such as `clearwell.turbidity_ntu`."""
    sampled_ms: int
    """When the instrument answered, not when it was sent. [ms since 1970-01-01T00:00Z]"""
    value: float | None
    """In the unit that ends the point's name; None where quality is BAD."""
    quality: Quality = Quality.GOOD


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Readings sealed once at the edge and never changed after that, as columns. (site, stream, seq) is its key."""

    v: Version
    site: SiteName
    stream: StreamId
    seq: UInt
    """Rises by one per batch of a stream, from 0."""
    boot: BootId
    t0: TimeMs
    """Base of `dt`. [ms since 1970-01-01T00:00Z]"""
    points: Annotated[list[PointName], Meta(min_length=1, max_length=MAX_ROWS)]
    """Names within the site, each once."""
    p: Annotated[list[UInt], Meta(min_length=1, max_length=MAX_ROWS)]
    """Per row: index into `points`."""
    dt: Annotated[list[Delta], Meta(max_length=MAX_ROWS)]
    """Per row: sampled at t0 + dt. [ms]"""
    x: Annotated[list[float | None], Meta(max_length=MAX_ROWS)]
    """Per row: the value, null where there is none."""
    q: Quality | Annotated[list[Quality], Meta(max_length=MAX_ROWS)]
    """Per row: quality; one number where all rows agree."""


class PointInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the site promises of one point: with it the centre knows how many readings to expect."""

    name: PointName
    period_s: Annotated[float, Meta(gt=0)]
    """Time between two readings. [s]"""
    by_exception: bool = False
    """True: sent on change, at least every `max_silence_s`."""
    max_silence_s: Annotated[float, Meta(gt=0)] | None = None
    """Longest time between two readings of a living point that is sent by exception. [s]"""
    counter: bool = False
    """True: a running total that may wrap or reset. The first reading that stands lower is UNCERTAIN_RANGE."""
    wraps_at: Annotated[float, Meta(gt=0)] | None = None
    """Where a counter begins at 0 again at the latest, in the point's unit; None where it may count on for ever."""


class PointList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The site's points, retained on the broker."""

    v: Version
    site: SiteName
    boot: BootId
    at_ms: TimeMs
    points: Annotated[list[PointInfo], Meta(max_length=MAX_ROWS)]


class DroppedRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed batches that a full spool had to let go, by its named policy: a loss that is itself data."""

    stream: StreamId
    first_seq: UInt
    """The first batch that went."""
    last_seq: UInt
    """The last one; all between went too."""
    readings: UInt
    """In all of them."""
    first_ms: TimeMs
    """Oldest instant among the readings that went. [ms since 1970-01-01T00:00Z]"""
    last_ms: TimeMs
    """Newest instant among them. [ms since 1970-01-01T00:00Z]"""
    policy: Literal["oldest", "thin", "newest", "damaged"]
    """Which rule took them; `damaged`: the spool's file could not be read."""


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Birth, heartbeat and death of a site, retained on the broker; the death is also the MQTT will."""

    v: Version
    site: SiteName
    online: bool
    """False in the will, and where a gateway says farewell."""
    boot: BootId
    at_ms: TimeMs
    version: Annotated[str, Meta(max_length=40)]
    """Of steppe at the gateway."""
    stream: StreamId | None = None
    next_seq: UInt = 0
    """Batches sealed so far in `stream`: what the centre must have or be told about."""
    spool_batches: UInt = 0
    """Batches that wait for the centre's ack."""
    spool_bytes: UInt = 0
    """What they take. [bytes]"""
    oldest_ms: TimeMs | None = None
    """When the oldest waiting batch was sampled. [ms since 1970-01-01T00:00Z]"""
    clock: Literal["synced", "unsynced", "unknown"] = "unknown"
    """What the gateway's machine says of its clock."""
    up_ms: UInt | None = None
    """By the clock that never steps within `boot`: beside `at_ms` it shows a step of the wall clock. [ms]"""
    dropped: Annotated[list[DroppedRange], Meta(max_length=1000)] = []
    set_aside: Annotated[str, Meta(max_length=200)] | None = None
    """File name of a damaged spool that was kept for a person to look at."""


class Ack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the centre holds durably of one stream. Cumulative: a lost ack costs nothing."""

    stream: StreamId
    upto: Annotated[int, Meta(ge=-1)]
    """Every batch up to and including this one is committed; -1 for none."""
    also: list[tuple[UInt, UInt]] = []
    """Further committed ranges, both ends included."""

    def covers(self, seq: int) -> bool:
        """Whether batch `seq` is committed at the centre."""
        return seq <= self.upto or any(first <= seq <= last for first, last in self.also)


Message = Batch | PointList | Status | Ack
M = TypeVar("M", Batch, PointList, Status, Ack)


def topic(site: str, leaf: Literal["batch", "points", "status", "ack", "csr", "cert"]) -> str:
    """Return the topic of one site's messages of one kind."""
    return f"steppe/v1/{site}/{leaf}"


def site_and_leaf(topic_name: str) -> tuple[str, str]:
    """Split a topic into site and leaf. Raises WireError if it is not one of ours."""
    parts = topic_name.split("/")
    if len(parts) != 4 or parts[:2] != ["steppe", "v1"] or not re.match(SITE_PATTERN, parts[2]):
        raise WireError(f"topic {topic_name[:80]!r} is not steppe/v1/<site>/<leaf>")
    return parts[2], parts[3]


def encode(message: Message, *, packed: bool = False) -> bytes:
    """Return the message as it goes on the wire, under zlib if `packed`."""
    payload = msgspec.json.encode(message)
    return zlib.compress(payload, 6) if packed else payload


def unpack(payload: bytes) -> bytes:
    """Return the JSON text of a payload, inflated within bounds. Raises WireError."""
    if len(payload) > MAX_WIRE_BYTES:
        raise WireError(f"payload has {len(payload)} bytes, at most {MAX_WIRE_BYTES} are taken")
    if payload[:1] == b"{":
        return payload
    if payload[:1] != b"\x78":
        raise WireError("payload is neither JSON ({) nor zlib (0x78)")
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(payload, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise WireError(f"payload cannot be inflated: {error}") from error
    if inflater.unconsumed_tail:
        raise WireError(f"payload unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise WireError("payload is a truncated or padded zlib stream")
    return text


def decode(payload: bytes, kind: type[M]) -> M:
    """Return the payload as one `kind` of message. Raises WireError with the reason."""
    try:
        return msgspec.json.decode(unpack(payload), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not a {kind.__name__.lower()} of version {VERSION}: {error}"[:500]) from error
