"""Coverage of tap water and sewage treatment, from the register's optional file `villages.csv`.

One row per village (a gacha of `regions.csv`): `region, residents, tap_water_residents, sewage, waterside, as_of,
source`. `sewage` is the id of the facility that treats the village's sewage, `controlled` where it is treated or
controlled without one, `none`, or empty for not known. `waterside` says `yes` for the Yellow River and the lakes.
What no row states is not known: it lies between the bounds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.bounds import Verdict
from analytics.kpi.regions import path_of
from edge.errors import BadInput
from ingest.register import Register
from ingest.register_csv import Problem, Row, read_rows

FILE = "villages.csv"
COLUMNS = ("region", "residents"), ("tap_water_residents", "sewage", "waterside", "as_of", "source")
CONTROLLED, NONE = "controlled", "none"


@dataclass(frozen=True)
class Village:
    """What people counted in one village."""

    region: str
    residents: int
    tap_water_residents: int | None
    """None where it was not counted."""
    sewage: str
    """A facility's id, `controlled`, `none`, or empty for not known."""
    waterside: bool
    as_of: str
    """Day of the count, `YYYY-MM-DD`; empty where it is not said."""


@dataclass(frozen=True)
class Share:
    """A share with its bounds. [%]"""

    pct: float | None
    """Of what is known; None where nothing is."""
    low_pct: float
    high_pct: float
    known: int
    """Residents, or villages, of which it is known."""
    total: int

    def verdict(self, target_pct: float) -> Verdict:
        """Judge against a target, unrounded. [%]"""
        if self.low_pct >= target_pct:
            return Verdict.PASS
        return Verdict.FAIL if self.high_pct < target_pct else Verdict.INDETERMINATE


@dataclass(frozen=True)
class Coverage:
    """Coverage of a region; None where its register does not state it."""

    villages: int
    """In the register."""
    stated: int
    """Of these, with a row in `villages.csv`."""
    tap_water: Share | None
    """Of the residents of the stated villages."""
    sewage: Share | None
    """Of all villages."""
    sewage_waterside: Share | None
    """Of the villages stated to lie at the Yellow River or a lake."""
    as_of: str
    """The oldest day of a count that is used; empty where none is said."""


def read_villages(folder: Path, register: Register, timezone: str) -> tuple[Village, ...]:
    """Return the rows of `villages.csv`; none where there is no such file. Raises BadInput."""
    path = folder / FILE
    if not path.exists():
        return ()
    problems: list[Problem] = []
    rows = [_village(row, register) for row in read_rows(path, *COLUMNS, timezone, problems)]
    if problems:
        raise BadInput(f"{path}: {problems[0]}")
    if len({row.region for row in rows}) < len(rows):
        raise BadInput(f"{path}: a village stands there twice. Keep one row of each")
    return tuple(rows)


def coverage(
    villages: Sequence[Village], register: Register, region: str, facility_runs: Mapping[str, bool | None]
) -> Coverage:
    """Return the coverage of a region; a facility of which it is not known whether it ran treats nobody for sure."""
    codes = {
        code for code, one in register.regions.items() if one.level == "gacha" and region in path_of(code, register)
    }
    mine = [village for village in villages if village.region in codes]
    treated = {village.region: _treated(village, facility_runs) for village in mine}
    waterside = [village.region for village in mine if village.waterside]
    return Coverage(
        villages=len(codes),
        stated=len(mine),
        tap_water=_tap_water(mine),
        sewage=_of_villages(codes, treated) if mine else None,
        sewage_waterside=_of_villages(waterside, treated) if waterside else None,
        as_of=min((village.as_of for village in mine if village.as_of), default=""),
    )


def _village(row: Row, register: Register) -> Village:
    region, residents = row.name("region", required=True) or "", row.whole("residents")
    tap, sewage = row.whole("tap_water_residents"), row.name("sewage") or ""
    waterside = row.choice("waterside", ("yes", "no"), required=False)
    if region and (region not in register.regions or register.regions[region].level != "gacha"):
        row.refuse("region", f"{region!r} is no gacha of regions.csv. Correct the code")
    if residents is None:
        row.refuse("residents", "empty. Fill in how many people live there")
    if tap is not None and residents is not None and tap > residents:
        row.refuse("tap_water_residents", f"{tap} are more than the {residents} residents. Correct one of them")
    if sewage not in ("", CONTROLLED, NONE) and sewage not in register.assets:
        row.refuse("sewage", f"{sewage!r} is neither an id of assets.csv nor controlled nor none. Correct it")
    row.text("source")
    return Village(region, residents or 0, tap, sewage, waterside == "yes", row.day("as_of"))


def _treated(village: Village, facility_runs: Mapping[str, bool | None]) -> bool | None:
    if village.sewage in (CONTROLLED, NONE):
        return village.sewage == CONTROLLED
    return facility_runs.get(village.sewage) if village.sewage else None


def _tap_water(villages: Sequence[Village]) -> Share | None:
    counted = [(village.residents, village.tap_water_residents) for village in villages]
    known = sum(residents for residents, tap in counted if tap is not None)
    total, served = sum(residents for residents, _ in counted), sum(tap or 0 for _, tap in counted)
    return _share(served, known, total) if known else None


def _of_villages(codes: Collection[str], treated: Mapping[str, bool | None]) -> Share:
    answers = [treated.get(code) for code in codes]
    return _share(answers.count(True), len(answers) - answers.count(None), len(answers))


def _share(yes: int, known: int, total: int) -> Share:
    unknown = total - known
    pct = 100 * yes / known if known else None
    return Share(pct, 100 * yes / total, 100 * (yes + unknown) / total, known, total)
