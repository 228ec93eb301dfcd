"""Who has each duty now, by `alarms.toml`. Reads only."""

from dataclasses import dataclass

from analytics.alarms.planner import Planner
from analytics.alarms.rota import on_duty


@dataclass(frozen=True)
class Duty:
    """One duty and who has it."""

    rota: str
    name: str
    """Empty where nobody has it."""
    phone: str


def duties(planner: Planner, *, now_ms: int) -> tuple[Duty, ...]:
    """Return every duty."""
    return tuple(_duty(planner, rota.name, on_duty(rota, now_ms, planner.timezone)) for rota in planner.settings.rotas)


def _duty(planner: Planner, rota: str, name: str | None) -> Duty:
    person = planner.settings.person(name) if name else None
    return Duty(rota, name or "", person.phone if person else "")
