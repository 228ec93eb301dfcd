"""The KPI service: from changed days to mergeable daily sums, and from sums to the numbers people answer for.

One road for the service and for `steppe power backfill`, so that both give the same result bit for bit:
readings of a device and day → runs (kept in `kpi.db`) → evidence of a county and day → partial sums in the store.
"""
