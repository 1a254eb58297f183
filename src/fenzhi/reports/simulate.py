"""The page of a simulation: scenarios beside each other, and what made the difference of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.attribution import CAUSES, cause
from fenzhi.reports import svg
from fenzhi.reports.compare import cut_note
from fenzhi.reports.compare_causes import causes_table, shown_causes
from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.display import Head, Table, count, decimals, e4, part_of, scaled, text, yuan
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.simulate_texts import SimulateWords
from fenzhi.reports.styles import style_of

SHOWN_GROUPS = 20


def words_of(summary: Mapping[str, Any], lang: str) -> SimulateWords:
    """Return the words for a simulation, in the terms of the region's scheme."""
    return SimulateWords(lang, style_of(pl.Series([summary["scheme"]]), {"scale": summary["scale"]}))


def simulate_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a simulation (``summary.json`` and its tables, attribution/simulated.py).

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
    names = [one["name"] for one in summary["scenarios"]]
    shown = [scenarios_table(tables["scenarios"], w)]
    charts = _chart(tables["scenarios"], w)
    for at, name in enumerate(names, start=1):
        mine = {key: frame.filter(pl.col("scenario") == name) for key, frame in tables.items()}
        shown += _of_scenario(mine, f"s{at}", name if len(names) > 1 else "", w, summary["hospital"])
    region = summary["region"]
    return environment.get_template("compare.html").render(
        w=w,
        manifest={"run_id": region["id"]},
        synthetic=region["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=w("title"),
        head=_head(summary, w),
        sentence=w("sentence"),
        warnings=_warnings(summary, w),
        figures=_figures(tables["scenarios"], w) if len(names) == 1 else [],
        charts=charts,
        shown=shown,
    )


def _head(summary: Mapping[str, Any], w: CompareWords) -> list[tuple[str, str]]:
    region, hospital = summary["region"], summary["hospital"]
    about = [(w("region"), f"{region['name']} {region['year']}")]
    if hospital is not None:
        about.append((w("hospital"), f"{hospital['name'] or ''} {hospital['code']}".strip()))
    return [*about, (w("rules_of"), f"{summary['policy']} · {summary['catalog']}")]


def _warnings(summary: Mapping[str, Any], w: CompareWords) -> list[str]:
    full = [one["name"] for one in summary["scenarios"] if one["full"]]
    said = [w("full", names=", ".join(full))] if full else []
    return said + [w(f"note.{name}") for name in summary["notes"]]


def _figures(scenarios: pl.DataFrame, w: CompareWords) -> list[tuple[str, Any]]:
    row = scenarios.row(0, named=True)
    return [
        (w("before"), yuan(row["before_fen"])),
        (w("after"), yuan(row["after_fen"])),
        (w("difference"), yuan(row["difference_fen"], plus=True)),
        (w("of_before"), part_of(row["difference_fen"], row["before_fen"])),
    ]


def scenarios_table(frame: pl.DataFrame, w: CompareWords) -> Table:
    """Return the scenarios side by side: amounts, stays, causes."""
    causes = [name for name in CAUSES if (frame[cause(name)] != 0).any()]
    heads = [Head(w("scenario"), False)]
    heads += [Head(w(key)) for key in ("before", "after", "difference", "of_before")]
    heads += [Head(w(f"cause.{name}")) for name in causes] + [Head(w("region_difference"))]
    table = Table("scenarios", w("scenarios"), heads, w("unit_yuan"))
    for row in frame.iter_rows(named=True):
        table.add(
            text(row["scenario"], note=f"{row['stays_before']:,} → {row['stays_after']:,}"),
            yuan(row["before_fen"]),
            yuan(row["after_fen"]),
            yuan(row["difference_fen"], plus=True),
            part_of(row["difference_fen"], row["before_fen"]),
            *(yuan(row[cause(name)], plus=True) for name in causes),
            yuan(row["region_difference_fen"], plus=True),
        )
    return table


def _of_scenario(
    tables: Mapping[str, pl.DataFrame],
    anchor: str,
    name: str,
    w: CompareWords,
    hospital: Mapping[str, Any] | None,
) -> list[Table]:
    pools, accounts = tables["pools"], tables["accounts"]
    titles = dict(pools.select("pool", pl.coalesce("title", "pool")).iter_rows())
    if hospital is not None:
        accounts = accounts.filter(pl.col("fixmedins_code") == hospital["code"])
    summed = accounts.group_by("pool", maintain_order=True).agg(pl.col(pl.Int64).sum())
    said = ("", w("amount_before"), w("amount_after"))
    found = [
        causes_table("causes", summed, titles, w, said),
        _parts(tables["parts"], w),
        _pools(pools, w),
        _groups(tables["groups"], w),
    ]
    for table in found:
        table.name = f"{anchor}-{table.name}"
        table.caption = f"{name}: {table.caption}" if name else table.caption
    return found


def _parts(frame: pl.DataFrame, w: CompareWords) -> Table:
    heads = [Head(w("part"), False), Head(w("difference")), Head(w("after"))]
    table = Table("parts", w("parts"), heads, f"{w('parts_note')} {w('unit_yuan')}")
    for row in frame.iter_rows(named=True):
        table.add(
            text(w(f"part.{row['part']}")), yuan(row["difference_fen"], plus=True), yuan(row["after_fen"])
        )
    return table


def _pools(frame: pl.DataFrame, w: CompareWords) -> Table:
    heads = [Head(w("pool"), False)]
    for key in ("fund", "points", "value"):
        heads += [Head(f"{w(key)} · {w(when)}") for when in ("before", "after")]
    table = Table("pools", w("pools"), heads, w("unit_both"))
    for row in frame.iter_rows(named=True):
        table.add(
            text(row["title"] or row["pool"]),
            *(yuan(row[f"fund_{when}_fen"]) for when in ("before", "after")),
            *(e4(row[f"points_{when}_e4"]) for when in ("before", "after")),
            *(e4(row[f"settlement_value_{when}_e4"]) for when in ("before", "after")),
        )
    return table


def _groups(frame: pl.DataFrame, w: CompareWords) -> Table:
    changed = frame.filter(
        (pl.col("difference_fen") != 0) | (pl.col("cases_before") != pl.col("cases_after"))
    )
    note = f"{w('groups_note')}{cut_note(changed, SHOWN_GROUPS, 'groups.csv', w)} {w('unit_yuan')}"
    heads = [Head(w("group"), False)]
    for key in ("stays", "amount"):
        heads += [Head(f"{w(key)} · {w(when)}") for when in ("before", "after")]
    table = Table("groups", w("groups"), [*heads, Head(w("difference"))], note)
    for row in changed.head(SHOWN_GROUPS).iter_rows(named=True):
        group = row["group_id"]
        table.add(
            text(w.name("outcome", row["outcome"])) if group is None else text(group, note=row["name"]),
            *(count(row[f"cases_{when}"]) for when in ("before", "after")),
            *(yuan(row[f"payable_{when}_fen"]) for when in ("before", "after")),
            yuan(row["difference_fen"], plus=True),
        )
    return table


def _chart(frame: pl.DataFrame, w: CompareWords) -> list[tuple[str, Markup]]:
    if frame.height == 1:
        causes = shown_causes(frame)
        names = [w(f"cause.{name}") for name in causes]
        fens = [frame[cause(name)][0] for name in causes]
        title = w("chart_causes")
    else:
        names, fens, title = frame["scenario"].to_list(), frame["difference_fen"].to_list(), w("scenarios")
    unit, values = scaled(fens, w.lang)
    scale = svg.Scale(max((abs(value) for value in values), default=0.0), decimals(values), w(unit))
    return [(title, svg.ranking(title, names, values, scale))]
