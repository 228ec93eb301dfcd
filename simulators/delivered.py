"""After a run: what the gateways sealed, held against what the centre holds and the store gives back."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ingest.config import Centre
from ingest.journal import Journal
from ingest.sites import Sites
from ingest.store import Store
from simulators.checker import Findings, check, gather
from simulators.child import LEDGER_FILE
from simulators.county_files import site_folder
from simulators.ledger import read_ledger
from simulators.replay import held_ranges, reported_drops


def examine_delivery(
    folder: Path, sites: Sequence[str], centre: Centre, store: Store, *, start_ms: int = 0
) -> Findings:
    """Compare the ledgers of `sites` in `folder` with the journal, and with the store from `start_ms` on."""
    ledgers = {site: read_ledger(site_folder(folder, site) / LEDGER_FILE) for site in sites}
    journal_path = Path(centre.data_dir) / centre.journal.path
    with contextlib.closing(Sites(journal_path)) as centre_sites:
        history = gather(ledgers, reported_drops(centre_sites, sites))
    held: dict[str, list[tuple[int, int]]] = {}
    with contextlib.closing(Journal(journal_path)) as journal:
        for site, trails in ledgers.items():
            held |= held_ranges(journal, site, {trail.stream for trail in trails})
    points = [point for point in store.points() if point.split("/", 1)[0] in sites]
    return check(history, store.read(points, start_ms, 2**53), held)
