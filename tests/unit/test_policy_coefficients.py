"""Forms of institution coefficients: which keys belong to which form; the section on grassroots groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from fenzhi.policy.check import check_layers
from fenzhi.policy.coefficients import Coefficients
from fenzhi.policy.grassroots import Grassroots
from fenzhi.policy.layers import Layer

ITEM = {"name": "CMI"}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"form": "basic_bonus"}, "basic_bonus needs items"),
        ({"form": "product"}, "product needs items or levels"),
        ({"form": "product", "items": [{**ITEM, "weight": "0.5"}]}, "factors of a product have no weight"),
        ({"form": "product", "levels": {"3": "1.23456"}}, "decimal"),
        ({"form": "group"}, "needs level_order"),
        ({"form": "group", "level_order": ["1", "1"]}, "names a level twice"),
        ({"form": "basic_bonus", "items": [ITEM, ITEM]}, "two items have the same name"),
        ({"form": "basic_bonus", "items": [{"name": ""}]}, "at least 1 character"),
        ({"form": "basic_bonus", "items": [{**ITEM, "weight": -1}]}, "greater than or equal to 0"),
        ({"form": "basic_bonus", "items": [{**ITEM, "default": "0.00001"}]}, "decimal"),
        ({"floor": "1.2", "cap": "1.1"}, "floor is above cap"),
    ],
)
def test_coefficients_refuse(given, match):
    with pytest.raises(ValidationError, match=match):
        Coefficients.model_validate(given)


def test_per_group_without_levels_needs_no_order():
    assert Coefficients.model_validate({"form": "group", "by": ["type"]}).level_order == ()


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"coefficient": 0}, "greater than 0"),
        ({"coefficient": "1.00001"}, "decimal"),
        ({"share_min": "1.5"}, "less than or equal to 1"),
        ({"min_cases": 0}, "greater than or equal to 1"),
        ({"cv_max": 0}, "greater than 0"),
    ],
)
def test_grassroots_refuse(given, match):
    with pytest.raises(ValidationError, match=match):
        Grassroots.model_validate(given)


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ({"items": [ITEM], "levels": {"3": 1}, "level_order": ["1"]}, ["items", "levels", "level_order"]),
        ({"form": "product", "items": [ITEM], "min_cases": 3, "by": ["level"]}, ["by", "min_cases"]),
        ({"form": "group", "level_order": ["1"], "cost_years": 2}, ["cost_years"]),
    ],
)
def test_keys_of_other_forms_are_found_to_be_idle(section, keys):
    data = {
        "meta": {"id": "p", "title": "t", "scheme": "dip", "version": "1"},
        "coefficients": {"cite": "x", **section},
        "deviation": {"cite": "x", "bands": [{"name": "all", "points": "normal"}]},
    }
    findings, policy = check_layers([Layer(Path("p.toml"), data, {})])
    assert policy is not None
    assert [f.error.field for f in findings] == [f"coefficients.{key}" for key in keys]
    assert {f.error.code for f in findings} == {"POLICY_UNUSED"}
