"""The page and the workbook of a hospital's departments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.attribution.department_columns import CAUSES, DEPARTMENT_TABLES, SPLIT, cause
from fenzhi.reports import svg
from fenzhi.reports.department_texts import DepartmentWords
from fenzhi.reports.display import (
    Cell,
    Head,
    Table,
    code,
    count,
    decimals,
    e4,
    moment,
    part_of,
    scaled,
    text,
    yuan,
)
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.sheets import Sheet, about_sheet, add_sheet, unit_of, workbook
from fenzhi.reports.styles import said, style_of
from fenzhi.reports.words import language

#: Rows of a table on the page; the rest is in the files.
SHOWN_GROUPS, SHOWN_STAYS, CHART = 30, 30, 12
#: Rows of a sheet at most; the CSV files hold them all.
MOST = 100_000
_MONEY = ("income_fen", "cost_fen", "balance_fen")


def words_of(summary: Mapping[str, Any], lang: str) -> DepartmentWords:
    """Return the words for departments, in the terms of the run's scheme."""
    return DepartmentWords(lang, style_of(pl.Series([summary["scheme"]]), {"scale": summary["scale"]}))


def _titles(table: str, w: DepartmentWords) -> dict[str, str]:
    return {c.name: said((c.zh, c.en), w.style)[language(w.lang)] for c in DEPARTMENT_TABLES[table]}


def department_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page (see :func:`fenzhi.pipeline.departments.departments_of` for what it shows).

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
    return environment.get_template("compare.html").render(
        w=w,
        manifest={"run_id": summary["run_id"]},
        synthetic=summary["region"]["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=_title(summary, w),
        head=_head(summary, w),
        **context(summary, tables, w),
    )


def context(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], w: DepartmentWords
) -> dict[str, Any]:
    """Return what the page shows: sentence, warnings, figures, charts as (title, SVG), ``shown`` tables."""
    departments = tables["departments"]
    sums = departments.select(pl.col(pl.Int64).sum()).row(0, named=True)
    shown = [
        _sums("departments", departments, w),
        _causes("causes", departments, w),
        _groups(tables["groups"], w),
    ]
    if tables["doctors"].height:
        shown.append(_sums("doctors", tables["doctors"], w))
    shown += [_quotas(departments, summary, w), _watch(tables["watch"], w)]
    losing = departments.filter(pl.col("balance_fen") < 0).height
    return {
        "sentence": w(
            "sentence",
            departments=departments.height,
            cases=f"{sums['cases']:,}",
            income=yuan(sums["income_fen"]).text,
            cost=yuan(sums["cost_fen"]).text,
            balance=yuan(sums["balance_fen"], plus=True).text,
            losing=losing,
        ),
        "warnings": notes(summary, w),
        "figures": [
            *(
                (_titles("departments", w)[name], yuan(sums[name], plus=name == "balance_fen"))
                for name in _MONEY
            ),
            (_titles("departments", w)["above_quota_cases"], count(sums["above_quota_cases"])),
            (_titles("departments", w)["below_cases"], count(sums["below_cases"])),
        ],
        "charts": _charts(departments, w),
        "shown": shown,
    }


def _title(summary: Mapping[str, Any], w: DepartmentWords) -> str:
    return w("title", name=summary["hospital"]["name"], year=summary["region"]["year"])


def _head(summary: Mapping[str, Any], w: DepartmentWords) -> list[tuple[str, str]]:
    hospital = summary["hospital"]
    return [
        (w("hospital"), f"{hospital['name']} ({hospital['fixmedins_code']})"),
        (w("run"), f"{summary['run_id']} · {moment(summary['created'])}"),
        (w("policy"), summary["policy"]),
    ]


def notes(summary: Mapping[str, Any], w: DepartmentWords) -> list[str]:
    """Return what the reader must know of the figures."""
    found = [w("flagged_note")]
    if not summary["has_costs"]:
        found.append(w("no_costs"))
    if summary["one_hospital"]:
        found.append(w("one_hospital"))
    return found


def _label(row: Mapping[str, Any], w: DepartmentWords) -> list[Cell]:
    cells = [text(row["dscg_caty"] or w("not_known"))]
    return [*cells, code(row["doctor"])] if "doctor" in row else cells


def _sums(name: str, frame: pl.DataFrame, w: DepartmentWords) -> Table:
    """Return the table of departments, or of doctors: sums, and a total."""
    titles = _titles(name, w)
    shown = ["cases", "days", "points_e4", "payable_fen", "booked_fen", *_MONEY]
    labels = [n for n in ("dscg_caty", "doctor") if n in frame.columns]
    heads = [Head(titles[n], False) for n in labels] + [Head(titles[n]) for n in shown]
    heads += [Head(w("share")), Head(titles["flagged_cases"]), Head(titles["flagged_balance_fen"])]
    table = Table(name, w(name), heads, f"{w(f'{name}_note')} {w('unit_both')}")
    show = {"cases": count, "days": count, "points_e4": e4}
    whole = frame.select(pl.col(pl.Int64).sum()).row(0, named=True)

    def add(first: list[Cell], row: Mapping[str, Any], part: str = "") -> None:
        cells = [show[n](row[n]) if n in show else yuan(row[n], plus=n == "balance_fen") for n in shown]
        cells += [part_of(row["cases"], whole["cases"]), count(row["flagged_cases"])]
        table.add(*first, *cells, yuan(row["flagged_balance_fen"], plus=True), part=part)

    for row in frame.iter_rows(named=True):
        add(_label(row, w), row)
    add([text(w("total"))] + [text(" ")] * (len(labels) - 1), whole, "total")
    return table


def _split(row: Mapping[str, Any]) -> list[Cell]:
    return [yuan(row["balance_fen"], plus=True), *(yuan(row[cause(name)], plus=True) for name in CAUSES)]


def _split_heads(table: str, w: DepartmentWords) -> list[Head]:
    titles = _titles(table, w)
    return [Head(titles["balance_fen"]), *(Head(titles[c.name]) for c in SPLIT)]


def _causes(name: str, frame: pl.DataFrame, w: DepartmentWords) -> Table:
    heads = [Head(w("department"), False), *_split_heads("departments", w)]
    table = Table(name, w(name), heads, f"{w('causes_note')} {w('unit_yuan')}")
    for row in frame.iter_rows(named=True):
        table.add(*_label(row, w), *_split(row))
    whole = frame.select(pl.col(pl.Int64).sum()).row(0, named=True)
    table.add(text(w("total")), *_split(whole), part="total")
    return table


def _groups(frame: pl.DataFrame, w: DepartmentWords) -> Table:
    titles = _titles("groups", w)
    heads = [
        Head(w("department"), False),
        Head(w("group"), False),
        Head(titles["cases"]),
        *_split_heads("groups", w),
    ]
    table = Table("groups", w("groups"), heads, f"{w('groups_note', n=SHOWN_GROUPS)} {w('unit_yuan')}")
    for row in frame.filter(pl.col("balance_fen") < 0).head(SHOWN_GROUPS).iter_rows(named=True):
        group = text(row["group_id"] or w.name("outcome", row["outcome"]), note=row["name"])
        table.add(*_label(row, w), group, count(row["cases"]), *_split(row))
    return table


def _quotas(frame: pl.DataFrame, summary: Mapping[str, Any], w: DepartmentWords) -> Table:
    titles = _titles("departments", w)
    names = ("cases", "cost_fen", "quota_fen", "over_quota_fen", "above_quota_cases", "below_cases")
    heads = [
        Head(w("department"), False),
        Head(titles["quota_source"], False),
        *(Head(titles[n]) for n in names),
    ]
    watch = summary["settings"]["watch"]
    note = w("quotas_note", above=watch["above_quota"], below=f"{watch['below_yuan']:,}")
    table = Table("quotas", w("quotas"), heads, f"{note} {w('unit_yuan')}")
    for row in frame.iter_rows(named=True):
        source = None if row["quota_source"] is None else w(row["quota_source"])
        cells = [
            yuan(row[n], plus=n == "over_quota_fen") if n.endswith("_fen") else count(row[n]) for n in names
        ]
        table.add(*_label(row, w), text(source), *cells)
    return table


def _watch(frame: pl.DataFrame, w: DepartmentWords) -> Table:
    titles = _titles("watch", w)
    heads = [Head(titles[n], False) for n in ("setl_id", "dscg_caty", "group_id")]
    names = ("cost_fen", "quota_fen", "multiple_e4", "points_e4", "payable_fen", "balance_fen")
    heads += [Head(titles["act_ipt_days"]), *(Head(titles[n]) for n in names)]
    table = Table("watch", w("watch"), heads, f"{w('watch_note', n=SHOWN_STAYS)} {w('unit_both')}")
    for name in ("above_quota", "below"):
        mine = frame.filter(pl.col("list") == name)
        if mine.height:
            table.add(text(f"{w(name)} ({mine.height:,})"), part="part")
        for row in mine.head(SHOWN_STAYS).iter_rows(named=True):
            cells = [
                e4(row[n]) if n.endswith("_e4") else yuan(row[n], plus=n == "balance_fen") for n in names
            ]
            first = [code(row["setl_id"]), text(row["dscg_caty"] or w("not_known")), code(row["group_id"])]
            table.add(*first, count(row["act_ipt_days"]), *cells)
    return table


def _charts(frame: pl.DataFrame, w: DepartmentWords) -> list[tuple[str, Markup]]:
    ends = frame if frame.height <= CHART else pl.concat([frame.head(CHART // 2), frame.tail(CHART // 2)])
    names = [name or w("not_known") for name in ends["dscg_caty"]]
    titles = _titles("departments", w)
    causes = [int(frame[cause(name)].sum()) for name in CAUSES]
    return [
        _ranked("chart_departments", names, ends["balance_fen"].to_list(), w),
        _ranked("chart_causes", [titles[cause(name)] for name in CAUSES], causes, w),
    ]


def _ranked(key: str, names: Sequence[str], fens: Sequence[int], w: DepartmentWords) -> tuple[str, Markup]:
    unit, values = scaled(fens, w.lang)
    scale = svg.Scale(max((abs(value) for value in values), default=0.0), decimals(values), w(unit))
    return w(key), svg.ranking(w(key), names, values, scale)


def department_book(
    path: Path, summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str
) -> None:
    """Write the workbook: amounts in yuan, texts never formulas; the run alone decides its bytes."""
    w = words_of(summary, lang)
    lines = [(w("synthetic"), w("synthetic_note"))] if summary["region"]["synthetic"] else []
    lines += [*_head(summary, w), *(("", note) for note in notes(summary, w)), ("", w("causes_note"))]
    lines += [("", w("footer", version=summary["fenzhi"], run=summary["run_id"]))]
    with workbook(path, _title(summary, w), str(summary["created"])) as (book, formats):
        about_sheet(book, formats, w("about"), _title(summary, w), lines)
        for name, frame in tables.items():
            columns = [(c.name, _titles(name, w)[c.name], unit_of(c)) for c in DEPARTMENT_TABLES[name]]
            shown = _with_words(frame.head(MOST), w)
            add_sheet(book, formats, Sheet(w(f"sheet.{name}"), shown, columns, name), w, path)


def _with_words(frame: pl.DataFrame, w: DepartmentWords) -> pl.DataFrame:
    known = {"list": ("above_quota", "below"), "quota_source": ("history", "set")}
    said_ = [
        pl.col(column).replace({name: w(name) for name in names})
        for column, names in known.items()
        if column in frame.columns
    ]
    if "outcome" in frame.columns:
        outcomes = {name: w.name("outcome", name) for name in frame["outcome"].drop_nulls().unique()}
        said_.append(pl.col("outcome").replace(outcomes) if outcomes else pl.col("outcome"))
    return frame.with_columns(said_)
