"""The golden cases of the demonstration catalogue: grouped, explained, in any order and spelling."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import load_catalog
from fenzhi.codes import read_table
from fenzhi.grouping import CompiledDip, compile_catalog, group_dip
from fenzhi.grouping.explain_dip import ANSWERS, GroupingTrace, trace
from fenzhi.policy import load_policy

CASES = Path(__file__).parent / "dip_demonstration_cases.csv"
EXPECTED = ["setl_id", "outcome", "layer", "group_id", "reason"]


def _codes(name: str) -> pl.Expr:
    return pl.col(name).fill_null("").str.split("|").list.filter(pl.element() != "")


@pytest.fixture(scope="module")
def cases() -> pl.DataFrame:
    """The cases as stays, with what is expected of each."""
    return read_table(CASES).with_columns(
        _codes("diag_codes"),
        _codes("oprn_codes"),
        pl.col("age", "nwb_age").cast(pl.Int16),
        pl.col("nwb_bir_wt").cast(pl.Int32),
    )


@pytest.fixture(scope="module")
def compiled() -> CompiledDip:
    """The demonstration catalogue under the national rules."""
    return compile_catalog(load_catalog("demonstration-3.0"), load_policy("national-dip-3.0").grouping)


@pytest.fixture(scope="module")
def traces(cases: pl.DataFrame, compiled: CompiledDip) -> list[GroupingTrace]:
    """Every case explained, one by one."""
    return [trace(part, compiled) for part in cases.iter_slices(1)]


def _found(stays: pl.DataFrame, compiled: CompiledDip) -> list[tuple[str | None, ...]]:
    frame = group_dip(stays, compiled).frame
    return frame.select(pl.col(EXPECTED).cast(pl.String)).rows()


def test_every_case_finds_its_group(cases: pl.DataFrame, compiled: CompiledDip) -> None:
    expected = cases.select(EXPECTED).rows()
    found = _found(cases, compiled)
    assert cases.height > 150
    wrong = [(got, want) for got, want in zip(found, expected, strict=True) if got != want]
    assert wrong == []


def test_the_order_of_cases_does_not_matter(cases: pl.DataFrame, compiled: CompiledDip) -> None:
    shuffled = cases.sample(fraction=1, shuffle=True, seed=7)
    assert _found(shuffled, compiled) == shuffled.select(EXPECTED).rows()


def test_the_explanation_of_every_case_has_the_same_winner(
    cases: pl.DataFrame, compiled: CompiledDip, traces: list[GroupingTrace]
) -> None:
    # Each is explained alone, so this also says that a case alone finds what it finds among others.
    for told, (setl_id, _, layer, group_id, reason) in zip(traces, _found(cases, compiled), strict=True):
        assert (told.group_id, told.reason) == (group_id, reason), setl_id
        winners = [(c.group_id, c.layer, c.answer) for c in told.candidates if c.wins]
        assert winners == ([(group_id, layer, "accepted")] if group_id else []), setl_id


def test_whatever_stands_before_the_winner_names_what_failed(
    compiled: CompiledDip, traces: list[GroupingTrace]
) -> None:
    layers = compiled.catalog.meta.layers
    failures: set[str] = set()
    for told in traces:
        ids = [c.group_id for c in told.candidates]
        assert len(ids) == len(set(ids))
        at = ids.index(told.group_id) if told.group_id else len(ids)
        before = told.candidates[:at]
        # Nothing that accepts the stay stands before its group, and nothing accepts a stay without one.
        assert all(c.answer != "accepted" for c in before), told
        if told.group_id:
            assert all(layers.index(c.layer) <= layers.index(told.candidates[at].layer) for c in before)
        failures |= {c.answer for c in before}
    assert failures == set(ANSWERS.values()) - {"accepted"}


def test_operations_of_a_case_are_kept_or_dropped(traces: list[GroupingTrace]) -> None:
    explained = [told for told in traces if told.candidates]
    assert len(explained) > 100
    for told in explained:
        assert set(told.effective) | set(told.dropped) == set(told.operations)
        assert not set(told.effective) & set(told.dropped)
        assert told.main_operation is None or told.main_operation in told.effective
        assert told.main_operation not in told.cannot_be_main
