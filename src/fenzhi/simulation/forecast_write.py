"""Forecasts from a folder, and their files: tables as CSV and Parquet, a summary, a page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from fenzhi.files import new_dir
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.store import write_csv, write_table
from fenzhi.region import load_region
from fenzhi.simulation.forecast import Forecast, Options, forecast
from fenzhi.simulation.forecast_backtest import back_test, truth_of
from fenzhi.simulation.forecast_year import last_day, read_history, require_day


def forecast_region(
    folder: Path | str,
    as_of: date | None = None,
    *,
    hospital: str | None = None,
    options: Options | None = None,
    progress: Progress = silent,
) -> Forecast:
    """Forecast the year of a region's folder, or of one hospital of it; docs/rules.md, "Forecast".

    ``as_of``: the day up to which the records are complete (default: that of the last discharge). Raises
    :class:`fenzhi.errors.RegionError` FORECAST_INPUT, FORECAST_HISTORY for what cannot be forecast.
    """
    history = read_history(load_region(Path(folder)), progress)
    day = as_of or last_day(history)
    require_day(day, history, as_of is not None)
    return _told(forecast(history, day, options, hospital, progress))


def back_test_region(
    folder: Path | str, as_of: date, *, options: Options | None = None, progress: Progress = silent
) -> Forecast:
    """Forecast a finished year as of a day and compare it with what came: tables ``backtest`` and ``coverage``."""
    history = read_history(load_region(Path(folder)), progress)
    require_day(as_of, history, asked=True)
    return _told(back_test(history, truth_of(history), as_of, options))


def _told(made: Forecast) -> Forecast:
    return replace(made, summary={"fenzhi": version("fenzhi"), **made.summary})


def as_json(made: Forecast) -> str:
    """Return summary and tables as JSON text."""
    tables = {name: frame.to_dicts() for name, frame in made.tables.items()}
    return json.dumps(made.summary | tables, ensure_ascii=False, indent=1)


def write_forecast(made: Forecast, target: Path, lang: str) -> None:
    """Write tables, summary and page into a new folder."""
    from fenzhi.reports.forecast import forecast_page

    page = forecast_page(made.summary, made.tables, lang)
    with new_dir(target) as aside:
        for name, frame in made.tables.items():
            write_table(frame, aside / f"{name}.parquet")
            write_csv(frame, aside / f"{name}.csv")
        text = json.dumps(made.summary, ensure_ascii=False, indent=1)
        (aside / "summary.json").write_text(text, encoding="utf-8")
        (aside / "forecast.html").write_text(page, encoding="utf-8")
