"""One case: a stay of the chosen hospital, or a record that is typed in, explained and audited as `fenzhi case` does.

It explains the codes that it is given; nothing here looks for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.drg.words import say_term, say_terms
from fenzhi.errors import InputError
from fenzhi.grouping import Trace
from fenzhi.grouping.explain_drg import DrgTrace
from fenzhi.pipeline.case import CaseAnswer
from fenzhi.pipeline.case_basis import Basis, region_basis
from fenzhi.pipeline.case_open import Given, case_in_region
from fenzhi.region import Region
from fenzhi.reports.case_texts import TEXTS
from fenzhi.reports.display import DASH, Cell, Head, Table, code, count, e4, text, yuan
from fenzhi.reports.explain_texts import DRG_TEXTS
from fenzhi.reports.explain_texts import TEXTS as EXPLAIN_TEXTS
from fenzhi.reports.facts import HOSPITAL
from fenzhi.server.section import Answer, Section
from fenzhi.server.year import Year

#: Fields of the form -> columns of a stay.
COLUMNS = {
    "diag": "diag_codes",
    "oprn": "oprn_codes",
    "sex": "gend",
    "age": "age",
    "age_days": "nwb_age",
    "days": "act_ipt_days",
    "cost": "medfee_sumamt",
    "booked": "hifp_pay",
    "insurance": "insutype",
    "department": "dscg_caty",
    "icu": "scs_cutd_sum_dura",
}
#: Fields with an example of what goes in.
HINTS = {
    "diag": "K35.800|E11.900",
    "oprn": "47.0100",
    "age": "50",
    "age_days": "",
    "days": "6",
    "cost": "10500",
    "booked": "",
    "department": "",
    "icu": "0/12/0",
}


def case_page(year: Year, hospital: str | None) -> Section:
    """Return the part without an answer."""
    assert hospital is not None
    return Section("case", TEXTS[year.words.lang]["purpose"])


def case_fields(year: Year, _hospital: str | None) -> dict[str, Any]:
    """Return what the template ``case.html`` shows besides: fields as (name, title, hint), kinds of insurance."""
    region = year.region()
    kinds = [(kind, f"{kind} {pool.title}") for pool in region.pools for kind in pool.insutype]
    return {
        "fields": [(name, year.words(f"case.{name}"), hint) for name, hint in HINTS.items()],
        "kinds": kinds,
    }


def answer_case(year: Year, hospital: str | None, asked: dict[str, Any]) -> Answer:
    """Answer a stay of the chosen hospital (``setl_id``), or a record in the fields of the form."""
    if hospital is None:
        raise InputError("no hospital is chosen", code="SERVE_ASK", remedy="choose a hospital first")
    setl_id = str(asked.get("setl_id") or "").strip() or None
    case: dict[str, Any] = {}
    if setl_id is None:
        said = {column: str(asked.get(name) or "").strip() for name, column in COLUMNS.items()}
        case = {column: value for column, value in said.items() if value} | {HOSPITAL: hospital}
    else:
        _require_own(year, hospital, setl_id)
    answer = case_in_region(year.run, case, Given(), setl_id, _kept(year))
    return Answer(case_section(answer, year))


def _require_own(year: Year, hospital: str, setl_id: str) -> None:
    """Raise :class:`InputError` unless the stay is the hospital's; another's is as unknown as none's."""
    mine = year.tables.cases.filter(pl.col("setl_id") == setl_id, pl.col(HOSPITAL) == hospital)
    if mine.select(pl.len()).collect().item() == 0:
        raise InputError(
            "this hospital has no stay with that settlement id",
            code="SERVE_CASE",
            field="setl_id",
            value=setl_id,
            remedy="copy the id from a statement, or choose the hospital it belongs to",
        )


def _kept(year: Year) -> Any:
    """Return a function that measures the history once, or once a day of discharge where rules change in the year."""

    def basis_of(region: Region, day: date, weights: Path | None) -> Basis:
        key = day if year.tables.rules else None
        return year.kept.get(("basis", key), lambda: region_basis(region, day, weights))

    return basis_of


def case_section(answer: CaseAnswer, year: Year) -> Section:
    """Return what is shown of an answer: payment, why this group, limits, special review, what to look at again."""
    lang = year.words.lang
    said = TEXTS[lang]
    tables = [
        _payment(answer, year),
        _limits(answer, year),
        _reviews(answer.reviews, said),
        *_trace(answer.trace, year),
        _findings(answer.findings, lang),
    ]
    facts = answer.facts.row(0, named=True)
    paid = answer.payment.row(0, named=True) if answer.payment.height else {}
    names = said["figures"]
    figures: list[tuple[str, Cell]] = [
        (names["group_id"], code(facts.get("group_id"))),
        (names["points_e4"], e4(facts.get("points_e4"))),
        (names["standard_fen"], yuan(paid.get("standard_fen"))),
        (names["fund_fen"], yuan(paid.get("fund_fen"))),
    ]
    notes = [note[lang == "en"] for note in answer.notes]
    return Section("case", "", figures, [table for table in tables if table.rows], notes)


def _figure(name: str, value: Any) -> Cell:
    if name.endswith("_fen"):
        return yuan(value)
    return e4(value) if name.endswith("_e4") else text(value)


def _band(year: Year, name: str, title: str) -> str:
    """Return a band in words: the policy's own title in Chinese, else the known name."""
    return title if year.words.lang == "zh" else year.words.known("band", name) or title


def _payment(answer: CaseAnswer, year: Year) -> Table:
    said = TEXTS[year.words.lang]
    facts = answer.facts.row(0, named=True)
    paid = answer.payment.row(0, named=True) if answer.payment.height else {}
    shown = facts | {name: value for name, value in paid.items() if name not in ("setl_id", "cost_fen")}
    titles = dict(answer.limits.select("band", "title").iter_rows())
    table = Table("payment", said["payment"], [Head(said["figure"][0], False), Head(said["figure"][1])])
    for name, title in said["figures"].items():
        value = shown.get(name)
        if (value is None and name not in said["always"]) or (name == "fixed_points_e4" and not value):
            continue
        cell = _figure(name, value)
        if name == "deviation":
            cell = text(_band(year, str(value), titles.get(value, str(value))))
        elif name == "point_value_e4":
            cell = cell._replace(note=said["sources"][shown["value_source"]])
        elif name == "pool":
            cell = text(year.tables.pool_titles().get(str(value)) or value)
        elif name == "outcome":
            cell = text(year.words.name("outcome", value))
        table.add(text(title), cell._replace(kind="num"))
    return table


def _limits(answer: CaseAnswer, year: Year) -> Table:
    said = TEXTS[year.words.lang]
    heads = [Head(title, at in (1, 2, 3, 4, 6)) for at, title in enumerate(said["limit"])]
    table = Table("limits", said["limits"], heads, year.words("unit_both"))
    for row in answer.limits.iter_rows(named=True):
        mark = "* " if row["inside"] else ""
        table.add(
            text(mark + _band(year, row["band"], row["title"])),
            e4(row["above_e4"]),
            *(yuan(row[name]) for name in ("from_fen", "upto_fen", "to_here_fen")),
            text(said["formulas"][row["points"]]),
            e4(row["points_e4"]),
        )
    return table


def _reviews(reviews: pl.DataFrame, said: Mapping[str, Any]) -> Table:
    heads = [Head(title, at in (2, 3, 4)) for at, title in enumerate(said["review"])]
    table = Table("reviews", said["reviews"], heads)
    for row in reviews.iter_rows(named=True):
        unit = {"fen": "_fen", "hours_e4": "_e4"}.get(row["unit"])
        table.add(
            text(row["title"]),
            text(said["conditions"][row["condition"]].format(row["limit"])),
            *(
                count(row[n]) if unit is None else _figure(unit, row[n])
                for n in ("have", "needed", "missing")
            ),
            text(said["holds"] if row["holds"] else said["fails"]),
        )
    return table


def _trace(trace: Trace, year: Year) -> list[Table]:
    """Return the candidates and why they lost (DIP), or every step of the way (DRG)."""
    lang = year.words.lang
    said = EXPLAIN_TEXTS[lang]
    if isinstance(trace, DrgTrace):
        return _drg_trace(trace, lang)
    table = Table("candidates", said["candidates"], [Head(title, False) for title in said["candidate"]])
    table.note = f"{said['main']}: {trace.main_operation or said['none']}"
    for one in trace.candidates:
        verdict = said["wins"] if one.wins else said[_ANSWERS.get(one.answer, one.answer)]
        rule = "; ".join(f"{name}={value}" for name, value in one.rule.items())
        left = said["unmatched"].format(" | ".join(one.unmatched)) if one.unmatched else None
        table.add(
            code(one.group_id),
            text(year.words.name("layer", one.layer)),
            text(one.name),
            text(verdict, note=left),
            text(rule),
        )
    return [table]


_ANSWERS = {"operations": "operations_fail"}


def _drg_trace(trace: DrgTrace, lang: str) -> list[Table]:
    said = DRG_TEXTS[lang]
    way = Table("looked", said["looked"], [Head(title, False) for title in said["columns"]])
    for one in trace.looked:
        if one.failed is None:
            verdict = said["held"].format(say_terms(one.terms, lang))
        else:
            verdict = said["failed"].format(say_term(one.failed, lang))
        alone = "" if one.alone is None else said["alone"].format(one.alone)
        name = one.name + (said["alternative"].format(one.alt) if one.alt > 1 else "")
        way.add(text(said["levels"][one.level]), code(one.code), text(name), text(verdict + alone))
    way.note = f"{said['result']}: {trace.final()}"
    found = Table("complications", said["ccs"], [Head(title, False) for title in said["cc"]])
    for cc in trace.complications:
        counts = said["counts"] if cc.excluded_by is None else said["excluded"].format(cc.excluded_by)
        found.add(code(cc.code), text(cc.level), text(counts))
    return [way, found]


def _findings(findings: pl.DataFrame, lang: str) -> Table:
    said = TEXTS[lang]
    table = Table(
        "findings", said["findings"], [Head(title, False) for title in said["finding"]], said["hints"]
    )
    for row in findings.iter_rows(named=True):
        kind = text(said["kinds"][row["kind"]])
        table.add(kind, text(row[lang]), code(row["field"]), code(row["value"] or DASH), text(row["source"]))
    return table
