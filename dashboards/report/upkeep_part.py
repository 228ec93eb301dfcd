"""The report's parts on alarms, delivery of readings and inspections."""

from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.alarms import work
from analytics.alarms.events import Severity
from analytics.alarms.figures import figures, figures_of
from analytics.alarms.register_check import Inspection, inspections
from analytics.kpi.delivery import delivery
from analytics.kpi.regions import assets_in, sites_in
from dashboards.report.model import AlarmPart, DeliveryPart, InspectionRow, UpkeepPart
from dashboards.report.parts import asset_named, known
from dashboards.report.power_part import Span
from dashboards.report.sources import Sources


def alarm_part(sources: Sources, span: Span) -> AlarmPart | None:
    """Return how the region's alarms did; None where the centre keeps none. Raises AlarmDatabaseError."""
    if sources.alarms is None:
        return None
    assets = assets_in(span.region, sources.register) | set(
        sites_in(assets_in(span.region, sources.register), sources.register)
    )
    mine = {record.id for record in sources.alarms.records() if record.asset in assets}
    found = [one for one in sources.alarms.occurrences(end_ms=span.end_ms) if one.cause is None and one.alarm in mine]
    sources.digests.note("alarms", *found)
    critical = figures_of([o for o in found if o.severity is Severity.CRITICAL], span.start_ms, span.end_ms)
    every = figures(sources.alarms, span.start_ms, span.end_ms, assets=assets)
    return AlarmPart(
        alarms=every.annunciated,
        per_day=every.per_day,
        max_per_10_min=every.max_per_10_min,
        flood_pct=100 * every.flood_share,
        chattering=every.chattering,
        stale=every.stale,
        standing=every.standing,
        critical=critical.annunciated,
        critical_ack_median_s=known(critical.ack_median_s),
        critical_ack_p90_s=known(critical.ack_p90_s),
        ack_median_s=known(every.ack_median_s),
        ack_p90_s=known(every.ack_p90_s),
    )


def delivery_part(sources: Sources, span: Span) -> DeliveryPart | None:
    """Return what the region's sites promised and sent; None where the centre keeps no journal. Raises JournalError."""
    if sources.sites is None:
        return None
    names = sites_in(assets_in(span.region, sources.register), sources.register)
    found = delivery(sources.sites, names, span.start_ms, span.end_ms)
    sources.digests.note("delivery", found)
    return DeliveryPart(
        sites=len(names),
        heard=found.sites,
        expected=found.expected,
        received=found.received,
        good=found.good,
        received_pct=known(found.received_pct),
        good_pct=known(found.good_pct),
        silent_site_h=found.silent_site_h,
        site_h=found.site_h,
    )


def upkeep_part(sources: Sources, span: Span, now_ms: int) -> UpkeepPart:
    """Return the region's overdue inspections. Raises AlarmDatabaseError."""
    inside = assets_in(span.region, sources.register)
    last_ms: dict[str, int] = {}
    if sources.alarms is not None:
        with sources.alarms.reading() as connection:
            last_ms = work.inspections_ms(connection)
    due = [one for one in inspections(sources.register, last_ms, now_ms=now_ms) if one.asset in inside]
    sources.digests.note("inspections", *sorted(last_ms.items()))
    return UpkeepPart(len(due), tuple(_row(one, sources) for one in due if one.overdue))


def _row(one: Inspection, sources: Sources) -> InspectionRow:
    zone = ZoneInfo(sources.centre.timezone)
    last = "" if one.last_ms is None else datetime.fromtimestamp(one.last_ms / 1000, zone).date().isoformat()
    return InspectionRow(asset_named(one.asset, sources.register), one.responsible, one.every_days, last, one.late_days)
