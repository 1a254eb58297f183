"""What is built must work: no stay of the history is left ungrouped, and the files can be read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import catalog, stays

from fenzhi.catalogs import load_catalog, save_catalog
from twins.profile import examples

from .building import (
    ADH,
    APP,
    BASE,
    DIALYSIS,
    SCOPE,
    STENT,
    TYPES,
    build,
    cases,
    group_ids,
    grouped,
    history,
    rules,
)

DIAGNOSES = ["K35.800", "K35.801", "K35.900", "K36.x00", "N18.500", "A54.301+H13.1*", "I10"]
OPERATIONS = [APP, f"{APP}x001", ADH, DIALYSIS, STENT, SCOPE, "99.9999"]
CASE = st.fixed_dictionaries(
    {
        "diag": st.lists(st.sampled_from(DIAGNOSES), min_size=1, max_size=2).map("|".join),
        "oprn": st.lists(st.sampled_from(OPERATIONS), max_size=3).map("|".join),
        "medfee_sumamt_fen": st.integers(1, 10**6),
    }
)
EXCLUSIONS = [
    ("cannot_be_main", ADH, None),
    ("as_conservative", SCOPE, None),
    ("main_within", DIALYSIS, "N18"),
]


@examples(40)
@given(
    drawn=st.lists(CASE, min_size=1, max_size=40),
    threshold=st.integers(1, 6),
    excluding=st.booleans(),
    on_base=st.booleans(),
)
def test_a_built_catalogue_leaves_no_stay_of_its_history_ungrouped(
    drawn: list[dict[str, Any]], threshold: int, excluding: bool, on_base: bool
) -> None:
    pack = rules(threshold)
    frame = stays(*drawn)
    base = catalog(
        *(BASE.groups.to_dicts() if on_base else []),
        operations=TYPES,
        exclusions=EXCLUSIONS if excluding else None,
    )
    built = build(frame, pack, base)
    assert None not in grouped(frame, built, pack)
    assert len(set(group_ids(built))) == len(group_ids(built))
    counts = built.counts
    parts = ("base_rows_kept", "local_core_groups", "local_related_groups", "comprehensive_groups")
    assert counts["groups"] == sum(counts[name] for name in parts) == built.catalog.groups.height


def test_comprehensive_groups_by_the_highest_kind_of_all_operations() -> None:
    # The main operation is diagnostic, a further one surgery: the stay belongs to the surgical group.
    pack = rules(grouping={"comprehensive_type": "highest"})
    frame = history(cases(1, "K35.800", f"{SCOPE}|{APP}"), cases(1, "K35.800"))
    built = build(frame, pack)
    assert group_ids(built) == ["K35-1", "K35-4"]
    assert grouped(frame, built, pack) == ["K35-4", "K35-1"]


@pytest.mark.parametrize("diag", ["K35800", "K3.5", "M80000/3"])
def test_a_diagnosis_of_an_unusual_form_is_grouped_as_well(diag: str) -> None:
    frame = history(cases(3, diag))
    assert None not in grouped(frame, build(frame))
    assert None not in grouped(frame, build(frame, rules(9)))


@pytest.mark.parametrize("oprn", ["-", "无", "47.0100/54.5100"])
def test_an_operation_that_is_no_code_does_not_break_the_catalogue(oprn: str, tmp_path: Path) -> None:
    # Placeholders for "none" are usual in exports: what is built must be readable again.
    frame = history(
        cases(3, "K35.800", oprn), cases(3, "K35.800", f"{APP}|{oprn}", 9_000), cases(3, "K35.800", APP)
    )
    built = build(frame)
    save_catalog(built.catalog, tmp_path / "built")
    again = load_catalog(tmp_path / "built")
    assert again.digest == built.catalog.digest
    assert None not in grouped(frame, built)


def test_what_is_built_can_be_written_and_read(tmp_path: Path) -> None:
    built = build(history(cases(3, "K35.800", APP), cases(2, "K35.900", STENT), cases(4, "I10.x00")))
    save_catalog(built.catalog, tmp_path / "built")
    assert load_catalog(tmp_path / "built").digest == built.catalog.digest
