"""The golden cases of every shipped policy pack, in ``pack_cases.csv``: input, output, why.

``points``: weight S, coefficient h, cost and what it is compared with (mean of last year, or opening point value) in
yuan -> band and points. ``top``: how many of n such stays, each a fen dearer than the one before, are paid directly
as the most expensive. ``ungrouped``, ``bed_day``: points. ``group``: the group a stay finds in the catalogue below.
``level``: the auxiliary level in a family; ``diag`` principal diagnosis first, ``mean`` of the group, ``icu`` in hours.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import DipCatalog
from fenzhi.codes import read_comorbidity, read_table
from fenzhi.grouping import compile_catalog, group_frame
from fenzhi.money import to_e4
from fenzhi.points import score
from fenzhi.policy import load_policy, policies_dir
from fenzhi.policy.models import Policy
from fenzhi.shipped import shipped_dir
from fenzhi.weights.levels import level_name, mark_levels, with_levels
from unit.worked import catalog, row, stays, weights

FILE = Path(__file__).parent / "pack_cases.csv"
CASES = read_table(FILE).with_columns(pl.all().fill_null("")).rows(named=True)
MEANS = {"CORE-THER": 500_000, "GRASS-SURG": 1_200_000}


def small() -> DipCatalog:
    """A catalogue in which a stay may fit a core, a grassroots and a comprehensive group at once."""
    return catalog(
        row("CORE-THER", "K35.8", "any_operation", main_oprn="99.2501"),
        row("GRASS-SURG", "K35.8", "operation", main_oprn="47.0100", grassroots=True),
        row("CORE-ANY", "J18.9", "any"),
        row("COMP-SURG-K", "K35", "surgery", layer="comprehensive"),
        row("COMP-SURG-J", "J18", "surgery", layer="comprehensive"),
        row("COMP-SURG", "I25", "surgery", layer="comprehensive"),
        row("COMP-THER", "I25", "therapeutic", layer="comprehensive"),
        row("COMP-DIAG", "I25", "diagnostic", layer="comprehensive"),
        operations={
            "47.0100": "surgery",
            "99.2501": "therapeutic",
            "36.0700": "interventional",
            "88.5500": "diagnostic",
        },
    )


def _given(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split())


def _fen(yuan: str) -> int:
    return to_e4(yuan) // 100


def _grouped(policy: Policy, given: dict[str, str]) -> str:
    found = small()
    means = [MEANS.get(name, 100_000) for name in found.groups["group_id"]]
    table = pl.DataFrame({"rw_e4": [10_000] * len(means), "mean_cost_fen": means})
    oprn = given["oprn"].replace("+", "|")
    stay = stays({"diag": given["diag"], "oprn": oprn, "medfee_sumamt_fen": _fen(given["cost"])})
    grouped = group_frame(stay, compile_catalog(found, policy.grouping, table))
    return str(grouped.frame["group_id"][0])


def _scored(policy: Policy, kind: str, given: dict[str, str]) -> pl.DataFrame:
    """Score one stay, or n of them."""
    mean = _fen(given["mean"]) if "mean" in given else None
    measured = weights(
        [{"rw_e4": to_e4(given.get("S", "1")), "last_mean_fen": mean}],
        coefficients=[("H1", "3", to_e4(given.get("h", "1")))],
        mean_fen=mean or 1_000_000,
    )
    stay = {
        "setl_id": "S",
        "outcome": {"points": "grouped", "top": "grouped"}.get(kind, kind),
        "reason": None,
        "group_idx": 0 if kind in ("points", "top") else -1,
        "fixmedins_code": "H1",
        "pool": "E",
        "cost_fen": _fen(given.get("cost", "0")),
        "dscg_way": int(given.get("way", "1")),
        "act_ipt_days": int(given.get("days", "5")),
        "readmitted_days": int(given["readmitted"]) if "readmitted" in given else None,
    }
    types = {
        "reason": pl.String,
        "group_idx": pl.Int32,
        "act_ipt_days": pl.Int32,
        "readmitted_days": pl.Int32,
    }
    value = to_e4(given["value"]) if "value" in given else None
    opening = pl.DataFrame(
        {"pool": ["E"], "opening_value_e4": [value]}, schema_overrides={"opening_value_e4": pl.Int64}
    )
    rows = [
        {**stay, "setl_id": f"S{at}", "cost_fen": stay["cost_fen"] + at}
        for at in range(int(given.get("n", "1")))
    ]
    frame = pl.DataFrame(rows, schema_overrides=types)
    return score(frame, measured, policy, pl.Series([False]), opening)


def _level(policy: Policy, given: dict[str, str]) -> str:
    rules = policy.auxiliary
    assert rules is not None
    lists = read_comorbidity(shipped_dir() / "comorbidity" / f"{rules.comorbidity}.csv")
    stay = {
        "diag_codes": given.get("diag", "K35.8").split("+"),
        "dscg_way": int(given.get("way", "1")),
        "act_ipt_days": int(given.get("days", "5")),
        "age": int(given.get("age", "40")),
        "nwb_age": int(given["age_days"]) if "age_days" in given else None,
        "icu_hours": float(given.get("icu", "0")),
        "cost_fen": _fen(given.get("cost", "10000")),
        "medfee_sumamt_fen": _fen(given.get("cost", "10000")),
        "treat_fee_fen": _fen(given.get("treat", "0")),
        "drug_fee_fen": _fen(given.get("drug", "0")),
        "group_idx": 0,
    }
    frame = pl.DataFrame([stay], schema_overrides={"nwb_age": pl.Int32})
    frame = frame.with_columns(mark_levels(frame, rules, lists))
    place, family = next((at, one) for at, one in enumerate(rules.families) if one.name == given["family"])
    found = with_levels(frame, rules, pl.Series([_fen(given.get("mean", "10000"))]))
    return rules.level_names(family)[found[level_name(place)][0]]


@pytest.mark.parametrize("case", CASES, ids=[f"{c['pack']}: {c['input']}" for c in CASES])
def test_case(case: dict[str, str]) -> None:
    policy, given = load_policy(case["pack"]), _given(case["input"])
    if case["kind"] == "group":
        assert _grouped(policy, given) == case["output"], case["why"]
        return
    if case["kind"] == "level":
        assert _level(policy, given) == case["output"], case["why"]
        return
    scored = _scored(policy, case["kind"], given)
    if case["kind"] == "top":
        top = scored.tail(int(case["output"].split()[0]))
        assert top["deviation"].to_list() == ["top"] * top.height, case["why"]
        assert (scored["paid_directly"] == "deviation").sum() == top.height, case["why"]
        assert f"{top.height} of {scored.height}" == case["output"]
        return
    got = scored.row(0, named=True)
    *band, points = case["output"].split()
    assert got["points_e4"] == to_e4(points), case["why"]
    assert got["deviation"] == (band[0] if band else None)


def test_every_shipped_pack_has_cases() -> None:
    assert {case["pack"] for case in CASES} == {path.stem for path in policies_dir().glob("*.toml")}


def test_every_pack_says_how_sure_each_of_its_sections_is() -> None:
    for name in {case["pack"] for case in CASES}:
        policy = load_policy(name)
        for section in (
            "scope",
            "ungrouped",
            "weights",
            "coefficients",
            "deviation",
            "point_value",
            "settlement",
        ):
            assert getattr(policy, section).cite, (name, section)
