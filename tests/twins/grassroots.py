"""Which groups become grassroots groups (docs/rules.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import number
from twins.weights import by_year, is_stable, kept


def criteria(
    history: Sequence[Row], groups: Iterable[Row], hospitals: Sequence[Row], rules: Mapping[str, Any]
) -> dict[str, dict[str, bool]]:
    """Group -> what it meets: core, cases_met, share_met, cv_met, and whether it is selected."""
    settings = rules["grassroots"]
    primary = {h["fixmedins_code"] for h in hospitals if h["level"] in settings["primary_levels"]}
    found = {}
    for group in groups:
        own = [stay for stay in history if stay["group_id"] == group["group_id"]]
        left = kept(by_year(own), rules["weights"]["trim"])
        costs = [cost for year in left.values() for cost in year]
        near = [stay for stay in own if stay["fixmedins_code"] in primary]
        # A calm group is a stable one that the number of its stays does not help.
        little = {"cv_max": settings["cv_max"], "min_cases": 0, "both": True}
        met = {
            "core": group["layer"] != "comprehensive",
            "cases_met": len(own) >= settings["min_cases"],
            "share_met": bool(own) and Fraction(len(near), len(own)) >= number(settings["share_min"]),
            "cv_met": is_stable(len(own), costs, little),
        }
        found[group["group_id"]] = {**met, "selected": all(met.values())}
    return found
