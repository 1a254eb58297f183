"""What a part of the page is made of: figures, tables and pictures; each can be taken away as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from fenzhi.errors import InputError
from fenzhi.reports.display import Cell, Table


@dataclass(frozen=True)
class Picture:
    """A chart. ``table``: the table of the same part that holds its figures."""

    name: str
    title: str
    svg: Markup
    table: str


#: Ending of a file -> what is taken away so.
TAKEN: dict[str, type[Table] | type[Picture]] = {"csv": Table, "xlsx": Table, "svg": Picture, "png": Picture}


@dataclass(frozen=True)
class Section:
    """A part of the page: a sentence, figures, then ``blocks`` in the order in which they are read; remarks."""

    name: str
    lead: str = ""
    figures: Sequence[tuple[str, Cell]] = ()
    blocks: Sequence[Table | Picture] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def block(self, name: str, ending: str) -> Table | Picture:
        """Return what is taken away as ``name.ending``: a table, or a picture, which may have the name of its table.

        Raises :class:`InputError` if there is none.
        """
        kind = TAKEN.get(ending)
        for one in self.blocks:
            if kind is not None and isinstance(one, kind) and one.name == name:
                return one
        raise InputError(
            "this part of the page has no such table or picture",
            code="SERVE_EXPORT",
            field="file",
            value=f"{name}.{ending}",
            remedy="use the links beside tables and pictures",
        )


def placed(tables: Sequence[Table | None], pictures: Sequence[Picture]) -> list[Table | Picture]:
    """Return tables in their order, each with its pictures before it."""
    blocks: list[Table | Picture] = []
    for table in tables:
        if table is not None:
            blocks += [one for one in pictures if one.table == table.name]
            blocks.append(table)
    return blocks


@dataclass(frozen=True)
class Answer:
    """The answer to a question: what is shown of it, and what else is ``said`` to the page."""

    section: Section
    said: dict[str, object] = field(default_factory=dict)
