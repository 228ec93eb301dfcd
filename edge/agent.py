"""The gateway's process: acquisition in the event loop, delivery in its own thread, one clean way out."""

import asyncio
import contextlib
import ctypes
import gc
import queue
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from edge import poll
from edge.clock import Clock, RealClock
from edge.delivery import FLUSH_S, Delivery, Inbox
from edge.handover import Handover
from edge.link import Link
from edge.mqtt import BrokerAddress
from edge.renewal import PaperFiles, Renewal
from edge.service import feed_watchdog, notify
from edge.site import Site
from edge.site import Uplink as UplinkSettings
from edge.spool import Spool
from edge.spool_sqlite import SqliteSpool
from edge.status import Herald
from edge.timesync import PATIENCE_S, ClockState, Trust, boot_id, machine_clock_state
from edge.wire import PointInfo, Reading

YOUNG_OBJECTS = 10_000
"""Python's usual 700 makes it look for garbage several times in each batch of readings."""

Emit = Callable[[Sequence[Reading]], None]
Acquire = Callable[[Site, Clock, Emit], Awaitable[None]]


async def run(
    site: Site,
    base: Path,
    clock: Clock,
    *,
    spool: Spool | None = None,
    acquire: Acquire = poll.acquire,
    points: Callable[[Site], tuple[PointInfo, ...]] = poll.point_list,
    clock_state: Callable[[], ClockState] | None = None,
) -> None:
    """Read and deliver until SIGTERM, SIGINT or cancellation; then seal, flush for a bounded time, and return.

    Relative paths of `site` count from `base`. `clock_state` tells whether the clock is set; None asks the machine,
    and trusts a clock that is not the machine's. Raises SpoolError where the spool cannot be opened.
    """
    _give_back_memory()
    if spool is None:
        spool = open_spool(site, base)
    ask = clock_state or (machine_clock_state if isinstance(clock, RealClock) else _synced)
    delivery = make_delivery(site, base, clock, spool, points(site), ask)
    carrying = asyncio.create_task(asyncio.to_thread(delivery.run), name="delivery")
    handover = Handover(clock, site.seal.urgent, delivery.stamped, delivery.deliver)
    polling = asyncio.ensure_future(acquire(site, clock, handover.emit))
    watchdog = asyncio.create_task(feed_watchdog(lambda: (handover.polls, delivery.turns)), name="watchdog")
    try:
        with _until_signal() as signalled:
            notify("READY=1")
            leaving = asyncio.create_task(signalled.wait(), name="signal")
            await asyncio.wait({carrying, polling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
    finally:
        notify("STOPPING=1")
        watchdog.cancel()
        polling.cancel()
        await asyncio.wait({polling})
        handover.flush()
        delivery.stop()
        await asyncio.wait({carrying})
        spool.close()
    await carrying
    if not polling.cancelled():
        await polling


def open_spool(site: Site, base: Path) -> SqliteSpool:
    """Return the spool that `site` describes. Raises SpoolError."""
    kept = site.spool
    return SqliteSpool(base / kept.path, max_bytes=int(kept.max_mb * 1_000_000), when_full=kept.when_full)


def make_delivery(
    site: Site,
    base: Path,
    clock: Clock,
    spool: Spool,
    points: Sequence[PointInfo],
    clock_state: Callable[[], ClockState],
    *,
    flush_s: float = FLUSH_S,
    clock_patience_s: float = PATIENCE_S,
) -> Delivery:
    """Return the delivery of a site, built and not yet running.

    A clean stop flushes for at most `flush_s`; with the link up for `clock_patience_s` and the clock still not set,
    readings go out marked UNCERTAIN_CLOCK.
    """
    inbox: Inbox = queue.SimpleQueue()
    trust = Trust(clock, boot_id(), clock_state)
    link = Link(
        site.site,
        broker_address(site.uplink, base),
        spool,
        Herald(site.site, trust.boot, clock, spool, points, lambda: trust.state),
        inbox.put,
        window=site.uplink.window,
        backlog_per_s=site.uplink.backlog_batches_per_s / clock.real_s(1.0),
        renewal=_renewal(site, base, clock),
    )
    return Delivery(site, clock, spool, link, trust, inbox, flush_s=flush_s, clock_patience_s=clock_patience_s)


def broker_address(uplink: UplinkSettings, base: Path) -> BrokerAddress:
    """Return where the broker is, file names counted from `base`."""

    def file(name: str | None) -> Path | None:
        return None if name is None else base / name

    return BrokerAddress(
        uplink.url,
        ca_file=file(uplink.ca_file),
        cert_file=file(uplink.cert_file),
        key_file=file(uplink.key_file),
        username=uplink.username,
        password_file=file(uplink.password_file),
    )


def _renewal(site: Site, base: Path, clock: Clock) -> Renewal | None:
    """Return who keeps the gateway's certificate fresh; None for a gateway that holds none."""
    address = broker_address(site.uplink, base)
    if address.cert_file is None or address.key_file is None or address.ca_file is None:
        return None
    return Renewal(PaperFiles(site.site, address.cert_file, address.key_file, address.ca_file), clock)


def _give_back_memory() -> None:
    """Return to the system what loading has used and freed (glibc only), and look for garbage among new things only."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _synced() -> ClockState:
    return "synced"


@contextlib.contextmanager
def _until_signal() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM or SIGINT sets."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    try:
        yield signalled
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
