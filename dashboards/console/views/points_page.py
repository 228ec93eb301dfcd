"""All that the page of a point shows before its chart has come."""

from dataclasses import dataclass

from analytics.alarms.database import AlarmDatabase
from dashboards.console.views.alarms_rows import AlarmRow
from dashboards.console.views.points import PointFacts, Sources, read_facts
from dashboards.console.views.points_alarms import alarms_in
from dashboards.console.views.points_span import Span
from dashboards.console.views.points_table import TableRow, coarse, table_rows
from dashboards.console.views.points_trend import read_trend
from ingest.store import Store


@dataclass(frozen=True)
class PointPage:
    """One point and its alarms over a span."""

    facts: PointFacts
    alarms: tuple[AlarmRow, ...]
    standing: AlarmRow | None
    """The gravest alarm of its own that holds now."""
    table: tuple[TableRow, ...] | None
    """None where it was not asked for."""


def read_page(
    store: Store,
    database: AlarmDatabase,
    sources: Sources,
    point: str,
    span: Span,
    *,
    with_table: bool,
    now_ms: int,
) -> PointPage:
    """Return what the page of a point shows. Raises NotFound, StoreError or AlarmDatabaseError."""
    facts = read_facts(store, sources, point, now_ms=now_ms)
    alarms = alarms_in(database, sources.register, sources.setpoints, point, span)
    own = [row for row in alarms if row.holds and row.point == point]
    trend = read_trend(store, point, coarse(span), facts.pace_ms, now_ms=now_ms) if with_table else None
    return PointPage(
        facts=facts,
        alarms=alarms,
        standing=min(own, key=lambda row: row.priority, default=None),
        table=table_rows(trend) if trend else None,
    )
