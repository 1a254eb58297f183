"""Smallest records and single changes: by hand, and against plain Python for any engine."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.catalogs import load_catalog
from fenzhi.comparison import find_changes, reduce_records
from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.policy import load_policy

Record = dict[str, Any]
SCHEMA = {
    "setl_id": pl.String(),
    "diag_codes": pl.List(pl.String()),
    "oprn_codes": pl.List(pl.String()),
    "gend": pl.Int8(),
    "age": pl.Int16(),
    "nwb_age": pl.Int32(),
    "nwb_bir_wt": pl.Int32(),
}
FIGURES = ("gend", "age", "nwb_age", "nwb_bir_wt")


def frame(records: list[Record]) -> pl.DataFrame:
    rows = [{"setl_id": f"S{i}", **dict.fromkeys(FIGURES), **record} for i, record in enumerate(records)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def records_of(table: pl.DataFrame) -> list[Record]:
    return [{name: row[name] for name in SCHEMA if name != "setl_id"} for row in table.to_dicts()]


@pytest.fixture(scope="module")
def dip():
    compiled = compile_catalog(load_catalog("demonstration-3.0"), load_policy("national-dip-3.0").grouping)
    return lambda stays: group_dip(stays, compiled).frame


def test_only_what_our_answer_needs_remains(dip):
    stays = frame(
        [
            # Appendicitis with its operation: nothing else matters.
            {
                "diag_codes": ["K35.800", "I10.x00", "E11.900"],
                "oprn_codes": ["47.0100", "54.1100"],
                "gend": 1,
                "age": 50,
            },
            # Chemotherapy needs the tumour among the other diagnoses, and its operation.
            {
                "diag_codes": ["Z51.102", "I10.x00", "C34.900"],
                "oprn_codes": ["99.2503"],
                "gend": 2,
                "age": 60,
            },
            {"diag_codes": ["X99.999", "I10.x00"], "oprn_codes": ["47.0100"], "age": 3},
        ]
    )
    before = dip(stays)
    smallest = reduce_records(stays, dip)
    assert before["group_id"].to_list()[2] is None
    assert smallest.select("setl_id", "diag_codes", "oprn_codes").rows() == [
        ("S0", ["K35.800"], ["47.0100"]),
        ("S1", ["Z51.102", "C34.900"], ["99.2503"]),
        ("S2", ["X99.999"], []),
    ]
    assert smallest.select(pl.all_horizontal(pl.col(FIGURES).is_null())).to_series().all()
    assert smallest.schema == stays.schema
    assert dip(smallest)["group_id"].to_list() == before["group_id"].to_list()


def test_the_first_single_change_that_gives_the_wanted_group(dip):
    chemo = {"diag_codes": ["Z51.102", "I10.x00", "C34.900"], "oprn_codes": ["99.2503"], "gend": 2, "age": 60}
    swapped = {"diag_codes": ["I10.x00", "K35.800"], "oprn_codes": ["47.0100"], "gend": 1, "age": 60}
    wanted = dip(
        frame(
            [
                chemo | {"diag_codes": ["Z51.102", "I10.x00"]},
                chemo | {"oprn_codes": []},
                swapped | {"diag_codes": ["K35.800", "I10.x00"]},
            ]
        )
    )["group_id"]
    stays = frame([chemo, chemo, swapped, chemo])
    assert dip(stays)["group_id"].to_list()[0] not in wanted.to_list()
    wanted = pl.concat([wanted, pl.Series("group_id", ["no such group"])])
    assert find_changes(stays, wanted, dip).rows() == [
        ("without_diagnosis", 3, "C34.900"),
        ("without_operation", 1, "99.2503"),
        ("diagnosis_as_principal", 2, "K35.800"),
        (None, None, None),
    ]


def test_nothing_to_reduce(dip):
    none = frame([]).clear()
    assert reduce_records(none, dip).equals(none)
    assert find_changes(none, pl.Series([], dtype=pl.String), dip).shape == (0, 3)


def rule(record: Record) -> str | None:
    """A made-up grouper with what makes reducing hard: order, presence, parity and figures count."""
    principal, *others = record["diag_codes"]
    operations = record["oprn_codes"]
    if record["age"] is None and principal == "P":
        return None
    if operations and operations[0] == "x":
        return "X2" if "c" in others else "X1"
    if {"y", "z"} <= set(operations):
        return "YZ"
    if others.count("c") % 2:
        return f"odd-{principal}" if record["nwb_bir_wt"] is None else "small"
    return principal if len(operations) % 2 else f"{principal}-"


def toy(stays: pl.DataFrame) -> pl.DataFrame:
    found = [rule(record) for record in records_of(stays)]
    return pl.DataFrame(
        {
            "outcome": ["ungrouped" if group is None else "grouped" for group in found],
            "group_id": pl.Series(found, dtype=pl.String),
            "reason": pl.Series(["age" if group is None else None for group in found], dtype=pl.String),
        }
    )


def single_removals(record: Record) -> list[Record]:
    diagnoses, operations = record["diag_codes"], record["oprn_codes"]
    out = [record | {"diag_codes": diagnoses[:i] + diagnoses[i + 1 :]} for i in range(1, len(diagnoses))]
    out += [record | {"oprn_codes": operations[:i] + operations[i + 1 :]} for i in range(len(operations))]
    return out + [record | {name: None} for name in FIGURES if record[name] is not None]


def is_part(small: list[str], large: list[str]) -> bool:
    rest = iter(large)
    return all(code in rest for code in small)


RECORDS = st.fixed_dictionaries(
    {
        "diag_codes": st.tuples(st.sampled_from("PQ"), st.lists(st.sampled_from("cdP"), max_size=4)).map(
            lambda codes: [codes[0], *codes[1]]
        ),
        "oprn_codes": st.lists(st.sampled_from("xyzw"), max_size=4),
        "gend": st.sampled_from([1, 2, None]),
        "age": st.sampled_from([0, 40, None]),
        "nwb_age": st.sampled_from([3, None]),
        "nwb_bir_wt": st.sampled_from([1800, None]),
    }
)


@settings(deadline=None, max_examples=40)
@given(st.lists(RECORDS, min_size=1, max_size=8))
def test_a_reduction_is_a_part_with_the_same_answer_that_no_single_removal_makes_smaller(records):
    smallest = records_of(reduce_records(frame(records), toy))
    assert len(smallest) == len(records)
    for small, record in zip(smallest, records, strict=True):
        # So it still differs from any other answer, such as the official one.
        assert rule(small) == rule(record)
        assert small["diag_codes"][0] == record["diag_codes"][0]
        assert is_part(small["diag_codes"], record["diag_codes"])
        assert is_part(small["oprn_codes"], record["oprn_codes"])
        assert all(small[name] in (None, record[name]) for name in FIGURES)
        assert [r for r in single_removals(small) if rule(r) == rule(record)] == []


def first_change(record: Record, wanted: str | None) -> tuple[str | None, int | None, str | None]:
    diagnoses, operations = record["diag_codes"], record["oprn_codes"]
    tries = [
        *(
            ("without_diagnosis", i, record | {"diag_codes": diagnoses[:i] + diagnoses[i + 1 :]})
            for i in range(1, len(diagnoses))
        ),
        *(
            ("without_operation", i, record | {"oprn_codes": operations[:i] + operations[i + 1 :]})
            for i in range(len(operations))
        ),
        *(
            (
                "operation_as_main",
                i,
                record | {"oprn_codes": [operations[i], *operations[:i], *operations[i + 1 :]]},
            )
            for i in range(1, len(operations))
        ),
        *(
            (
                "diagnosis_as_principal",
                i,
                record | {"diag_codes": [diagnoses[i], *diagnoses[:i], *diagnoses[i + 1 :]]},
            )
            for i in range(1, len(diagnoses))
        ),
    ]
    for change, i, changed in tries:
        if rule(changed) == wanted:
            return change, i + 1, (operations if "operation" in change else diagnoses)[i]
    for name in FIGURES:
        if record[name] is not None and rule(record | {name: None}) == wanted:
            return "without_figure", None, name
    return None, None, None


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(RECORDS, st.sampled_from(["X1", "X2", "YZ", "P", "P-", "odd-P", "small", None])),
        min_size=1,
        max_size=8,
    )
)
def test_changes_are_those_that_plain_trying_finds(pairs):
    wanted = pl.Series([group for _, group in pairs], dtype=pl.String)
    got = find_changes(frame([record for record, _ in pairs]), wanted, toy).rows()
    assert got == [first_change(record, group) for record, group in pairs]
