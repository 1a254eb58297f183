"""Add-ons: which operations earn them, what they are worth, where they are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from worked import banded, policy, weights

from fenzhi.grouping.add_ons import mark_add_ons
from fenzhi.pipeline import run
from fenzhi.pipeline.explain import explain_stay
from fenzhi.points import score
from fenzhi.policy.add_ons import AddOns
from golden.small_region import POLICY, write_region

ROBOT = {"name": "robot", "operations": ["17.4200", "17.4300x001"], "points": "12.5"}
JOINT = {"name": "joint", "operations": ["47.0100", "54.5100"], "match": "all", "share": "0.1", "cap": "8"}
OPENING = pl.DataFrame({"pool": ["E"], "opening_value_e4": [50_000]})


def marked(rules: dict[str, Any], *operations: list[str]) -> list[list[int] | None]:
    stays = pl.DataFrame({"oprn_codes": list(operations)}, schema={"oprn_codes": pl.List(pl.String)})
    return mark_add_ons(stays, AddOns.model_validate(rules)).to_list()


def points(rules: dict[str, Any], earned: list[int], **stay: Any) -> tuple[Any, ...]:
    row = {
        "outcome": "grouped",
        "reason": None,
        "group_idx": 0,
        "fixmedins_code": "H1",
        "pool": "E",
        "cost_fen": 50_000,
        "_add_ons": earned,
        **stay,
    }
    types = {"group_idx": pl.Int32, "reason": pl.String, "_add_ons": pl.List(pl.Int32)}
    measured = weights([{"rw_e4": 1_000_000, "last_mean_fen": 100_000}], coefficients=[("H1", "3", 12_000)])
    bands = banded({"upto": "0.6", "points": "ratio"}, {"above": "0.6", "points": "normal"})
    sections = policy(add_ons=rules, deviation=bands)
    got = score(pl.DataFrame([row], schema_overrides=types), measured, sections, pl.Series([False]), OPENING)
    return got.select("points_base_e4", "add_ons", "add_on_e4", "points_e4").row(0)


def test_any_of_the_operations_and_their_extensions() -> None:
    found = marked(
        {"items": [ROBOT]},
        ["17.4200"],
        ["47.0100", "17.4200x003"],
        ["17.4300"],
        ["17.4300x001"],
        [],
        ["47.0100"],
    )
    assert found == [[0], [0], None, [0], None, None]


def test_joint_operations_must_all_be_there() -> None:
    found = marked({"items": [ROBOT, JOINT]}, ["47.0100", "47.0100"], ["54.5100x001", "17.4200", "47.0100"])
    assert found == [None, [0, 1]]


# S = 100, h = 1.2; half the mean: 120 x 0.5 = 60 after deviation. 12.5 points; a tenth of 100, at most 8.
def test_add_ons_come_last_and_know_neither_coefficient_nor_deviation() -> None:
    rules = {"items": [ROBOT, JOINT]}
    assert points(rules, [0]) == (1_200_000, "robot", 125_000, 725_000)
    assert points(rules, [0, 1]) == (1_200_000, "robot|joint", 205_000, 805_000)
    assert points(rules, []) == (1_200_000, None, None, 600_000)


def test_a_cap_for_all_add_ons_of_a_stay() -> None:
    assert points({"items": [ROBOT, JOINT], "cap": "15"}, [0, 1])[2:] == (150_000, 750_000)


def test_stays_without_a_group_earn_none() -> None:
    # 500 / 10,000 x 1000 x 0.7 = 35.
    got = points({"items": [ROBOT]}, [0], outcome="ungrouped", group_idx=-1)
    assert got == (350_000, None, None, 350_000)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"items": [{"name": "a", "operations": ["1"]}]}, "'a' needs points or a share, one of them"),
        ({"items": [{**ROBOT, "share": "1"}]}, "'robot' needs points or a share, one of them"),
        ({"items": [{**JOINT, "operations": ["1", "1"]}]}, "'joint' asks for operations together"),
        ({"items": [ROBOT, ROBOT]}, "two add-ons have the same name"),
    ],
)
def test_messages(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AddOns.model_validate(rules)


def test_a_year_sums_and_explains_them(tmp_path: Path) -> None:
    section = """
[add_ons]
cite = "示例"
[[add_ons.items]]
name = "joint"
title = "联合手术"
operations = ["47.0100", "54.5100"]
match = "all"
share = 0.01
"""
    folder = write_region(tmp_path)
    (folder / "policy.toml").write_text(POLICY + section, encoding="utf-8")
    done = run(folder, reports=False)
    # s02 has both; RW 2,000: 960 + 20. Nobody else has.
    cases = done.tables["cases"].filter(pl.col("add_ons").is_not_null())
    assert cases.select("setl_id", "add_ons", "add_on_e4", "points_e4").rows() == [
        ("s02", "joint", 200_000, 9_800_000)
    ]
    assert done.tables["hospitals"].filter(fixmedins_code="H1", pool="E")["add_on_e4"].to_list() == [200_000]
    step = explain_stay(done.folder, "s02").steps
    found = next(one for one in step if one.en == "add-ons")
    assert "联合手术" in found.formula
    assert found.cite == "示例 [sample]"
