"""Drawn years with other tracks, sharing, reserve, deposit, quarterly clearing and periods all switched on."""

from __future__ import annotations

from random import Random
from typing import Any

from twins.budget import fund_of, sound
from twins.codes import Row
from twins.draw import chance
from twins.draw_money import sharing_rules
from twins.draw_year import amount


def richer(pool: Row, more: list[tuple[str, str, int]]) -> Row:
    """The pool with further lines (name, kind, fen), as far as its changes still can be."""
    plain = {"share": None, "track": None}
    lines = [{"name": name, "kind": kind, "amount_fen": fen, **plain} for name, kind, fen in more]
    found = {**pool, "lines": [*pool["lines"], *lines]}
    return found if sound(found) else pool


def switched_on(region: Row, rules: dict[str, Any], rng: Random) -> tuple[Row, dict[str, Any]]:
    """The region and its rules with everything that moves money beside the points."""
    # with_tracks draws from this number, and first whether there are any tracks.
    number = next(one for one in iter(lambda: rng.randrange(2**32), None) if Random(one).random() < 0.6)
    budgets = {}
    for name, pool in region["budgets"].items():
        reserve, track = amount(rng), amount(rng)
        income = reserve + track + rng.choice([0, amount(rng)])
        budgets[name] = richer(
            pool,
            [("further", "income", income), ("kept", "reserve", reserve), ("funds", "carve_out", track)],
        )
    sharing = sharing_rules(rng)
    while not (sharing["surplus"] and sharing["overrun"]):
        sharing = sharing_rules(rng)
    value = {**rules["point_value"], "period": rng.choice(["quarter", "month"])}
    settlement = {
        **rules["settlement"],
        "advance_ratio": rng.choice(["0.5", "0.8765", "0.9"]),
        "deposit_ratio": rng.choice(["0.05", "0.1"]),
        "clearing": "quarter" if chance(rng, 0.7) else "year",
    }
    more = {"sharing": sharing, "point_value": value, "settlement": settlement}
    money = {"budgets": budgets, "funds": {name: fund_of(pool) for name, pool in budgets.items()}}
    return {**region, "tracks_drawn": number, **money}, {**rules, **more}
