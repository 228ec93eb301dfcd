"""A virtual county on real Modbus, recorded replays, faults, and the demo that checks the road against the truth."""
