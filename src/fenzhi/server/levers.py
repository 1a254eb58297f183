"""The sliders of the scenario builder: what a year offers, and the scenario that their values say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from fenzhi.budget.pool import BY_DISEASE
from fenzhi.errors import InputError
from fenzhi.money import format_e4
from fenzhi.points import PAID
from fenzhi.reports.facts import HOSPITAL
from fenzhi.server.year import Year
from fenzhi.simulation.base import Base

#: Groups that a list offers, the most frequent first; a scenario file may name any.
MOST_GROUPS = 200
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Slider:
    """A slider: its field, title and unit, from where to where, where it stands; ``plain``: shown without sign."""

    name: str
    title: str
    unit: str
    least: str
    most: str
    step: str = "1"
    start: str = "0"
    plain: bool = False


@dataclass(frozen=True)
class Picks:
    """A list to choose from: its field, title, and options as (value, title)."""

    name: str
    title: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Levers:
    """Sliders and lists that belong together."""

    title: str
    picks: Sequence[Picks]
    sliders: Sequence[Slider]


def levers_of(year: Year, code: str) -> list[Levers]:
    """Return what can be changed at a hospital, and around it."""
    words, base = year.words, year.simulation().base
    mine = base.scored.filter(pl.col(HOSPITAL) == code, pl.col("outcome").cast(pl.String).is_in(list(PAID)))
    groups = _groups(base, mine, year)
    others = [
        (one, name) for one, name in base.region.hospitals.select(HOSPITAL, "fixmedins_name").iter_rows()
    ]
    others = [(one, name or one) for one, name in others if one != code]
    own = [
        Slider("volume", words("lever.volume"), "%", "-50", "50"),
        Slider("cost", words("lever.cost"), "%", "-30", "30"),
        Slider("los_days", words("lever.los_days"), words("unit_days"), "-5", "5"),
        Slider("mix", words("lever.mix"), "%", "0", "100", plain=True),
    ]
    picks = [Picks("group", words("pick_group"), [("", words("pick_all")), *groups])]
    departments = _departments(mine, year)
    if departments:
        picks.insert(
            0, Picks("department", words("pick_department"), [("", words("pick_all")), *departments])
        )
    after = [Picks("to_group", words("to_group"), [("", "—"), *groups])]
    for track in dict.fromkeys(base.region.policy.scope.other_tracks.values()):
        title = words("lever.move", name=_track(base, track))
        own.append(Slider(f"track:{track}", title, "%", "0", "100", plain=True))
    if others:
        own.append(Slider("to_share", words("lever.to_hospital"), "%", "0", "100", plain=True))
        after.append(Picks("to_hospital", words("to_hospital"), [("", "—"), *others]))
    return [
        Levers(f"{words('about_own')} · {words('applies')}", [*picks, *after], own),
        Levers(words("about_rest"), [], [*_coefficient(year, code), *_around(year, base, bool(others))]),
    ]


def _groups(base: Base, mine: pl.DataFrame, year: Year) -> list[tuple[str, str]]:
    names = dict(
        pl.concat([part.groups.select("group_id", "name") for part in base.frozen.parts]).iter_rows()
    )
    grouped = mine.filter(pl.col("outcome").is_in(["grouped", "comprehensive"]))
    counted = grouped.group_by("group_id").len().sort("len", "group_id", descending=[True, False])
    return [
        (group, f"{group} {names.get(group) or ''} ({year.words('stays_of', n=f'{n:,}')})")
        for group, n in counted.head(MOST_GROUPS).iter_rows()
    ]


def _departments(mine: pl.DataFrame, year: Year) -> list[tuple[str, str]]:
    if "dscg_caty" not in mine.columns:
        return []
    counted = mine.group_by(pl.col("dscg_caty").cast(pl.String)).len().drop_nulls("dscg_caty")
    return [
        (name, f"{name} ({year.words('stays_of', n=f'{n:,}')})")
        for name, n in counted.sort("len", "dscg_caty", descending=[True, False]).iter_rows()
    ]


def _track(base: Base, name: str) -> str:
    """Return the title of a track."""
    titles = {track.id: track.title for track in base.region.policy.tracks}
    return titles.get(name) or name


def _coefficient(year: Year, code: str) -> list[Slider]:
    """Return the slider of the institution coefficient, where the hospital has one of its own."""
    known = year.hospital(code).rows["coefficient_e4"].drop_nulls().unique().to_list()
    if len(known) != 1:
        return []
    return [_value("coefficient", year.words("lever.coefficient"), known[0], 3000)]


def _value(name: str, title: str, value_e4: int, room_e4: int) -> Slider:
    """Return the slider of a number at 1/10,000, with as much room on both sides."""
    values = (max(value_e4 - room_e4, 0), value_e4 + room_e4, value_e4)
    least, most, start = (format_e4(one).replace(",", "") for one in values)
    return Slider(name, title, "", least, most, "0.0001", start, plain=True)


def _around(year: Year, base: Base, others: bool) -> list[Slider]:
    """Return the sliders of what is not the hospital's own work."""
    words, titles = year.words, {pool.id: pool.title or pool.id for pool in base.region.pools}
    found = [Slider("others", words("lever.others"), "%", "-30", "30")] if others else []
    for pool in budget_lines(base):
        found.append(Slider(f"budget:{pool}", words("lever.budget", name=titles[pool]), "%", "-20", "20"))
    if base.region.published is None:
        return found
    # A hospital alone: no budget makes the point value, it is stated.
    found.append(Slider("elasticity", words("lever.elasticity"), "", "-2", "0", "0.05"))
    for pool, value in base.region.published.given().items():
        title = words("value_of", name=titles.get(pool, pool))
        found.append(_value(f"value:{pool}", title, value, value // 5))
    return found


def budget_lines(base: Base) -> dict[str, str]:
    """Return pool -> the line of its budget that a slider changes: last year's total, else the income."""
    found: dict[str, str] = {}
    if base.region.published is not None:
        return found
    for pool in base.region.budget.pool:
        income = [line for line in pool.lines if line.kind == "income" and line.amount is not None]
        if pool.last_by_disease is not None:
            found[pool.id] = BY_DISEASE
        elif income:
            found[pool.id] = max(income, key=lambda line: line.amount or 0).name
    return found


def scenario_data(year: Year, code: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what sliders say as a scenario, in the shape of its file; sliders that did not move are not in it.

    Raises :class:`InputError` for a value that is no number, and a choice that is missing.
    """
    where = {key: str(asked[key]) for key in ("department", "group") if asked.get(key)}
    data: dict[str, Any] = {"hospital": code}

    def share(name: str) -> Decimal | None:
        value = number(asked, name)
        return None if value is None else value / _HUNDRED

    volume, cost, days = share("volume"), share("cost"), number(asked, "los_days")
    if volume is not None:
        data["volume"] = [{**where, "growth": volume}]
    mix = share("mix")
    if mix is not None:
        wanted = {"group": _choice(asked, "group", "mix"), "to": _choice(asked, "to_group", "mix")}
        data["mix"] = [{**where, **wanted, "share": mix}]
    changed = {"cost": cost, "los_days": None if days is None else int(days)}
    if any(value is not None for value in changed.values()):
        data["cost"] = [where | {key: value for key, value in changed.items() if value is not None}]
    data["move"] = _moves(year, asked, where)
    if (others := share("others")) is not None:
        data["others"] = {"growth": others}
    if (coefficient := number(asked, "coefficient")) is not None:
        data["coefficient"] = [{"value": coefficient}]
    lines = budget_lines(year.simulation().base)
    budget = [(pool, line, share(f"budget:{pool}")) for pool, line in lines.items()]
    data["budget"] = [
        {"pool": pool, "line": line, "growth": growth} for pool, line, growth in budget if growth is not None
    ]
    data["point_value"] = _point_value(year, asked)
    return {key: value for key, value in data.items() if value}


def _point_value(year: Year, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a hospital alone states of the point value: how it follows its points, values of pools."""
    published = year.simulation().base.region.published
    if published is None:
        return {}
    given = {pool: number(asked, f"value:{pool}") for pool in published.given()}
    values = {pool: value for pool, value in given.items() if value is not None}
    elasticity = number(asked, "elasticity")
    found: dict[str, Any] = {} if elasticity is None else {"elasticity": elasticity}
    return found | ({"values": values} if values else {})


def _moves(year: Year, asked: Mapping[str, Any], where: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for track in dict.fromkeys(year.simulation().base.region.policy.scope.other_tracks.values()):
        value = number(asked, f"track:{track}")
        if value is not None:
            found.append({**where, "share": value / _HUNDRED, "track": track})
    value = number(asked, "to_share")
    if value is not None:
        to = _choice(asked, "to_hospital", "to_share")
        found.append({**where, "share": value / _HUNDRED, "to_hospital": to})
    return found


def number(asked: Mapping[str, Any], name: str) -> Decimal | None:
    """Return the value of a slider; None for one that is not there or stands at nothing."""
    given = asked.get(name)
    if given is None or given == "":
        return None
    try:
        value = Decimal(str(given))
    except InvalidOperation as error:
        raise InputError(
            "this is no number", code="SERVE_ASK", field=name, value=given, remedy="use the slider"
        ) from error
    return value if value.is_finite() and value else None


def _choice(asked: Mapping[str, Any], name: str, slider: str) -> str:
    if not asked.get(name):
        raise InputError(
            "a choice is missing for this slider",
            code="SERVE_CHOICE",
            field=name,
            remedy=f"choose {name} above, or put the slider {slider} back",
        )
    return str(asked[name])
