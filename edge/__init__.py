"""On the gateway: read meters, judge each value, keep it, and carry it to the centre. Needs no numpy."""
