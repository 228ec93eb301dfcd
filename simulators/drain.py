"""The end of a run: everything that is sealed must arrive and be stored, however long a link backs off."""

import asyncio
import time
from collections.abc import Callable

from simulators.cast import Cast
from simulators.progress import Progress, ProgressReader

ALMOST_NOTHING = 2
"""Batches that a gateway which delivers has under way at any moment."""
LOOK_EVERY_S = 0.3
AFTER_LEAVING_S = 3.0


async def drain(cast: Cast, reader: ProgressReader, show: Callable[[Progress], None], within_s: float) -> Progress:
    """Mend everything, let the gateways leave when their spools are all but empty, and wait for the store.

    A gateway that left with batches in its spool (its link was still backing off) is called back. Gives up after
    `within_s`: the checker tells what is missing.
    """
    deadline_s = time.monotonic() + within_s
    while True:
        cast.raise_all()
        await _until(_all_but_empty, reader, show, deadline_s)
        await cast.leave()
        progress = await _until(_is_over, reader, show, min(time.monotonic() + AFTER_LEAVING_S, deadline_s))
        if progress.waiting == 0 or time.monotonic() > deadline_s:
            return await _until(_is_over, reader, show, deadline_s)


async def _until(
    done: Callable[[Progress], bool], reader: ProgressReader, show: Callable[[Progress], None], deadline_s: float
) -> Progress:
    while True:
        progress = reader.read()
        show(progress)
        if done(progress) or time.monotonic() > deadline_s:
            return progress
        await asyncio.sleep(LOOK_EVERY_S)


def _all_but_empty(progress: Progress) -> bool:
    return all(site.waiting_batches <= ALMOST_NOTHING for site in progress.sites)


def _is_over(progress: Progress) -> bool:
    return progress.waiting == 0 and progress.not_stored == 0
