"""The year's end from the months done, as `fenzhi forecast` says it, for a day that is chosen on the page."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal
from typing import Any

from fenzhi.errors import InputError
from fenzhi.reports.forecast import context, words_of
from fenzhi.server.levers import Slider, number
from fenzhi.server.section import Answer, Picture, Section, placed
from fenzhi.server.year import Year
from fenzhi.simulation.forecast import Options, forecast
from fenzhi.simulation.forecast_year import History, last_day, read_history, require_day

#: The pictures in their order: name, and the table that holds their figures.
PICTURES = (("point-values", "values"), ("months", "months"), ("cash", "months"), ("results", "hospitals"))
#: What a point may be worth in the end, as multiples of the opening value, where one hospital is all that is known.
LOW, HIGH = Decimal("0.92"), Decimal("1.00")


def forecast_page(year: Year, _hospital: str | None) -> Section:
    """Return the part without an answer; the form asks for the first one itself."""
    return Section("forecast", year.words("forecast_lead"))


def forecast_choices(year: Year, _hospital: str | None) -> dict[str, Any]:
    """Return what the template ``asks_forecast.html`` shows besides: days to choose, sliders of the point value."""
    last = last_day(_history(year))
    days = [month_end(last.year, month) for month in range(1, 12)]
    # A day in the middle of a month is the last one there is.
    known = sorted({day for day in days if day <= last} | ({last} if last.month < 12 else set()))
    sliders = []
    if _alone(year):
        sliders = [
            Slider(name, year.words(f"forecast.{name}"), "", "0.70", "1.30", "0.01", str(start), plain=True)
            for name, start in (("low", LOW), ("high", HIGH))
        ]
    return {"days": [day.isoformat() for day in reversed(known)], "sliders": sliders}


def month_end(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def _history(year: Year) -> History:
    return year.kept.get("history", lambda: read_history(year.region()))


def _alone(year: Year) -> bool:
    return year.tables.hospitals["fixmedins_code"].n_unique() == 1


def answer_forecast(year: Year, hospital: str | None, asked: dict[str, Any]) -> Answer:
    """Answer a day (``as_of``): the forecast that the months up to it give, for a hospital or the region."""
    history = _history(year)
    try:
        day = date.fromisoformat(str(asked.get("as_of")))
    except ValueError as error:
        raise InputError(
            "this is no day",
            code="SERVE_ASK",
            field="as_of",
            value=asked.get("as_of"),
            remedy="choose from the list",
        ) from error
    require_day(day, history, True)
    given = (number(asked, "low") or LOW, number(asked, "high") or HIGH)
    options = Options(value_range=given if _alone(year) else None)
    key = ("forecast", day, hospital, options)
    made = year.kept.get(key, lambda: forecast(history, day, options, hospital))
    shown = context(made.summary, made.tables, words_of(made.summary, year.words.lang))
    pictures = [
        Picture(name, title, svg, table)
        for (name, table), (title, svg) in zip(PICTURES, shown["charts"], strict=False)
    ]
    blocks = [*pictures, *placed(shown["shown"], [])]
    section = Section("forecast", "", shown["figures"], blocks, [*shown["notes"], *_how(shown["head"])])
    return Answer(section)


def _how(head: list[tuple[str, Any]]) -> list[str]:
    return ["；".join(f"{title} {value}" for title, value in head)]
