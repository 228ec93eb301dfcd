"""Every example in a docstring of the core is run, and every public function of it has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import analytics

MODULES = sorted(module.name for module in pkgutil.iter_modules(analytics.__path__, "analytics."))
CORE_OF_POWER = [
    "customer_record",
    "dlt836",
    "en50160",
    "energy",
    "ieee1366",
    "interruptions",
    "intervals",
    "major_events",
    "power_quality",
    "reliability",
    "voltage",
    "voltage_classes",
    "voltage_events",
    "voltage_minutes",
]
CORE_OF_WATER = ["disinfection", "instruments", "lift_station", "network", "scoring", "sewage", "signals", "water"]
HELPERS = {"interval_columns", "group_touching", "rising", "columns"}
"""Used by other modules of the core, not by people."""


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize("name", [*CORE_OF_POWER, *CORE_OF_WATER])
def test_every_public_function_says_what_goes_in_what_comes_out_and_shows_it(name):
    module = importlib.import_module(f"analytics.{name}")
    functions = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
    public = [f for f in functions if not f.__name__.startswith("_") and f.__name__ not in HELPERS]
    assert public
    for function in public:
        text = function.__doc__ or ""
        missing = [part for part in ("Parameters\n", "Returns\n", "Examples\n") if part not in text]
        assert not missing, f"{name}.{function.__name__} lacks {missing}"
