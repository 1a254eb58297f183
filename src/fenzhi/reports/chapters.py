"""Where the stays of a DRG region lie: by kind of group, and by chapter (MDC) of the grouper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from fenzhi.money import SCALE, apportion
from fenzhi.reports.display import Cell, Head, Table, count, e4, percent, text, yuan
from fenzhi.reports.facts import SUMS, case_mix
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

LAYERS = ("surgical", "procedure", "medical")
GROUPED = ("grouped", "comprehensive")


@dataclass
class _Lines:
    """Adds lines to the table; ``whole`` is the number of paid stays, ``scale`` that of the weights."""

    table: Table
    scale: int

    def add(self, first: Cell, part: pl.DataFrame, share: int, kind: str = "") -> None:
        """Add a line for the stays of ``part``, whose share comes in hundredths of a per cent."""
        sums = part.select(pl.col("cases", *SUMS).sum()).row(0, named=True)
        balance = sums["payable_fen"] - sums["booked_fen"]
        cells = [count(sums["cases"]), percent(share), e4(case_mix(part, self.scale)), yuan(sums["cost_fen"])]
        cells += [e4(sums["points_e4"]), yuan(sums["payable_fen"]), yuan(sums["booked_fen"])]
        self.table.add(first, *cells, yuan(balance, plus=True), part=kind)


def chapter_names(tables: RunTables) -> dict[str, str]:
    """Return chapter -> name as far as the manifest tells; results put ``MDC`` before a bare letter."""
    given: Mapping[str, str] = tables.manifest["catalog"].get("chapters", {})
    return {code if code.startswith("MDC") else f"MDC{code}": name for code, name in given.items()}


def by_chapter(chapters: pl.DataFrame, tables: RunTables) -> list[tuple[str, str | None, pl.DataFrame]]:
    """Return chapter, its name and its grouped stays, in the order of the codes."""
    names = chapter_names(tables)
    inside = chapters.filter(pl.col("outcome").is_in(GROUPED) & pl.col("mdc").is_not_null())
    parts = inside.partition_by("mdc", as_dict=True)
    return [(str(code), names.get(str(code)), parts[code,]) for (code,) in sorted(parts)]


def _shares(total: int, parts: Sequence[pl.DataFrame]) -> list[int]:
    cases = [int(part["cases"].sum()) for part in parts]
    return apportion(total, cases) if sum(cases) else [0] * len(parts)


def chapters_table(chapters: pl.DataFrame, tables: RunTables, words: Words) -> Table:
    """Paid stays by kind of group, then the grouped ones by chapter; both parts add up.

    ``chapters``: the frame of that name of :class:`~fenzhi.reports.facts.Facts`, of a hospital or of all.
    """
    heads = [
        Head(words("chapter_kind"), False),
        Head(words.title("hospitals", "cases")),
        Head(words("share")),
    ]
    heads += [Head(words.title("monitoring", "cmi")), Head(words.title("hospitals", "cost_fen"))]
    heads += [Head(words("points")), Head(words.title("hospitals", "gross_fen"))]
    heads += [Head(words.title("groups", "booked_fen")), Head(words("balance"))]
    note = words("chapters_note") + " " + words("unit_both")
    lines = _Lines(
        Table("chapters", words("chapters"), heads, note), int(tables.manifest["policy"].get("scale", 1))
    )
    inside = chapters.filter(pl.col("outcome").is_in(GROUPED))
    further = ["tcm"] if (inside["layer"] == "tcm").any() else []
    kinds = [(layer, inside.filter(pl.col("layer") == layer)) for layer in (*LAYERS, *further)]
    others = [
        (key, part)
        for key, outcome in (("no_group", "ungrouped"), ("bed_days", "bed_day"))
        if (part := chapters.filter(pl.col("outcome") == outcome)).height
    ]
    parts = _shares(SCALE, [part for _, part in (*kinds, *others)])
    grouped = sum(parts[: len(kinds)])
    lines.table.add(text(words("by_layer")), part="part")
    for (layer, part), share in zip(kinds, parts, strict=False):
        lines.add(text(words.name("layer", layer)), part, share)
    lines.add(text(words("all_grouped")), inside, grouped, "sub")
    for (key, part), share in zip(others, parts[len(kinds) :], strict=True):
        lines.add(text(words(key)), part, share)
    lines.add(text(words("total")), chapters, sum(parts), "total")
    found = by_chapter(chapters, tables)
    if found:
        lines.table.add(text(words("by_chapter")), part="part")
        for (code, name, part), share in zip(found, _shares(grouped, [p for *_, p in found]), strict=True):
            lines.add(text(name or code, note=code if name else None), part, share)
        lines.add(text(words("all_grouped")), inside, grouped, "sub")
    return lines.table
