"""Drawings of the power commands, in files; matplotlib is imported only where one is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analytics.own_files import power_voltage
from analytics.own_files.power_reliability import Answer
from analytics.reliability import Nature, allowance_hours
from edge.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {Nature.FAULT: "#b3261e", Nature.LIMIT: "#7a5195", Nature.PLANNED: "#2f6db3"}
SHARES = np.linspace(0.0, 1.0, 1001)
"""Where a duration curve is drawn."""
MOST_NAMED = 12
"""Curves beyond which a legend would hide the drawing."""


def plot_daily_hours(answer: Answer, path: Path) -> None:
    """Draw the hours per customer of each day by nature, and their sum against the allowance of the period."""
    edges, by_nature = answer.daily_hours()
    days = np.arange(1, len(edges))
    target = answer.question.target

    def draw(axes: "Axes") -> None:
        floor = np.zeros(len(days))
        for nature, hours in by_nature.items():
            axes.bar(days, hours, bottom=floor, color=COLOURS[nature], label=nature.name.lower(), width=0.8)
            floor = floor + hours
        axes.set_xlabel("day of the period")
        axes.set_ylabel("hours out per customer and day")
        total = axes.twinx()
        total.plot(days, np.cumsum(floor), color="black", linewidth=1.2, label="sum")
        allowance = allowance_hours(target, answer.dlt.period_h)
        total.axhline(allowance, color="black", linestyle="--", linewidth=0.8, label=f"allowance at {target:g} %")
        total.set_ylabel("sum of hours per customer")
        total.set_ylim(bottom=0)
        handles = [h for part in (axes, total) for h in part.get_legend_handles_labels()[0]]
        axes.set_ylim(0, 1.05 * max(float(floor.max()), 1e-9))
        axes.legend(
            handles=handles, fontsize="small", frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5
        )

    _save(draw, path)


def plot_duration_curves(answer: power_voltage.Answer, path: Path) -> None:
    """Draw for each phase the voltage that was exceeded for a given share of the observed minutes."""

    def draw(axes: "Axes") -> None:
        for phase in answer.phases:
            volts = phase.observed_v[~np.isnan(phase.observed_v)]
            if len(volts):
                exceeded = np.quantile(volts, 1.0 - SHARES)
                axes.plot(
                    100 * SHARES, exceeded, linewidth=1.2, label=f"{phase.point} {phase.phase}".strip() or "voltage"
                )
        profile = answer.question.profile
        for limit in (profile.lo, profile.hi) if profile is not None else ():
            axes.axhline(limit, color="black", linestyle="--", linewidth=0.8)
        axes.set_xlabel("share of observed minutes [%]")
        axes.set_ylabel("voltage exceeded [V]")
        axes.set_xlim(0, 100)
        if len(answer.phases) <= MOST_NAMED:
            axes.legend(fontsize="small", frameon=False, loc="upper right")

    _save(draw, path)


def _save(draw: Callable[["Axes"], None], path: Path) -> None:
    """Draw on one pair of axes and write the file, in the format that its name ends with."""
    if path.suffix.lower() not in {".svg", ".png"}:
        raise BadInput(f"--plot {path}: the name must end in .svg or .png")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure.subplots())
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise BadInput(f"--plot {path}: {error.strerror}; choose a folder that can be written") from error
