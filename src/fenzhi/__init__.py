"""fenzhi (分值): the open engine for China's payment of hospitals by disease.

The public API. Rooms are loaded on first use, so that the command line starts quickly::

    import fenzhi

    run = fenzhi.run("demo-region")                      # the whole year, files in, results out
    read = fenzhi.read_stays("records/", needs="grouping")
    grouped = fenzhi.group(read, "demonstration-3.0")    # grouped.frame
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "FenzhiError": ("fenzhi.errors", "FenzhiError"),
    "Scenario": ("fenzhi.simulation", "Scenario"),
    "build_catalog": ("fenzhi.pipeline", "build_from_history"),
    "compile_catalog": ("fenzhi.grouping", "compile_catalog"),
    "explain": ("fenzhi.pipeline", "explain_stay"),
    "forecast": ("fenzhi.simulation.forecast_write", "forecast_region"),
    "group": ("fenzhi.pipeline.api", "group"),
    "load_catalog": ("fenzhi.catalogs", "load_catalog"),
    "load_policy": ("fenzhi.policy", "load_policy"),
    "load_simulation": ("fenzhi.simulation", "load_simulation"),
    "load_region": ("fenzhi.region", "load_region"),
    "price": ("fenzhi.budget", "price"),
    "read_scenario": ("fenzhi.simulation", "read_scenario"),
    "read_stays": ("fenzhi.records", "read_stays"),
    "run": ("fenzhi.pipeline", "run"),
    "score": ("fenzhi.points", "score"),
    "serve": ("fenzhi.server", "serve"),
    "settle": ("fenzhi.settlement", "settle"),
    "simulate": ("fenzhi.simulation", "simulate"),
    "weigh": ("fenzhi.weights", "weigh"),
}
__all__ = sorted(_PUBLIC)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"fenzhi has no {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return list(__all__)
