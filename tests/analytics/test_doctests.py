"""Every example in a docstring of the core is run, and every public function of it has one."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import analytics

MODULES = sorted(module.name for module in pkgutil.iter_modules(analytics.__path__, "analytics."))
CORE_OF_POWER = [
    "bounds",
    "counters",
    "customer_record",
    "dlt836",
    "durations",
    "en50160",
    "energy",
    "evidence",
    "ieee1366",
    "inferred",
    "inferred_ledger",
    "interruptions",
    "intervals",
    "major_events",
    "outage_events",
    "power_quality",
    "reliability",
    "run_days",
    "runs",
    "sampled",
    "silence",
    "supply_states",
    "voltage",
    "voltage_classes",
    "voltage_events",
    "voltage_minutes",
]
CORE_OF_WATER = ["disinfection", "instruments", "network", "scoring", "sewage", "signals", "water"]
PLUMBING = {
    *("interval_columns", "group_touching", "rising", "columns"),
    *("simple_devices", "voltage_readings", "no_runs", "words"),
}
"""Used by other modules of the core and by examples, not by people; so are the modules spans, topology, live_path."""
NO_EQUATION = {
    *("total_losses", "momentary_events", "distinct_customers", "largest_by_unit", "ratio", "period_hours"),
    *("ledger_columns", "merge_ledger", "union_intervals", "clip_intervals", "as_ledger", "join_runs", "find_runs"),
    *("infer_supply", "infer_interruptions", "explain_silence", "group_events", "supply_states", "minute_states"),
    *("count_states", "count_minutes", "below_with_hysteresis", "event_spans", "voltage_events", "dip_cell"),
    *("judge_unbalance", "judge_thd"),
}
"""Sort, pick, join or judge by rules that their text states; there is nothing to equate."""
NO_SOURCE = {
    *("period_hours", "ratio", "largest_by_unit", "ledger_columns", "union_intervals", "clip_intervals"),
    *("event_spans", "join_runs", "find_runs", "as_ledger"),
}
"""Arithmetic of intervals and shapes of columns: no standard stands behind them."""


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def public_functions(name):
    module = importlib.import_module(f"analytics.{name}")
    functions = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
    return [f for f in functions if not f.__name__.startswith("_") and f.__name__ not in PLUMBING]


@pytest.mark.parametrize("name", [*CORE_OF_POWER, *CORE_OF_WATER])
def test_every_public_function_says_what_goes_in_what_comes_out_and_shows_it(name):
    assert public_functions(name)
    for function in public_functions(name):
        text = function.__doc__ or ""
        missing = [part for part in ("Parameters\n", "Returns\n", "Examples\n") if part not in text]
        assert not missing, f"{name}.{function.__name__} lacks {missing}"


@pytest.mark.parametrize("name", CORE_OF_POWER)
def test_every_public_function_of_power_states_its_errors_its_equation_and_its_source(name):
    for function in public_functions(name):
        text, called = function.__doc__ or "", function.__name__
        assert "raise " not in inspect.getsource(function) or "Raises\n" in text, f"{called} lacks its errors"
        assert called in NO_EQUATION or re.search(r"::\n\n", text), f"{called} lacks its equation"
        assert called in NO_SOURCE or "References\n" in text, f"{called} lacks its source"


def test_the_exceptions_of_docstrings_exist():
    names = {f.__name__ for name in CORE_OF_POWER for f in public_functions(name)}
    assert not (NO_EQUATION | NO_SOURCE) - names
