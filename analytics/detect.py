"""Event detection on many channels at once: a stream of rows in, one score per row out.

What it does. Each channel has a level that follows only what is not outlying, a spread, and a tail: how far it strays
by itself, and how often. Each departure from the level is first explained by the departures of the other channels; what
is left is measured against the channel's own tail. So a flow that jumps every hour and a conductivity that never
moves are judged by the same number, whatever their levels, units, hours and seasons.

What it promises. Causal: a row's score depends on the rows up to it. Missing values stay missing: they are not scored,
and what was learned before a gap holds after it. `Detector.save` gives all of the state, and a restored detector goes
on as if it had never stopped.

What was learned beforehand. No weights come from labels, but labels did steer choices: the score at which an event
opens, the rules that open and close it (`analytics.events.Rules`), and, beside invented disturbances, the ranking of
some 170 variants of `Settings`, all on one season of one waterworks whose labels were known. So its figures
on that season are optimistic; on a season not looked at, expect fewer events and about twice the false alarms.
`tests/benchmarks/detector_settings.py` ranks the neighbours of the shipped settings again, on forward splits. Without
labels, from the same season: the first belief of each kind of instrument (`analytics.channels`).

One row a minute is meant; settings count rows.
"""

import io
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.detect_settings import Settings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SPREAD_PER_DEVIATION = 1.25
"""Standard deviation of a normal sample over its mean absolute deviation."""
SMALLEST_TAIL, SMALLEST_USUAL, NOTHING = 0.1, 0.3, 0.05
FIRST_TAIL, FIRST_USUAL, FIRST_STRAYS = 0.25, 3.0, 10.0
"""What is believed of an unknown channel before its first stray, and how many strays that belief weighs."""
MINUTES_PER_DAY = 1440.0
TINY = 1e-12


@dataclass(frozen=True)
class Scores:
    """What the detector says of n rows of m channels."""

    score: Floats
    """Shape (n,): how unlikely the row is. 0 is usual."""
    channel: Floats
    """Shape (n, m): each channel's share, signed as its departure."""


class Detector:
    """The state of one station's detection, for m channels."""

    def __init__(
        self,
        channels: int,
        settings: Settings | None = None,
        usual: ArrayLike = FIRST_USUAL,
        tail: ArrayLike = FIRST_TAIL,
    ) -> None:
        """Begin cold, with a first belief of each channel's usual stray and tail (`analytics.channels`)."""
        self.settings = settings or Settings()
        self.channels = channels
        self._memories = np.array(self.settings.memory_rows)[:, None]
        shape = (len(self.settings.memory_rows), channels)
        self.rows = 0
        self.age = np.zeros(channels)
        self.last = np.zeros(channels)
        self.step = np.zeros(channels)
        self.level = np.zeros(shape)
        self.spread = np.zeros(shape)
        self.outside = np.zeros(shape)
        self.relation = np.broadcast_to(np.eye(channels), (*shape, channels)).copy()
        self.precision = self.relation.copy()
        self.usual = np.broadcast_to(np.asarray(usual, dtype=float), shape).copy()
        self.tail = np.broadcast_to(np.asarray(tail, dtype=float), shape).copy()
        self.strays = np.zeros(shape)
        self.peak = np.zeros(shape)
        self.quiet = np.full(shape, 1000.0)
        self.before = np.zeros(shape)
        self.excused = np.zeros(shape[0])

    def run(self, values: ArrayLike) -> Scores:
        """Score rows in order and learn from them.

        Parameters
        ----------
        values : array_like, shape (n, m)
            One row per minute, NaN where nothing was read. Infinite values count as not read.

        Returns
        -------
        Scores

        Raises
        ------
        ValueError
            If the rows have another number of channels than the detector.

        Notes
        -----
        With the departure z = (x − level) / spread, its part r that the other channels do not explain, and the
        channel's usual stray u and tail ξ (mean of ln(peak / u) over past strays)::

            s = max(0, ln(|r| / u) / ξ)        score = s₁ + 0.3 · s₂

        where s₁ and s₂ are the two largest of the row; the median over the memories counts. A Pareto tail with
        exponent 1/ξ is passed e^(−s) times as often as the usual stray.

        Examples
        --------
        >>> rng = np.random.default_rng(7)
        >>> x = rng.normal(size=(3000, 3))
        >>> x[2900:2920, 1] += 40
        >>> score = Detector(3).run(x).score
        >>> bool(score[2900:2920].min() > 2 * score[2000:2900].max())
        True

        References
        ----------
        .. [1] B. M. Hill, "A simple general approach to inference about the tail of a distribution",
           Ann. Stat. 3, 1975.
        .. [2] US EPA, CANARY user's manual, 2012: outliers are kept out of the history they are compared with.
        """
        rows = np.array(values, dtype=float, ndmin=2)
        if rows.shape[1] != self.channels:
            raise ValueError(f"{rows.shape[1]} channels where {self.channels} were begun with")
        rows[~np.isfinite(rows)] = np.nan
        strange = np.zeros((len(rows), *self.level.shape))
        for row, judged in zip(rows, strange, strict=True):
            judged[:] = self._row(row)
        return self._combine(strange)

    def save(self) -> bytes:
        """All of the state, to be kept through a restart."""
        target = io.BytesIO()
        arrays = {name: np.asarray(value) for name, value in self._state().items()}
        np.savez(target, allow_pickle=False, **arrays)
        return target.getvalue()

    @classmethod
    def restore(cls, saved: bytes, settings: Settings | None = None) -> "Detector":
        """The detector that was saved, to go on with the next row.

        Raises
        ------
        ValueError
            If it was saved under other settings.
        """
        with np.load(io.BytesIO(saved), allow_pickle=False) as state:
            detector = cls(int(state["age"].shape[0]), settings)
            if str(state["settings"]) != str(asdict(detector.settings)):
                raise ValueError("the state was saved under other settings: start the detector anew")
            for name in detector._state().keys() - {"settings", "rows"}:
                setattr(detector, name, state[name].copy())
            detector.rows = int(state["rows"])
        return detector

    def _state(self) -> dict[str, object]:
        learned = {
            name: value for name, value in vars(self).items() if name not in ("settings", "channels", "_memories")
        }
        return learned | {"settings": str(asdict(self.settings))}

    def _row(self, row: Floats) -> Floats:
        """How strange each channel is to each memory, signed as its departure, shape (memories, channels)."""
        known = ~np.isnan(row)
        self.rows += 1
        if not known.any():
            return np.zeros(self.level.shape)
        self._learn_step(row, known)
        departure = np.where(known, row - self.level, 0.0)
        scale = np.maximum(SPREAD_PER_DEVIATION * self.spread, self.settings.step_share * self.step + TINY)
        z = departure / scale
        clipped = np.clip(z, -self.settings.relation_clip, self.settings.relation_clip)
        left = self._unexplained(z, clipped)
        size = np.abs(left)
        strange = np.where(known, np.maximum(np.log(np.maximum(size, NOTHING) / self.usual) / self.tail, 0.0), 0.0)
        excused = self._excuse(strange)
        self._learn_level(row, known, departure, scale, strange, excused)
        self._learn_tail(size, known)
        if known.all():
            self._learn_relation(clipped, excused)
        return np.copysign(strange, left)

    def _learn_step(self, row: Floats, known: Bools) -> None:
        first = known & (self.age == 0)
        if first.any():
            self.last[first] = row[first]
            self.level[:, first] = row[first]
        self.age += known
        moved = np.where(known, np.abs(row - self.last), 0.0)
        self.last[known] = row[known]
        begun = self.step > 0
        gain = np.where(begun, np.maximum(1 / MINUTES_PER_DAY, 1 / np.maximum(self.age, 1.0)), 1.0)
        believed = np.where(begun, np.minimum(moved, 3 * self.step), moved)
        self.step += np.where(moved > 0, gain * (believed - self.step), 0.0)

    def _unexplained(self, z: Floats, clipped: Floats) -> Floats:
        """The part of each departure that the others leave, never larger than the departure nor of the other sign."""
        if self.rows % self.settings.relation_every == 1:
            ridge = self.settings.relation_ridge * np.eye(self.channels)
            self.precision = np.asarray(np.linalg.inv(self.relation + ridge), dtype=float)
        own = np.diagonal(self.precision, axis1=1, axis2=2)
        expected = clipped - (self.precision @ clipped[:, :, None])[:, :, 0] / own
        left = z - expected
        return np.where(left * z > 0, np.copysign(np.minimum(np.abs(left), np.abs(z)), z), 0.0)

    def _excuse(self, strange: Floats) -> Bools:
        """Per memory: whether this row is too strange to be learned from, and there is still patience for such."""
        alarming = strange.max(axis=1) > self.settings.excuse_score
        excused = alarming & (self.excused < self.settings.excuse_rows)
        self.excused = np.where(alarming, self.excused + 1, np.maximum(self.excused - 0.1, 0.0))
        return np.asarray(excused)

    def _learn_level(
        self, row: Floats, known: Bools, departure: Floats, scale: Floats, strange: Floats, excused: Bools
    ) -> None:
        young = 1 / np.maximum(self.age, 1.0)
        spread_learns = known & ~(excused[:, None] & (strange > self.settings.excuse_score / 2))
        believed = np.minimum(np.abs(departure), self.settings.spread_cap * scale)
        gain = np.maximum(1 / self.settings.spread_rows, young)
        self.spread += np.where(spread_learns, gain * (believed - self.spread), 0.0)
        inside = np.abs(departure) < self.settings.gate * scale
        follow = np.maximum(1 / self._memories, young) * departure
        self.level += np.where(inside & known, follow, 0.0)
        self.outside += np.where(known, np.where(inside, -np.minimum(self.outside, 2.0), 1.0), 0.0)
        settled = self.outside > self.settings.reanchor_rows
        if settled.any():
            self.level = np.where(settled & known, row, self.level)
            self.outside[settled & known] = 0.0

    def _learn_tail(self, size: Floats, known: Bools) -> None:
        twice = np.minimum(size, self.before)
        self.before = np.where(known, size, self.before)
        straying = known & (twice > self.usual)
        self.peak = np.where(straying, np.maximum(self.peak, twice), self.peak)
        self.quiet = np.where(straying, 0.0, self.quiet + known)
        ended = known & ~straying & (self.quiet >= self.settings.quiet_rows) & (self.peak > 0)
        if ended.any():
            self._count_strays(ended)
        gain = np.maximum(self.settings.stray_gain, 0.3 / (1 + self.age / 360))
        fade = np.exp(-gain * self.settings.strays_per_day / MINUTES_PER_DAY)
        self.usual = np.where(known, np.maximum(self.usual * fade, SMALLEST_USUAL), self.usual)

    def _count_strays(self, ended: Bools) -> None:
        height = np.log(np.where(ended, self.peak, 1.0) / self.usual)
        patient = (self.excused > 0) & (self.excused < self.settings.excuse_rows)
        counts = ended & ~(patient[:, None] & (height / self.tail > self.settings.excuse_score))
        believed = np.minimum(height, self.settings.tail_cap * self.tail)
        weight = np.minimum(self.settings.tail_strays, self.strays + FIRST_STRAYS)
        tail = np.maximum(self.tail + (believed - self.tail) / weight, SMALLEST_TAIL)
        rise = np.exp(np.maximum(self.settings.stray_gain, 0.3 / (1 + self.strays)))
        self.tail = np.where(counts, tail, self.tail)
        self.usual = np.where(counts, self.usual * rise, self.usual)
        self.strays += ended
        self.peak[ended] = 0.0

    def _learn_relation(self, clipped: Floats, excused: Bools) -> None:
        gain = np.where(excused, 0.0, 1 / self.settings.relation_rows)[:, None, None]
        self.relation += gain * (clipped[:, :, None] * clipped[:, None, :] - self.relation)

    def _combine(self, strange: Floats) -> Scores:
        ordered = np.sort(np.abs(strange), axis=2)
        score = ordered[:, :, -1]
        if self.channels > 1:
            score = score + self.settings.second_share * ordered[:, :, -2]
        return Scores(np.median(score, axis=1), np.median(strange, axis=1))
