"""Alarms: conditions to states to notices, so that one person is told once, in time, about the cause."""
