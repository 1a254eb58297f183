"""Departments of a hospital: what they brought in and cost, why, quotas, and the stays to look at."""

from __future__ import annotations

from fenzhi.pipeline.departments import departments_of
from fenzhi.reports.departments import context, words_of
from fenzhi.server.section import Picture, Section, placed
from fenzhi.server.year import Year

#: The pictures in their order: name, and the table that holds its figures.
PICTURES = (("balances", "departments"), ("parts", "causes"))


def departments(year: Year, code: str | None) -> Section:
    """Return the departments of a hospital. Doctors are left out: their codes are read with the hospital's key only."""
    assert code is not None
    found = departments_of(year.run, code)
    shown = context(found.summary, found.tables, words_of(found.summary, year.words.lang))
    pictures = [
        Picture(name, title, svg, table)
        for (name, table), (title, svg) in zip(PICTURES, shown["charts"], strict=True)
    ]
    blocks = [*pictures, *placed(shown["shown"], [])]
    return Section("departments", shown["sentence"], shown["figures"], blocks, shown["warnings"])
