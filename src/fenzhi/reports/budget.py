"""Where the money goes: the budget of each pool line by line, as a table and a picture, and its changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
from markupsafe import Markup

from fenzhi.reports.checks import budget_lines
from fenzhi.reports.display import Cell, Head, Table, decimals, empty, rate, scaled, signed, text, yuan
from fenzhi.reports.svg import Scale, Step, waterfall
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Kind of a line -> part of the picture that it belongs to, in the order of the legend.
PARTS = ("income", "out", "reserve", "by_disease")
PART = {
    "income": "income",
    "reserve": "reserve",
    "adjustment": "reserve",
    "left_over": "reserve",
    "by_disease": "by_disease",
}


def budget_table(tables: RunTables, words: Words) -> Table:
    """The lines of each pool with their sign and what is left after each; they end in the by-disease total."""
    lines = budget_lines(tables)
    changed = bool((lines["changed_fen"] != 0).any())
    shown = ("planned_fen", "changed_fen", "amount_fen") if changed else ("amount_fen",)
    heads = [Head(words("item"), False), Head(words("kind"), False)]
    heads += [Head(words.title("budget", name) if changed else words("amount")) for name in shown]
    heads += [Head(words.title("budget", name)) for name in ("left_fen", "share")]
    heads.append(Head(words("cite"), False))
    table = Table("budget", words("budget"), heads, words("budget_note") + " " + words("unit_yuan"))
    methods = {one["pool"]: one for one in tables.manifest["budget"]}
    for pool, title in tables.pool_titles().items():
        table.add(text(title), part="part")
        for line in lines.filter(pl.col("pool") == pool).iter_rows(named=True):
            is_total = line["kind"] == "by_disease"
            amounts = [_effect(line, name, is_total) for name in shown]
            left = empty() if is_total else yuan(line["left_fen"])
            note = _method(methods.get(pool), words) if is_total else _note(line, words)
            kind = empty() if is_total else text(words.name("kind", line["kind"]))
            first = text(line_title(line, words), note=note or None)
            rest = (rate(line["share"]), empty() if is_total else text(line["cite"]))
            table.add(first, kind, *amounts, left, *rest, part="total" if is_total else "")
    return table


def _effect(line: dict[str, Any], name: str, is_total: bool) -> Cell:
    """Return an amount as it acts: what is taken away is below zero, the total stands as it is."""
    sign = 1 if is_total else line["sign"]
    return yuan(line[name] * sign, plus=name == "changed_fen")


def line_title(line: dict[str, Any], words: Words) -> str:
    """Return what a line is called; the figures that are computed are called in the language of the page."""
    if line["kind"] == "by_disease":
        return words.title("pools", "fund_fen")
    return words("left_over") if line["kind"] == "left_over" else str(line["title"])


def _note(line: dict[str, Any], words: Words) -> str:
    track = line["track"]
    return "" if track is None else words("budget_track", track=words.name("reason", track))


def _method(method: dict[str, Any] | None, words: Words) -> str:
    if method is None:
        return ""
    last, whole = (yuan(method.get(key)).text for key in ("last_by_disease_fen", "last_total_fen"))
    growth = f"{Decimal(method.get('growth_rate') or 0) * 100:+f}"
    growth = growth.rstrip("0").rstrip(".") if "." in growth else growth
    return words(f"method.{method['method']}", last=last, whole=whole, rate=signed(growth, True))


def changes_table(tables: RunTables, words: Words) -> Table | None:
    """The changes within the year by date, with their reasons; None without any."""
    heads = [Head(words(key), False) for key in ("date", "item", "change_other")]
    heads += [Head(words("amount")), Head(words("reason"), False), Head(words("cite"), False)]
    table = Table("changes", words("budget_changes"), heads, words("budget_changes_note"))
    names = {
        (line["pool"], line["line"]): line_title(line, words) for line in tables.budget.iter_rows(named=True)
    }
    titles = tables.pool_titles()
    for one in tables.manifest["budget"]:
        if one["changes"]:
            table.add(text(titles.get(one["pool"], one["pool"])), part="part")
        for change in one["changes"]:
            line, other = (names.get((one["pool"], change[key]), change[key]) for key in ("line", "other"))
            amount = yuan(change["amount_fen"], plus=True)
            reason, cite = text(change["reason"]), text(change["cite"])
            table.add(text(change["date"]), text(line), text(other), amount, reason, cite)
    return table if table.rows else None


def pictures(tables: RunTables, words: Words) -> list[tuple[str, Markup]]:
    """Return title and SVG for each pool: from the income through each line to the by-disease total."""
    lines = budget_lines(tables)
    unit, ends = scaled([*lines["start_fen"], *lines["end_fen"]], words.lang)
    places = decimals(end - start for start, end in zip(ends, ends[lines.height :], strict=False))
    steps = [
        Step(line_title(line, words), PARTS.index(PART.get(line["kind"], "out")), start, end)
        for line, start, end in zip(
            lines.iter_rows(named=True), ends[: lines.height], ends[lines.height :], strict=True
        )
    ]
    made = []
    for pool, title in tables.pool_titles().items():
        mine = [step for step, of in zip(steps, lines["pool"], strict=True) if of == pool]
        if mine:
            heading = words("chart_budget", pool=title)
            scale = Scale(max(max(step.start, step.end) for step in mine), places, words(unit))
            made.append((heading, waterfall(heading, mine, _legend(mine, words), scale)))
    return made


def _legend(steps: Sequence[Step], words: Words) -> list[tuple[int, str]]:
    """Return the parts that the picture has, with their names."""
    return [
        (part, words.name("flow", PARTS[part]))
        for part in range(len(PARTS))
        if part in {s.part for s in steps}
    ]
