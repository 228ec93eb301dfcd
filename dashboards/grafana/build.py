"""From the seven dashboards to classic JSON: the same bytes on every build, one set for each language."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.grafana.boards import Dashboard
from dashboards.grafana.boards.alarms import ALARMS
from dashboards.grafana.boards.feeder import FEEDER
from dashboards.grafana.boards.fleet import FLEET
from dashboards.grafana.boards.overview import OVERVIEW
from dashboards.grafana.boards.quality import QUALITY
from dashboards.grafana.boards.sewage import SEWAGE
from dashboards.grafana.boards.water import WATER
from dashboards.grafana.console_link import CONSOLE_URL
from dashboards.grafana.influxql import ALL_SITES, datasource
from dashboards.grafana.render import rendered
from dashboards.grafana.words import LANGUAGES, Language, Words

DASHBOARDS = (OVERVIEW, FEEDER, WATER, SEWAGE, FLEET, QUALITY, ALARMS)
SOURCE_TAG = "src:"
FOLDERS: dict[Language, tuple[str, Words]] = {
    "en": ("steppe-en", Words("Steppe (English)", "Steppe (English)")),
    "zh": ("steppe-zh", Words("Steppe（中文）", "Steppe（中文）")),
}
SITE, CONSOLE = Words("Site", "站点"), Words("Console", "控制台")


@dataclass(frozen=True)
class Built:
    """One dashboard as Grafana takes it."""

    uid: str
    language: Language
    model: dict[str, Any]

    @property
    def source(self) -> str:
        """The tag that tells what it was built from."""
        return next(str(tag) for tag in self.model["tags"] if tag.startswith(SOURCE_TAG))

    @property
    def text(self) -> str:
        """The file's text."""
        return json.dumps(self.model, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def path(self, folder: Path) -> Path:
        """Return where its file stands below a folder."""
        return folder / self.language / f"{self.uid}.json"


def build_all(console_url: str = CONSOLE_URL) -> list[Built]:
    """Return every dashboard in every language."""
    return [build(one, language, console_url) for language in LANGUAGES for one in DASHBOARDS]


def build(one: Dashboard, language: Language, console_url: str = CONSOLE_URL) -> Built:
    """Return one dashboard in one language."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Prefer using dashboardv2.Dashboard", DeprecationWarning)
        builder = d.Dashboard(one.title.said_in(language))
    builder.uid(one.uid(language)).description(one.about.said_in(language)).readonly()
    builder.timezone("browser").time(one.span, "now").refresh(one.refresh).week_start("monday")
    builder.annotations([])
    for variable in _variables(one, language, console_url):
        builder.with_variable(variable)
    for other in DASHBOARDS:
        builder.link(_link(other.title.said_in(language), f"/d/{other.uid(language)}"))
    builder.link(_link(CONSOLE.said_in(language), "${console}"))
    for number, panel in enumerate(one.panels, 1):
        builder.with_panel(rendered(panel, number, language))
    model = json.loads(json.dumps(builder.build(), cls=JSONEncoder))
    return Built(one.uid(language), language, model | {"tags": _tags(model, language)})


def write_all(folder: Path, built: list[Built]) -> Iterator[Path]:
    """Write each dashboard's file; yield those whose text was another one before."""
    for one in built:
        path = one.path(folder)
        if not path.exists() or path.read_text(encoding="utf-8") != one.text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(one.text, encoding="utf-8")
            yield path


def _variables(one: Dashboard, language: Language, console_url: str) -> Iterator[Any]:
    yield d.ConstantVariable("console").value(console_url).label(CONSOLE.said_in(language))
    if one.sites_of is not None:
        asked = f'SHOW TAG VALUES FROM "site_state" WITH KEY = "site" WHERE "utility" = \'{one.sites_of}\''
        everything = dm.VariableOption(selected=True, text="All", value="$__all")
        yield (
            d.QueryVariable("site")
            .label(SITE.said_in(language))
            .query(asked)
            .definition(asked)
            .datasource(datasource())
            .refresh(dm.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(dm.VariableSort.ALPHABETICAL_ASC)
            .include_all(True)
            .all_value(ALL_SITES)
            .multi(True)
            .current(everything)
        )


def _link(title: str, url: str) -> d.DashboardLink:
    return (
        d.DashboardLink(title).type(dm.DashboardLinkType.LINK).url(url).placement("").keep_time(url.startswith("/d/"))
    )


def _tags(model: dict[str, Any], language: Language) -> list[str]:
    digest = hashlib.sha256(json.dumps(model, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return ["steppe", language, f"{SOURCE_TAG}{digest[:16]}"]
