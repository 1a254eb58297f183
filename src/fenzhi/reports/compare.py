"""The page of two runs beside each other: who gains, who loses, and what made the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.attribution import CAUSES, STAY_CAUSES, added_up, cause
from fenzhi.reports import svg
from fenzhi.reports.compare_causes import causes_table, shown_causes
from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.display import (
    Cell,
    Head,
    Table,
    code,
    count,
    decimals,
    e4,
    part_of,
    scaled,
    text,
    yuan,
)
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.styles import style_of

#: Rows of a table on the page; the rest is in the files.
SHOWN_GROUPS, SHOWN_FLOWS, SHOWN_STAYS, CHART = 20, 100, 50, 8


def words_of(summary: Mapping[str, Any], lang: str) -> CompareWords:
    """Return the words for a comparison, in the terms of the later run's scheme."""
    style = style_of(pl.Series([summary["scheme"]]), {"scale": summary["scale"]})
    return CompareWords(lang, style)


def compare_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a comparison (``summary.json`` and its tables, attribution/columns.py).

    Raises ``OutputError`` REPORT_LANGUAGE for an unknown language.
    """
    w = words_of(summary, lang)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    totals, counts = summary["totals"], summary["counts"]
    by_stays = summary["by"] == "stays"
    titles = dict(tables["pools"].select("pool", pl.coalesce("title", "pool")).iter_rows())
    by_pool = added_up(tables["accounts"], ["pool"])
    said = (w(f"way_{summary['by']}") + " ", w("amount_before"), w("amount_after"))
    shown = [
        causes_table("causes", by_pool, titles, w, said),
        pools_table(tables["pools"], w),
        rows_table("levels", tables["levels"], w),
        rows_table("hospitals", tables["hospitals"], w),
        groups_table(tables["groups"], by_stays, w),
    ]
    if by_stays:
        shown += [flows_table(tables["flows"], w), _ungrouped(tables["ungrouped"], w)]
    shown.append(files_table("compare.xlsx", tables, w))
    runs = f"{summary['before']['run_id']}, {summary['after']['run_id']}"
    return environment.get_template("compare.html").render(
        w=w,
        manifest={"run_id": runs},
        synthetic=summary["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=w("title"),
        head=[(w(when), _run_line(summary[when])) for when in ("before", "after")],
        sentence=_sentence(summary, w),
        warnings=[w(f"warning.{name}") for name in summary["warnings"]],
        figures=[
            (w("before"), yuan(totals["before_fen"])),
            (w("after"), yuan(totals["after_fen"])),
            (w("difference"), yuan(totals["difference_fen"], plus=True)),
            (w("of_before"), part_of(totals["difference_fen"], totals["before_fen"])),
            (w("gaining"), count(counts["gaining"])),
            (w("losing"), count(counts["losing"])),
        ],
        charts=_charts(summary, tables, w),
        shown=shown,
    )


def _run_line(run: Mapping[str, Any]) -> str:
    region, policy, catalog = run["region"], run["policy"], run["catalog"]
    return (
        f"{region['name']} {region['year']} · {policy['title']} · {catalog['title']} {catalog['version']} "
        f"({run['run_id']})"
    )


def _sentence(summary: Mapping[str, Any], w: CompareWords) -> str:
    total, counts = summary["totals"]["difference_fen"], summary["counts"]
    key = "sentence_more" if total > 0 else "sentence_less" if total < 0 else "sentence_same"
    parts = [
        w(key, amount=yuan(abs(total)).text),
        w("sentence_sides", gaining=f"{counts['gaining']:,}", losing=f"{counts['losing']:,}"),
    ]
    if summary["by"] == "stays":
        names = ("both", "added", "removed", "ungrouped")
        parts.append(" " * (w.lang == "en"))
        parts.append(w("sentence_stays", **{name: f"{counts[f'stays_{name}']:,}" for name in names}))
    return "".join(parts)


def pools_table(frame: pl.DataFrame, w: CompareWords) -> Table:
    """Return the pools of both runs: fund, stays, points, value, payment ratio, payable."""
    shown: dict[str, Callable[[int | None], Cell]] = {
        "fund_fen": yuan,
        "cases": count,
        "points_e4": e4,
        "settlement_value_e4": e4,
        "payment_ratio_e4": e4,
        "payable_fen": yuan,
    }
    rows = list(frame.iter_rows(named=True))
    heads = [Head(w("item"), False)]
    for row in rows:
        title = row["title"] or row["pool"]
        heads += [Head(f"{title} · {w(when)}") for when in ("before", "after")]
    table = Table("pools", w("pools"), heads, w("unit_both"))
    for name, show in shown.items():
        stem, _, unit = name.rpartition("_")
        names = [f"{stem}_{when}_{unit}" if stem else f"{name}_{when}" for when in ("before", "after")]
        table.add(text(w.title("pools", name)), *(show(row[one]) for row in rows for one in names))
    return table


def _cause_heads(frame: pl.DataFrame, w: CompareWords, known: Sequence[str]) -> tuple[list[str], list[Head]]:
    causes = [name for name in known if (frame[cause(name)] != 0).any()]
    return causes, [Head(w(f"cause.{name}")) for name in causes]


def money_cells(row: Mapping[str, Any], causes: Sequence[str]) -> list[Cell]:
    """Return before, after, difference, its share, and the causes of a row."""
    cells = [yuan(row["before_fen"]), yuan(row["after_fen"]), yuan(row["difference_fen"], plus=True)]
    cells.append(part_of(row["difference_fen"], row["before_fen"]))
    return [*cells, *(yuan(row[cause(name)], plus=True) for name in causes)]


def amount_heads(w: CompareWords) -> list[Head]:
    """Return the heads of :func:`money_cells` without causes."""
    return [Head(w(key)) for key in ("before", "after", "difference", "of_before")]


def rows_table(name: str, frame: pl.DataFrame, w: CompareWords, known: Sequence[str] = CAUSES) -> Table:
    """Return the table of levels or of hospitals, with a total; ``known``: the causes."""
    causes, cause_heads = _cause_heads(frame, w, known)
    levels = name == "levels"
    first = [Head(w("level"), False)] if levels else [Head(w("hospital"), False), Head(w("level"), False)]
    counted = ("hospitals", "gaining", "losing") if levels else ("stays_before", "stays_after")
    titles = {f"stays_{when}": f"{w('stays')} · {w(when)}" for when in ("before", "after")}
    titles["hospitals"] = w("hospital")
    heads = [*first, *(Head(titles.get(c) or w(c)) for c in counted), *amount_heads(w), *cause_heads]
    note = w("unit_yuan") if levels else f"{w('hospitals_note')} {w('unit_yuan')}"
    table = Table(name, w(name), heads, note)

    def add(label: list[Cell], row: Mapping[str, Any], part: str = "") -> None:
        table.add(*label, *(count(row[c]) for c in counted), *money_cells(row, causes), part=part)

    for row in frame.iter_rows(named=True):
        level = text(w.name("level", row["level"]))
        if levels:
            add([level], row)
        else:
            add(
                [text(row["fixmedins_name"] or row["fixmedins_code"], note=row["fixmedins_code"]), level], row
            )
    sums = frame.select(pl.col(pl.Int64).sum()).row(0, named=True)
    add([text(w("total"))] + ([] if levels else [text(" ")]), sums, "total")
    return table


def group_label(group: str | None, name: str | None, outcome: str | None, w: CompareWords) -> Cell:
    """Return a group with its name, or the outcome of a stay without one."""
    return text(w.name("outcome", outcome)) if group is None else text(group, note=name)


def groups_table(
    frame: pl.DataFrame, by_stays: bool, w: CompareWords, known: Sequence[str] = STAY_CAUSES
) -> Table:
    """Return the table of the groups that gain and lose most; ``known``: the causes of stays."""
    causes, cause_heads = _cause_heads(frame, w, known)
    heads = [
        Head(w("group"), False),
        Head(f"{w('stays')} · {w('before')}"),
        Head(f"{w('stays')} · {w('after')}"),
    ]
    heads += [Head(w("moved"))] if by_stays else []
    note = w("groups_note_stays" if by_stays else "groups_note_sums") + " " + w("unit_yuan")
    table = Table("groups", w("groups"), [*heads, *amount_heads(w), *cause_heads], note)
    for key, part in zip(("groups_gain", "groups_loss"), gains_and_losses(frame, SHOWN_GROUPS), strict=True):
        if part.height:
            table.add(text(w(key)), part="part")
        for row in part.iter_rows(named=True):
            cells = [count(row["stays_before"]), count(row["stays_after"])]
            cells += [count(row["moved"])] if by_stays else []
            label = group_label(row["group_id"], row["name"], row["outcome"], w)
            table.add(label, *cells, *money_cells(row, causes))
    return table


def gains_and_losses(frame: pl.DataFrame, most: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with the largest gain and with the largest loss, the largest first."""
    gain = frame.filter(pl.col("difference_fen") > 0).sort(
        "difference_fen", descending=True, maintain_order=True
    )
    loss = frame.filter(pl.col("difference_fen") < 0).sort("difference_fen", maintain_order=True)
    return gain.head(most), loss.head(most)


def cut_note(frame: pl.DataFrame, most: int, file: str, w: CompareWords) -> str:
    """Say that only the first rows are shown and where the others are; nothing if all are."""
    if frame.height <= most:
        return ""
    return w("more", n=f"{most:,}", all=f"{frame.height:,}", file=file)


def moved_flows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the flows of stays that changed their group."""
    same = [pl.col(f"{name}_before").eq_missing(pl.col(f"{name}_after")) for name in ("outcome", "group_id")]
    return frame.filter(~(same[0] & same[1]))


def flows_table(frame: pl.DataFrame, w: CompareWords) -> Table:
    """Return the flows of stays that changed their group, the largest first."""
    moved = moved_flows(frame)
    note = f"{w('flows_note')}{cut_note(moved, SHOWN_FLOWS, 'flows.csv', w)} {w('unit_both')}"
    heads = [Head(w("from"), False), Head(w("to"), False), Head(w("stays"))]
    heads += [Head(f"{w('points')} · {w(when)}") for when in ("before", "after")]
    table = Table("flows", w("flows"), [*heads, *amount_heads(w)], note)
    for row in moved.head(SHOWN_FLOWS).iter_rows(named=True):
        ends = [
            group_label(row[f"group_id_{when}"], row[f"name_{when}"], row[f"outcome_{when}"], w)
            for when in ("before", "after")
        ]
        figures = [count(row["stays"]), e4(row["points_before_e4"]), e4(row["points_after_e4"])]
        table.add(*ends, *figures, *money_cells(row, ()))
    return table


def _ungrouped(frame: pl.DataFrame, w: CompareWords) -> Table:
    note = f"{w('ungrouped_note')}{cut_note(frame, SHOWN_STAYS, 'ungrouped.csv', w)} {w('unit_yuan')}"
    heads = [Head(w("setl_id"), False), Head(w("hospital"), False), Head(w("from"), False)]
    table = Table("ungrouped", w("ungrouped"), [*heads, *amount_heads(w)], note)
    for row in frame.head(SHOWN_STAYS).iter_rows(named=True):
        group = text(row["group_id_before"], note=row["name"])
        table.add(code(row["setl_id"]), code(row["fixmedins_code"]), group, *money_cells(row, ()))
    return table


def files_table(book: str, tables: Mapping[str, pl.DataFrame], w: Callable[[str], str]) -> Table:
    """Return the list of files beside the page; ``book``: the name of the workbook."""
    heads = [Head(w("file"), False), Head(w("file_rows")), Head(w("item"), False)]
    table = Table("files", w("files"), heads)
    table.add(text(book, href=book), count(None), text(w("kicker")))
    for name, frame in tables.items():
        file = f"{name}.parquet" if name == "stays" else f"{name}.csv"
        table.add(text(file, href=file), count(frame.height), text(w(f"sheet.{name}")))
    return table


def _charts(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], w: CompareWords
) -> list[tuple[str, Markup]]:
    causes = shown_causes(tables["accounts"])
    charts = ranked_charts(
        "causes",
        [([w(f"cause.{name}") for name in causes], [summary["causes"][name] for name in causes])],
        w,
    )
    levels = tables["levels"]
    names = [w.name("level", level) for level in levels["level"]]
    charts += ranked_charts("levels", [(names, levels["difference_fen"].to_list())], w)
    hospitals = [
        ([n or c for n, c in part.select("fixmedins_name", "fixmedins_code").iter_rows()], part)
        for part in gains_and_losses(tables["hospitals"], CHART)
    ]
    groups = [
        (
            [
                f"{g} {n or ''}".strip() if g else w.name("outcome", o)
                for g, n, o in part.select("group_id", "name", "outcome").iter_rows()
            ],
            part,
        )
        for part in gains_and_losses(tables["groups"], CHART)
    ]
    for key, ends in (("hospital", hospitals), ("group", groups)):
        charts += ranked_charts(key, [(names, part["difference_fen"].to_list()) for names, part in ends], w)
    return charts


def ranked_charts(
    key: str, parts: list[tuple[list[str], list[int]]], w: CompareWords
) -> list[tuple[str, Markup]]:
    """Return a chart per part; parts that are read side by side share one scale."""
    unit, values = scaled([fen for _, fens in parts for fen in fens], w.lang)
    scale = svg.Scale(max((abs(value) for value in values), default=0.0), decimals(values), w(unit))
    charts = []
    keys = [f"chart_{key}"] if len(parts) == 1 else [f"chart_{key}_gain", f"chart_{key}_loss"]
    for title, (names, fens) in zip(keys, parts, strict=True):
        mine, values = values[: len(fens)], values[len(fens) :]
        if names:
            charts.append((w(title), svg.ranking(w(title), names, mine, scale)))
    return charts
