"""Departments of a hospital: what they brought in and what they cost."""

from __future__ import annotations

from markupsafe import Markup

from fenzhi.reports import svg
from fenzhi.reports.display import decimals, scaled
from fenzhi.reports.parts import departments_table
from fenzhi.server.section import Picture, Section, placed
from fenzhi.server.year import Year

SHOWN = 16


def departments(year: Year, code: str | None) -> Section:
    """Return the departments of a hospital with their surplus or deficit."""
    assert code is not None
    words, hospital = year.words, year.hospital(code)
    table = departments_table(hospital, words)
    frame = hospital.facts.departments.drop_nulls("dscg_caty").sort(
        "balance_fen", "dscg_caty", descending=[True, False]
    )
    if frame.height > SHOWN:
        frame = frame.head(SHOWN // 2).vstack(frame.tail(SHOWN // 2))
    unit, values = scaled(frame["balance_fen"].to_list(), words.lang)
    title = words("chart_departments")
    drawn: list[Picture] = []
    if frame.height:
        scale = svg.Scale(max(map(abs, values)), decimals(values), words(unit))
        shown: Markup = svg.ranking(title, frame["dscg_caty"].to_list(), values, scale)
        drawn.append(Picture("balances", title, shown, table.name))
    return Section("departments", blocks=placed([table], drawn))
