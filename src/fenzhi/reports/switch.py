"""The page of a switch of catalogues: where the stays went, how well they are grouped, and who gains and loses why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.attribution import added_up
from fenzhi.attribution.switch import OTHERS, SWITCH_CAUSES, SWITCH_STAY_CAUSES
from fenzhi.reports.compare import (
    SHOWN_STAYS,
    amount_heads,
    cut_note,
    files_table,
    flows_table,
    gains_and_losses,
    group_label,
    groups_table,
    money_cells,
    moved_flows,
    pools_table,
    ranked_charts,
    rows_table,
)
from fenzhi.reports.compare_causes import causes_table, shown_causes
from fenzhi.reports.display import Cell, Head, Table, code, count, empty, index, rate, text, yuan
from fenzhi.reports.flow_svg import Column, Link, flow
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.styles import style_of
from fenzhi.reports.switch_texts import SwitchWords

SHOWN_MOVED, SHOWN_LINKS, SHOWN_CLASSES, CHART = 30, 14, 16, 8
#: Classes of stays that have no group, drawn as a warning.
WITHOUT_GROUP = ("ungrouped", "rejected", "excluded")
_RATES = ("grouping_rate", "cv_above_1")
_DECIMALS = ("riv", "riv_common", "cv_mean")


def words_of(summary: Mapping[str, Any], lang: str) -> SwitchWords:
    """Return the words for a switch, in the terms of the scheme it leads to."""
    return SwitchWords(lang, style_of(pl.Series([summary["schemes"][1]]), {"scale": summary["scales"][1]}))


def switch_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a switch (``summary.json`` and its tables, attribution/switch_columns.py).

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
    titles = dict(tables["pools"].select("pool", pl.coalesce("title", "pool")).iter_rows())
    said = (w("way_stays") + " ", w("amount_before"), w("amount_after"))
    by_pool = added_up(tables["accounts"], ["pool"])
    shown = [
        _measures(tables["measures"], w),
        _balance(tables["balance"], titles, w),
        causes_table("causes", by_pool, titles, w, said, SWITCH_CAUSES),
        _matrix(tables["matrix"], summary["chapters"], w),
        pools_table(tables["pools"], w),
        rows_table("levels", tables["levels"], w, SWITCH_CAUSES),
        rows_table("hospitals", tables["hospitals"], w, SWITCH_CAUSES),
        _most_moved(tables["groups"], w),
        groups_table(tables["groups"], True, w, SWITCH_STAY_CAUSES),
        flows_table(tables["flows"], w),
        _lost(tables["ungrouped"], w),
        files_table("switch.xlsx", tables, w),
    ]
    return environment.get_template("switch.html").render(
        w=w,
        manifest={"run_id": f"{w('before')}, {w('after')}"},
        synthetic=summary["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=w("title"),
        head=[(w(when), _run_line(summary[when])) for when in ("before", "after")],
        sentence=_sentence(summary, w),
        warnings=notices(summary, w),
        figures=_figures(summary, w),
        wide=_flow_charts(summary, tables, w),
        charts=_charts(summary, tables, w),
        shown=shown,
    )


def _run_line(run: Mapping[str, Any]) -> str:
    region, policy, catalog = run["region"], run["policy"], run["catalog"]
    return (
        f"{region['name']} {region['year']} · {catalog['title']} {catalog['version']} ({catalog['id']}) · "
        f"{policy['title']}"
    )


def notices(summary: Mapping[str, Any], w: SwitchWords) -> list[str]:
    """Return in words what was left out or kept so that both years can be computed."""
    warned = [w(f"warning.{name}") for name in summary["warnings"]]
    return warned + [w(f"left_out.{name}", n=f"{rows:,}") for name, rows in summary["left_out"].items()]


def _sentence(summary: Mapping[str, Any], w: SwitchWords) -> str:
    counts, lines = summary["counts"], summary["balance"]
    amounts = {
        "fund": yuan(lines["fund"], plus=True).text,
        "gross": yuan(lines["gross"], plus=True).text,
        "residual": yuan(-lines["residual"], plus=True).text,
    }
    return "".join(
        (
            w("sentence_moved", moved=f"{counts['stays_moved']:,}", lost=f"{counts['stays_lost']:,}"),
            w("sentence_balance", **amounts),
            w("sentence_sides", gaining=f"{counts['gaining']:,}", losing=f"{counts['losing']:,}"),
        )
    )


def _figures(summary: Mapping[str, Any], w: SwitchWords) -> list[tuple[str, Cell]]:
    counts, measures = summary["counts"], summary["measures"]

    def both(name: str) -> Cell:
        return Cell(" → ".join(_measure(name, value).text for value in measures[name]), "num")

    return [
        (w("measure.grouping_rate"), both("grouping_rate")),
        (w("measure.riv"), both("riv")),
        (w("measure.cv_mean"), both("cv_mean")),
        (w("measure.groups"), both("groups")),
        (w("moved_stays"), count(counts["stays_moved"])),
        (w("lost_stays"), count(counts["stays_lost"])),
        (w("gaining"), count(counts["gaining"])),
        (w("losing"), count(counts["losing"])),
    ]


def _measure(name: str, value: float | None) -> Cell:
    if name in _RATES:
        return rate(value)
    if name in _DECIMALS:
        return index(value)
    return count(None if value is None else int(value))


def measure_text(name: str, value: float | None) -> str:
    """Return a measure as it is printed."""
    return _measure(name, value).text


def _measures(frame: pl.DataFrame, w: SwitchWords) -> Table:
    heads = [Head(w("item"), False), Head(w("before")), Head(w("after")), Head(w("difference"))]
    table = Table("measures", w("measures"), heads, w("measures_note"))
    for name, *values in frame.iter_rows():
        table.add(text(w(f"measure.{name}")), *(_measure(name, value) for value in values))
    return table


def _balance(frame: pl.DataFrame, titles: Mapping[str, str], w: SwitchWords) -> Table:
    heads = [Head(w("item"), False), Head(w("before")), Head(w("after")), Head(w("difference"))]
    table = Table("balance", w("balance"), heads, f"{w('balance_note')} {w('unit_yuan')}")
    parts = {"gross": "sub", "final": "total"}
    for (pool,), rows in frame.group_by(["pool"], maintain_order=True):
        table.add(text(titles.get(str(pool), str(pool))), part="part")
        for row in rows.iter_rows(named=True):
            sides = [
                empty() if row[name] is None else yuan(row[name]) for name in ("before_fen", "after_fen")
            ]
            name = w(f"balance.{row['item']}")
            table.add(
                text(name), *sides, yuan(row["difference_fen"], plus=True), part=parts.get(row["item"], "")
            )
    return table


def _matrix(frame: pl.DataFrame, chapters: Sequence[dict[str, str]], w: SwitchWords) -> Table:
    names = frame.columns[1:-1]
    heads = [Head(w("from"), False)]
    heads += [Head(_place(name.removeprefix("to "), chapters[1], w)) for name in names]
    table = Table("matrix", w("matrix"), [*heads, Head(w("total"))], w("matrix_note"))
    for row in frame.iter_rows():
        last = row[0] == "total"
        label = w("total") if last else _place(row[0], chapters[0], w)
        table.add(text(label), *(count(n) if n else empty() for n in row[1:]), part="total" if last else "")
    return table


def _place(name: str, chapters: dict[str, str], w: SwitchWords) -> str:
    return w("others") if name == OTHERS else w.place(name, chapters)


def _most_moved(frame: pl.DataFrame, w: SwitchWords) -> Table:
    moved = frame.filter((pl.col("moved") > 0) & pl.col("group_id").is_not_null()).sort(
        "moved", "group_id", descending=[True, False]
    )
    note = f"{w('most_moved_note')}{cut_note(moved, SHOWN_MOVED, 'groups.csv', w)} {w('unit_both')}"
    heads = [Head(w("group"), False), Head(f"{w('stays')} · {w('before')}"), Head(w("moved"))]
    heads += [Head(w("to_group"), False), Head(w("stays")), *amount_heads(w)]
    table = Table("most_moved", w("most_moved"), heads, note)
    for row in moved.head(SHOWN_MOVED).iter_rows(named=True):
        table.add(
            group_label(row["group_id"], row["name"], row["outcome"], w),
            count(row["stays_before"]),
            count(row["moved"]),
            group_label(row["to_group"], row["to_name"], row["to_outcome"], w),
            count(row["to_stays"]),
            *money_cells(row, ()),
        )
    return table


def _lost(frame: pl.DataFrame, w: SwitchWords) -> Table:
    note = f"{w('ungrouped_note')}{cut_note(frame, SHOWN_STAYS, 'ungrouped.csv', w)} {w('unit_yuan')}"
    heads = [Head(w(key), False) for key in ("setl_id", "hospital", "from", "to", "reason")]
    table = Table("ungrouped", w("ungrouped"), [*heads, *amount_heads(w)], note)
    for row in frame.head(SHOWN_STAYS).iter_rows(named=True):
        reason = row["reason"]
        table.add(
            code(row["setl_id"]),
            code(row["fixmedins_code"]),
            text(row["group_id_before"], note=row["name"]),
            text(w.name("outcome", row["outcome_now"])),
            text(None if reason is None else w.name("reason", reason)),
            *money_cells(row, ()),
        )
    return table


def _flow_charts(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], w: SwitchWords
) -> list[tuple[str, Markup]]:
    """Return the pictures: between all classes, and between the groups that most stays left."""
    heads, whole = (w("before"), w("after")), int(tables["classes"]["stays"].sum())
    pairs = [
        (row[0], row[1], row[2])
        for row in tables["classes"].select("class_before", "class_after", "stays").iter_rows()
    ]
    kept = [_largest([(pair[side], pair[2]) for pair in pairs]) for side in (0, 1)]

    def printed(name: str, side: int) -> str:
        return w.place(name, summary["chapters"][side]) if name in kept[side] else w("others")

    links: dict[tuple[str, str], int] = {}
    for one, other, stays in pairs:
        ends = (printed(one, 0), printed(other, 1))
        links[ends] = links.get(ends, 0) + stays
    columns = []
    for side, names in enumerate(kept):
        shown = [w.place(name, summary["chapters"][side]) for name in names]
        if any(ends[side] == w("others") for ends in links):
            shown.append(w("others"))
        bad = frozenset(w.place(name, {}) for name in names if name in WITHOUT_GROUP)
        columns.append(Column(shown, bad))
    found = [Link(*ends, stays) for ends, stays in links.items()]
    title = w("chart_flow")
    charts = [(title, flow(title, found, (columns[0], columns[1]), heads, whole))] if found else []
    moved = moved_flows(tables["flows"]).head(SHOWN_LINKS)
    if moved.height:
        links = {}
        for row in moved.iter_rows(named=True):
            ends = (_group_name(row, "before", w), _group_name(row, "after", w))
            links[ends] = links.get(ends, 0) + row["stays"]
        sides = [Column(list(dict.fromkeys(ends[side] for ends in links)), _without(w)) for side in (0, 1)]
        found = [Link(*ends, stays) for ends, stays in links.items()]
        title = w("chart_group_flow")
        charts.append((title, flow(title, found, (sides[0], sides[1]), heads, whole)))
    return charts


def _without(w: SwitchWords) -> frozenset[str]:
    return frozenset(w.name("outcome", name) for name in WITHOUT_GROUP)


def _group_name(row: Mapping[str, Any], when: str, w: SwitchWords) -> str:
    group = row[f"group_id_{when}"]
    if group is None:
        return w.name("outcome", row[f"outcome_{when}"])
    return f"{group} {row[f'name_{when}'] or ''}".strip()


def _largest(stays: list[tuple[str, int]]) -> list[str]:
    """Return the names with the most stays, at most :data:`SHOWN_CLASSES`; those without a group always, and last."""
    sums: dict[str, int] = {}
    for name, n in stays:
        sums[name] = sums.get(name, 0) + n
    ranked = sorted(
        (name for name in sums if name not in WITHOUT_GROUP), key=lambda name: (-sums[name], name)
    )
    return ranked[:SHOWN_CLASSES] + [name for name in WITHOUT_GROUP if name in sums]


def _charts(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], w: SwitchWords
) -> list[tuple[str, Markup]]:
    causes = shown_causes(tables["accounts"], SWITCH_CAUSES)
    amounts = [summary["causes"][name] for name in causes]
    charts = ranked_charts("causes", [([w(f"cause.{name}") for name in causes], amounts)], w)
    levels = tables["levels"]
    names = [w.name("level", level) for level in levels["level"]]
    charts += ranked_charts("levels", [(names, levels["difference_fen"].to_list())], w)
    parts = [
        (
            [n or c for n, c in part.select("fixmedins_name", "fixmedins_code").iter_rows()],
            part["difference_fen"].to_list(),
        )
        for part in gains_and_losses(tables["hospitals"], CHART)
    ]
    return charts + ranked_charts("hospital", parts, w)
