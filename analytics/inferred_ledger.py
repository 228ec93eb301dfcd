"""Inferred interruptions as the ledger that the indices of DL/T 836 and IEEE 1366 are computed from."""

import numpy as np

from analytics.inferred import Inferred
from analytics.interruptions import Ledger


def as_ledger(rows: Inferred, *, least_confidence: float = 0.0) -> Ledger:
    """Return the rows as a ledger, those below a confidence left out.

    Nothing inferred is external or for shortage: a person says so (R1 to R13 then apply as to any ledger).

    Parameters
    ----------
    rows : Inferred
        As `infer_interruptions` gives them.
    least_confidence : float
        Rows of less confidence are left out. [0..1]

    Returns
    -------
    Ledger
        Units are numbered as in the evidence.

    Examples
    --------
    >>> from analytics.evidence import infer_supply
    >>> from analytics.inferred import infer_interruptions
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> from analytics.topology import FEEDER, TRANSFORMER, simple_topology
    >>> t_ms, volts = np.arange(61) * 60_000, np.where(np.arange(61) // 10 == 2, 0.0, 1.0)
    >>> devices, county = simple_devices([1]), simple_topology([-1, 0], [0, 40], [FEEDER, TRANSFORMER])
    >>> runs = find_runs(voltage_readings([0] * 61, t_ms, volts), devices)
    >>> rows = infer_interruptions(infer_supply(runs, devices, county, 0, 3_600_000), county)
    >>> ledger = as_ledger(rows)
    >>> ledger.customers.tolist(), ((ledger.end_ms - ledger.start_ms) / 60_000).tolist()
    ([40.0], [10.0])
    """
    kept = np.flatnonzero(rows.confidence >= least_confidence)
    none = np.zeros(len(kept), np.bool_)
    return Ledger(
        unit=rows.unit[kept],
        customers=rows.customers[kept].astype(np.float64),
        start_ms=rows.start_ms[kept],
        end_ms=rows.end_ms[kept],
        nature=rows.nature[kept],
        external=none,
        shortage=none,
        share_off=np.ones(len(kept)),
    )
