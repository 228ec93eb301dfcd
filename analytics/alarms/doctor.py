"""A look over the alarms of a centre: would the service start, and can everybody be told."""

from collections.abc import Iterator
from pathlib import Path

from analytics.alarms import service
from edge.clock import Clock
from edge.errors import BadInput
from edge.findings import Finding, ok, warning, wrong
from ingest.config import load_centre


def examine(centre_file: Path, clock: Clock) -> Iterator[Finding]:
    """Yield what is wrong with `alarms.toml`, its secrets and its limits; nothing for a centre that does not load."""
    try:
        centre = load_centre(centre_file)
    except BadInput:
        return
    path = Path(centre.register) / service.SETTINGS_FILE
    try:
        plant = service.load_plant(centre, now_ms=clock.now_ms())
    except BadInput as error:
        remedy = ("correct the file; the sample beside it explains every key", "修改该文件；各项说明见同目录样例")
        yield wrong("alarms", (str(error), f"告警配置有误：{error}"), remedy)
        return
    people = plant.planner.settings.people
    if people:
        yield ok("alarms", f"{len(people)} people can be told", f"可通知 {len(people)} 人")
        return
    yield warning(
        "alarms",
        ("nobody is told of any alarm", "任何告警都不会通知到人"),
        (f"write channels, people and duties into {path}", f"在 {path} 中填写通道、人员和值班"),
    )
