"""axe-core, put into a page from its file: what it holds against the page."""

from typing import Any

from playwright.sync_api import Page
from support.servers import ROOT, missing

PROGRAM = ROOT / ".tools" / "console" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
RUN = "() => axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations)"


def load_axe() -> str:
    """The examiner's script; skips the test where it was not installed."""
    if not PROGRAM.exists():
        missing("axe-core is not installed: run tests/support/install_servers.sh .tools")
    return PROGRAM.read_text(encoding="utf-8")


def grave_findings(page: Page, axe: str) -> list[str]:
    """Return what is serious or critical, one line for each element."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{one['id']} ({one['impact']}): {' '.join(node['target'])}: {_said(node)}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def _said(node: dict[str, Any]) -> str:
    return str(node["failureSummary"]).replace("\n", " ")
