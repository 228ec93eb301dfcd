"""On the gateway: read meters, judge each value, keep it, and carry it to the centre. Needs no numpy."""

VERSION = "0.1.0"
"""As in pyproject.toml (a test compares): to ask the installed package takes a gateway a mebibyte."""
