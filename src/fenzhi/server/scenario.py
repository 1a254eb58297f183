"""The scenario builder: a question of sliders, or a scenario file, answered by the simulation; shown side by side."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import polars as pl

from fenzhi.attribution import CAUSES, cause
from fenzhi.errors import InputError, RegionError
from fenzhi.reports import svg
from fenzhi.reports.compare_causes import causes_table, shown_causes
from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.display import Cell, Head, Table, code, count, decimals, e4, scaled, text, yuan
from fenzhi.reports.facts import HOSPITAL
from fenzhi.server.levers import levers_of, scenario_data
from fenzhi.server.section import Answer, Picture, Section, placed
from fenzhi.server.year import Year
from fenzhi.simulation import Outcome, Scenario, scenario_of
from fenzhi.simulation.write import toml_text

TOP_GROUPS = 12
CHART_GROUPS = 8
#: Measures of a hospital before and after, each with how it is printed.
MEASURES = (
    ("cases", count),
    ("points_e4", e4),
    ("cost_fen", yuan),
    ("booked_fen", yuan),
    ("payable_fen", yuan),
    ("balance_fen", yuan),
    ("shared_fen", yuan),
    ("final_fen", yuan),
    ("clearing_fen", yuan),
)
SELDOM = ("shared_fen", "final_fen")


def scenario_page(year: Year, hospital: str | None) -> Section:
    """Return the part without an answer; sliders ask for the first one themselves."""
    assert hospital is not None
    alone = year.simulation().hospitals.height == 1
    name = year.names()[hospital]
    return Section("scenario", year.words("scenario_alone" if alone else "scenario_lead", name=name))


def levers(year: Year, hospital: str | None) -> dict[str, Any]:
    """Return what the template ``scenario.html`` shows besides."""
    assert hospital is not None
    words = year.words
    kept = [
        words.title("hospitals", year.hospital(hospital).owed),
        words("difference"),
        words("scenario_margin"),
    ]
    return {"groups": levers_of(year, hospital), "kept": kept}


def answer_scenario(year: Year, hospital: str | None, asked: dict[str, Any]) -> Answer:
    """Answer sliders, or a scenario file (``toml``), for the chosen hospital."""
    if hospital is None:
        raise InputError("no hospital is chosen", code="SERVE_ASK", remedy="choose a hospital first")
    data = _file(str(asked["toml"])) if "toml" in asked else scenario_data(year, hospital, asked)
    scenario = scenario_of(data)
    if scenario.hospital is None:
        scenario = scenario.model_copy(update={"hospital": hospital})
    require_own(year, scenario, hospital)
    outcome = year.simulation().run(scenario)
    section = outcome_section(year, outcome, hospital)
    sums = outcome.own.select(pl.col("before_fen", "after_fen", "difference_fen").sum()).row(0, named=True)
    margin = _measured(outcome, hospital)["balance_fen"][1]
    state = year.words("answered_full" if outcome.full else "answered", seconds=f"{outcome.seconds:.2f}")
    row = [
        _title(year, scenario),
        yuan(sums["after_fen"]).text,
        yuan(sums["difference_fen"], plus=True).text,
        yuan(margin, plus=True).text,
    ]
    return Answer(
        section, {**sums, "toml": toml_text(data), "state": state, "brief": section.lead, "row": row}
    )


def _file(given: str) -> dict[str, Any]:
    try:
        return tomllib.loads(given, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise RegionError(
            f"this is no TOML: {error}",
            code="SCENARIO_SYNTAX",
            remedy="see docs/reference/scenario.md for the form of a scenario",
        ) from error


def require_own(year: Year, scenario: Scenario, hospital: str) -> None:
    """Raise :class:`InputError` if a scenario on one hospital's page changes single hospitals or stays of others."""
    if year.own is None:
        return
    parts = ("volume", "mix", "cost", "move", "coding", "coefficient")
    named = [part.hospital for name in parts for part in getattr(scenario, name)]
    ids = [one for part in scenario.coding for one in part.setl_ids]
    ids += [part.setl_id for part in scenario.review]
    stays = year.simulation().base.stays
    mine = stays.filter(pl.col("setl_id").is_in(ids), pl.col(HOSPITAL) == hospital)["setl_id"]
    strange = [one for one in (scenario.hospital, *named) if one not in (None, hospital)]
    strange += sorted(set(ids) - set(mine.to_list()))
    if strange:
        raise InputError(
            "this page is about one hospital: a scenario may name no other one, and no stay of another",
            code="SERVE_HOSPITAL",
            value=strange[0],
            remedy="leave it out; others.growth changes the other hospitals together",
        )


def _title(year: Year, scenario: Scenario) -> str:
    """Return the name of a scenario, or what it changes."""
    if scenario.name:
        return scenario.name
    words = year.words
    names = [name for name in type(scenario).model_fields if name not in ("name", "hospital", "seed")]
    return "、".join(words(f"part.{name}") for name in names if getattr(scenario, name)) or words("part.none")


def _measured(outcome: Outcome, hospital: str) -> dict[str, tuple[int, int]]:
    """Return measure -> before and after, of a hospital over its pools; those that the year has."""
    sides = []
    for side in (outcome.before, outcome.after):
        rows = side.tables["hospitals"].filter(pl.col(HOSPITAL) == hospital)
        sides.append(
            {name: int(rows[name].fill_null(0).sum()) for name, _ in MEASURES if name in rows.columns}
        )
    return {name: (sides[0][name], sides[1][name]) for name in sides[0] if name in sides[1]}


def outcome_section(year: Year, outcome: Outcome, hospital: str) -> Section:
    """Return what becomes of a hospital's year: figures, before and after, causes, groups, pools."""
    words, titles = year.words, year.tables.pool_titles()
    own = outcome.accounts.filter(pl.col(HOSPITAL) == hospital)
    sums = own.select(pl.col("before_fen", "after_fen", "difference_fen").sum()).row(0, named=True)
    said = (words("causes_scenario"), words("before"), words("after"))
    compared = CompareWords(words.lang, words.style)
    causes = causes_table("causes", own, titles, compared, said)
    tables = [_before_after(outcome, hospital, year), causes, _groups(outcome, year), _pools(outcome, year)]
    # What moves with a slider stands first and side by side.
    pictures = [*_amounts_chart(own, year), *_causes_chart(own, year)]
    figures: list[tuple[str, Cell]] = [
        (words("before"), yuan(sums["before_fen"])),
        (words("after"), yuan(sums["after_fen"])),
        (words("difference"), yuan(sums["difference_fen"], plus=True)),
    ]
    blocks = [*pictures, *placed(tables, _groups_chart(outcome, year))]
    return Section("scenario", _sentence(sums, year), figures, blocks)


def _sentence(sums: dict[str, int], year: Year) -> str:
    words, difference = year.words, sums["difference_fen"]
    way = "more" if difference > 0 else "less" if difference < 0 else "same"
    change = words(f"scenario_sentence_{way}", amount=yuan(abs(difference)).text)
    before, after = (yuan(sums[name]).text for name in ("before_fen", "after_fen"))
    return words("scenario_sentence", change=change, before=before, after=after)


def _before_after(outcome: Outcome, hospital: str, year: Year) -> Table:
    words = year.words
    heads = [Head(words("quantity"), False), *(Head(words(key)) for key in ("before", "after", "difference"))]
    table = Table("amounts", words("before_after"), heads, words("unit_both"))
    measured = _measured(outcome, hospital)
    for name, show in MEASURES:
        if name not in measured:
            continue
        before, after = measured[name]
        if name in SELDOM and measured.get("shared_fen", (0, 0)) == (0, 0):
            continue
        table.add(
            text(words.title("hospitals", name)), show(before), show(after), _change(name, after - before)
        )
    for row in outcome.pools.iter_rows(named=True):
        if row["pool"] not in set(outcome.own["pool"]):
            continue
        before, after = (row[f"settlement_value_{when}_e4"] for when in ("before", "after"))
        grown = None if before is None or after is None else after - before
        name = row["title"] or row["pool"]
        cells = (e4(before), e4(after), _change("value_e4", grown))
        table.add(text(words("value_of", name=name)), *cells)
    return table


def _change(name: str, value: int | None) -> Cell:
    """Return a difference with its sign."""
    if name.endswith("_fen"):
        return yuan(value, plus=True)
    cell = e4(value) if name.endswith("_e4") else count(value)
    negative = bool(value and value < 0)
    if value and value > 0:
        return cell._replace(text=f"+{cell.text}")
    return cell._replace(text=cell.text.replace("-", "\N{MINUS SIGN}"), negative=negative)


def _groups(outcome: Outcome, year: Year) -> Table:
    words = year.words
    heads = [Head(words.title("groups", "group_id"), False), Head(words.title("groups", "name"), False)]
    for key in ("cases", "payable"):
        title = words.title("groups", "cases") if key == "cases" else words.title("hospitals", "gross_fen")
        heads += [Head(f"{title} · {words(when)}") for when in ("before", "after")]
    note = words("groups_changed_note", n=TOP_GROUPS) + " " + words("unit_yuan")
    table = Table("groups", words("groups_changed"), [*heads, Head(words("difference"))], note)
    for row in _changed(outcome).head(TOP_GROUPS).iter_rows(named=True):
        table.add(
            code(row["group_id"]),
            text(row["name"] if row["group_id"] else words("no_group")),
            *(count(row[f"cases_{when}"]) for when in ("before", "after")),
            *(yuan(row[f"payable_{when}_fen"]) for when in ("before", "after")),
            yuan(row["difference_fen"], plus=True),
        )
    return table


def _changed(outcome: Outcome) -> pl.DataFrame:
    return outcome.groups.filter(
        (pl.col("difference_fen") != 0) | (pl.col("cases_before") != pl.col("cases_after"))
    )


def _pools(outcome: Outcome, year: Year) -> Table:
    """Return fund, stays, points and value of the pools before and after."""
    words = year.words
    heads = [Head(words("quantity"), False), *(Head(words(key)) for key in ("before", "after", "difference"))]
    table = Table("pools", words("pools_changed"), heads, words("unit_both"))
    lines = (
        ("fund_{}_fen", words("fund"), yuan),
        ("cases_{}", words.title("pools", "cases"), count),
        ("points_{}_e4", words.title("pools", "points_e4"), e4),
        ("settlement_value_{}_e4", words.title("pools", "settlement_value_e4"), e4),
        ("payable_{}_fen", words.title("pools", "payable_fen"), yuan),
    )
    for row in outcome.pools.iter_rows(named=True):
        table.add(text(row["title"] or row["pool"]), part="part")
        for column, title, show in lines:
            before, after = (row[column.format(when)] for when in ("before", "after"))
            grown = None if before is None or after is None else after - before
            table.add(text(title), show(before), show(after), _change(column, grown))
    return table


def _amounts_chart(own: pl.DataFrame, year: Year) -> list[Picture]:
    words, titles = year.words, year.tables.pool_titles()
    if own.is_empty():
        return []
    unit, values = scaled([*own["before_fen"], *own["after_fen"]], words.lang)
    half, title = (
        own.height,
        f"{words.title('hospitals', year.hospital(own[HOSPITAL][0]).owed)} ({words(unit)})",
    )
    series = [svg.Series(words("before"), values[:half]), svg.Series(words("after"), values[half:])]
    names = [titles.get(pool, pool) for pool in own["pool"]]
    return [Picture("amounts", title, svg.bars(title, names, series), "amounts")]


def _causes_chart(own: pl.DataFrame, year: Year) -> list[Picture]:
    words, compared = year.words, CompareWords(year.words.lang, year.words.style)
    shown = [name for name in shown_causes(own) if name in CAUSES]
    unit, values = scaled([int(own[cause(name)].sum()) for name in shown], words.lang)
    scale = svg.Scale(max(map(abs, values), default=0.0), decimals(values), words(unit))
    names = [compared(f"cause.{name}") for name in shown]
    return [Picture("causes", words("causes"), svg.ranking(words("causes"), names, values, scale), "causes")]


def _groups_chart(outcome: Outcome, year: Year) -> list[Picture]:
    words = year.words
    frame = _changed(outcome).head(CHART_GROUPS).sort("difference_fen", descending=True)
    if frame.is_empty():
        return []
    unit, values = scaled(frame["difference_fen"].to_list(), words.lang)
    scale = svg.Scale(max(map(abs, values)), decimals(values), words(unit))
    ids = frame.select("name", "group_id").iter_rows()
    names = [f"{group} {name or ''}".strip() if group else words("no_group") for name, group in ids]
    title = words("groups_changed")
    return [Picture("groups", title, svg.ranking(title, names, values, scale), "groups")]
