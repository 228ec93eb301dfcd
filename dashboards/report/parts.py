"""Small steps that every part of a report takes: names, numbers that may be unknown, and verdicts."""

import math
from collections.abc import Mapping

from analytics.bounds import RsBounds, Verdict
from analytics.kpi.targets import Indicator, Target
from analytics.kpi.villages import Share
from dashboards.report.model import Figure, Named
from ingest.register import Register

Targets = Mapping[Indicator, Target]


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else float(value)


def asset_named(asset: str, register: Register) -> Named:
    """Return an asset as people call it; by its id where it has no name."""
    stays = register.assets.get(asset)
    name, name_zh = (stays[-1].name, stays[-1].name_zh) if stays else ("", "")
    return Named(asset, name or name_zh or asset, name_zh or name or asset)


def region_named(code: str, register: Register) -> Named:
    """Return a region as people call it."""
    region = register.regions[code]
    return Named(code, region.name, region.name_zh or region.name)


def figure(value: float, low: float, high: float, coverage_pct: float, target: Target | None = None) -> Figure:
    """Return a percentage with its doubt; a NaN is not known."""
    target_pct = None if target is None else target.value_pct
    verdict = None if target_pct is None or math.isnan(low) or math.isnan(high) else judged(low, high, target_pct)
    return Figure(known(value), known(low), known(high), known(coverage_pct), target_pct, verdict)


def judged(low_pct: float, high_pct: float, target_pct: float) -> str:
    """Return what bounds say against a target, unrounded."""
    if low_pct >= target_pct:
        return Verdict.PASS.value
    return Verdict.FAIL.value if high_pct < target_pct else Verdict.INDETERMINATE.value


def rs_figure(bounds: RsBounds, target: Target | None) -> Figure:
    """Return supply reliability as a figure."""
    return figure(bounds.point_pct, bounds.low_pct, bounds.high_pct, 100 * bounds.coverage, target)


def share_figure(share: Share | None, target: Target | None) -> Figure | None:
    """Return a share of villages or residents as a figure; None where the register states nothing."""
    if share is None:
        return None
    value = math.nan if share.pct is None else share.pct
    return figure(value, share.low_pct, share.high_pct, 100 * share.known / share.total, target)
