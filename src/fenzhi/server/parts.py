"""The parts of the page and what may be asked of it; each calls a function of another room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fenzhi.server.case import answer_case, case_fields, case_page
from fenzhi.server.departments import departments
from fenzhi.server.forecast import answer_forecast, forecast_choices, forecast_page
from fenzhi.server.overview import overview
from fenzhi.server.scenario import answer_scenario, levers, scenario_page
from fenzhi.server.section import Answer, Section
from fenzhi.server.whole import export_page, listed
from fenzhi.server.year import Year


@dataclass(frozen=True)
class Part:
    """A part: what it shows of a hospital (None: of the region, if ``of_region``), its template, what it needs."""

    make: Callable[[Year, str | None], Section]
    template: str = "section.html"
    of_region: bool = False
    more: Callable[[Year, str | None], dict[str, Any]] | None = None

    def of(self, year: Year, code: str | None) -> Section:
        """Return what the part shows, made once."""
        return year.kept.get((self.make, code), lambda: self.make(year, code))


#: Name in the address -> part, in the order of the navigation.
PARTS: dict[str, Part] = {
    "overview": Part(overview, of_region=True),
    "forecast": Part(forecast_page, "asks_forecast.html", of_region=True, more=forecast_choices),
    "scenario": Part(scenario_page, "scenario.html", more=levers),
    "departments": Part(departments),
    "case": Part(case_page, "case.html", more=case_fields),
    "export": Part(export_page, "export.html", of_region=True, more=listed),
}
#: What may be asked by a form or sliders -> who answers.
ANSWERS: dict[str, Callable[[Year, str | None, dict[str, Any]], Answer]] = {
    "forecast": answer_forecast,
    "scenario": answer_scenario,
    "case": answer_case,
}
