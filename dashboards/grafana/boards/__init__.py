"""The seven dashboards, each a list of panels."""

from dataclasses import dataclass

from dashboards.grafana.panel import Panel
from dashboards.grafana.site_rows import Utility
from dashboards.grafana.words import Language, Words


@dataclass(frozen=True)
class Dashboard:
    """One dashboard before it is built in a language."""

    stem: str
    """What its uid begins with; the language ends it. Never changes: people keep links."""
    title: Words
    about: Words
    panels: tuple[Panel, ...]
    sites_of: Utility | None = None
    """With a choice of sites of one utility; None for a page about all."""
    span: str = "now-24h"
    refresh: str = "1m"

    def uid(self, language: Language) -> str:
        """Return the stable uid."""
        return f"{self.stem}-{language}"
