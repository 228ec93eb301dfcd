"""An InfluxQL query as a Grafana panel holds it; the foundation SDK has no type of its own for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.grafana.words import Language

DATASOURCE_UID = "steppe-influxdb"
DATASOURCE_TYPE = "influxdb"
IN_LANGUAGE = re.compile(r'"@(\w+)"')
ALL_SITES = ".*"


@dataclass(frozen=True)
class Ask:
    """One question of a panel. `"@name"` stands for the column of the reader's language, `name` or `name_zh`."""

    influxql: str
    is_table: bool = False
    alias: str = ""
    """How a series is called, such as `$tag_point`."""

    def said_in(self, language: Language) -> str:
        """Return the query with the columns of one language."""
        return IN_LANGUAGE.sub(rf'"\1{"_zh" if language == "zh" else ""}"', self.influxql)


class InfluxQuery(builder.Builder[variants.Dataquery], variants.Dataquery):
    """What the SDK puts among a panel's targets."""

    def __init__(self, ask: Ask, ref_id: str, language: Language) -> None:
        self._ask, self._ref_id, self._language = ask, ref_id, language

    def build(self) -> variants.Dataquery:
        """Return itself: nothing of it can be left out."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the target as Grafana keeps it."""
        plain: dict[str, object] = {
            "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
            "query": self._ask.said_in(self._language),
            "rawQuery": True,
            "refId": self._ref_id,
            "resultFormat": "table" if self._ask.is_table else "time_series",
        }
        alias = self._ask.alias.replace("@name", "name_zh" if self._language == "zh" else "name")
        return plain | ({"alias": alias} if alias else {})


def datasource() -> DataSourceRef:
    """Return the reference to the one data source, by its stable uid."""
    return DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)


def with_variables(query: str, variables: Mapping[str, str]) -> str:
    """Return the query with the dashboard's variables filled in, as Grafana's pages do before they ask.

    >>> with_variables('"site" =~ /^$site$/ AND $timeFilter', {"site": ".*"})
    '"site" =~ /^.*$/ AND $timeFilter'
    """
    for name, value in variables.items():
        query = re.sub(rf"\$\{{{name}\}}|\${name}\b", value.replace("\\", r"\\"), query)
    return query
