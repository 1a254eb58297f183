"""The reference pages are what the code says. FENZHI_UPDATE_DOCS=1 rewrites them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from fenzhi.policy.fields import tables_in
from fenzhi.policy.models import Policy
from fenzhi.results import FURTHER, TABLES

from .blocks import ROOT
from .reference import (
    TABLE_NOTES,
    compare_page,
    departments_page,
    policy_page,
    results_page,
    scenario_page,
    switch_page,
)
from .reference_build import built_page
from .reference_forecast import forecast_page

FOLDER = ROOT / "docs" / "reference"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("policy.md", policy_page),
        ("results.md", results_page),
        ("compare.md", compare_page),
        ("switch.md", switch_page),
        ("scenario.md", scenario_page),
        ("build.md", built_page),
        ("departments.md", departments_page),
        ("forecast.md", forecast_page),
    ],
    ids=["policy", "results", "compare", "switch", "scenario", "build", "departments", "forecast"],
)
def test_page_is_generated(name: str, page: Callable[[], str]) -> None:
    path = FOLDER / name
    if os.environ.get("FENZHI_UPDATE_DOCS") == "1":
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), f"{path} differs: run with FENZHI_UPDATE_DOCS=1"


def test_every_key_of_a_policy_is_on_the_page() -> None:
    text = policy_page()
    for name in Policy.model_fields:
        assert f"## `[{name}]`" in text or f"## `[[{name}]]`" in text
        kinds = tables_in(Policy.model_fields[name].annotation)
        for key in {key for kind in kinds for key in kind.model_fields}:
            assert f"| `{key}` |" in text or f"`{key} = " in text or key in ("cite", "confidence"), (
                f"{name}.{key}"
            )


def test_every_result_column_is_on_the_page() -> None:
    tables = {**TABLES, **FURTHER}
    assert set(TABLE_NOTES) == set(tables)
    text = results_page()
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert rows == [column.name for columns in tables.values() for column in columns]
