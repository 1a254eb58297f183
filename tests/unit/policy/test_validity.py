"""One pack for every day: gaps, overlaps, and the pack of each stay by its discharge."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.errors import PolicyError
from fenzhi.policy.models import Policy
from fenzhi.policy.validity import policy_of, same_rules, validity, validity_errors


def pack(name: str, first: str | None, last: str | None, **more) -> Policy:
    meta = {"id": name, "title": name, "scheme": "dip", "version": "1", "valid_from": first, "valid_to": last}
    return Policy.model_validate(
        {"meta": meta, "deviation": {"bands": [{"name": "all", "points": "normal"}]}, **more}
    )


A = pack("a", "2025-01-01", "2025-06-30")
B = pack("b", "2025-07-01", "2025-12-31")
OPEN = pack("open", None, None)
YEAR = (date(2025, 1, 1), date(2025, 12, 31))


def said(*packs: Policy, days: tuple[date, date] | tuple[()] = ()) -> list[tuple[str, str]]:
    return [(error.code, error.message) for error in validity_errors(packs, *days)]


@pytest.mark.parametrize("packs", [(A, B), (B, A), (OPEN,), (A, pack("b", "2025-07-01", None))])
def test_packs_that_meet_are_no_fault(packs):
    assert said(*packs) == said(*packs, days=YEAR) == []


def test_gaps_and_overlaps_name_packs_and_days():
    late = pack("late", "2025-07-03", None)
    early = pack("early", "2025-06-30", None)
    assert said(A, late) == [("POLICY_GAP", "no pack holds from 2025-07-01 to 2025-07-02")]
    assert said(A, early) == [("POLICY_OVERLAP", "two packs hold from 2025-06-30 to 2025-06-30: a and early")]
    assert said(OPEN, pack("x", "2024-01-01", None)) == [
        ("POLICY_OVERLAP", "two packs hold from 2024-01-01 without end: open and x")
    ]


def test_the_days_asked_for_must_be_covered_and_no_others():
    assert said(B, days=YEAR) == [("POLICY_GAP", "no pack holds from 2025-01-01 to 2025-06-30")]
    assert said(A, days=YEAR) == [("POLICY_GAP", "no pack holds from 2025-07-01 to 2025-12-31")]
    old, new = pack("old", "2020-01-01", "2023-12-31"), pack("new", "2027-01-01", None)
    assert said(old, A, B, new, days=YEAR) == []
    assert said(old, new, days=YEAR) == [("POLICY_GAP", "no pack holds from 2025-01-01 to 2025-12-31")]


def test_each_stay_gets_the_pack_of_its_discharge():
    ends = [datetime(2025, 6, 30, 23, 59, 59), datetime(2025, 7, 1), None, datetime(2025, 1, 1)]
    stays = pl.DataFrame({"dscg_time": ends}, schema={"dscg_time": pl.Datetime("us")})
    found = policy_of(stays, (B, A))
    assert (found.to_list(), found.dtype) == ([1, 0, None, 1], pl.UInt32)
    assert policy_of(stays.clear(), (A,)).to_list() == []


def test_a_stay_without_pack_or_with_two_is_refused():
    stays = pl.DataFrame({"dscg_time": [datetime(2025, 12, 31), datetime(2026, 1, 1)]})
    for packs, code in (((A, B), "POLICY_GAP"), ((OPEN, B), "POLICY_OVERLAP")):
        with pytest.raises(PolicyError) as caught:
            policy_of(stays, packs)
        assert caught.value.code == code
        assert caught.value.remedy


@given(
    starts=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    lengths=st.lists(st.integers(0, 40), min_size=4, max_size=4),
    days=st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted),
)
def test_packs_are_refused_exactly_when_a_day_has_none_or_two(starts, lengths, days):
    zero = date(2025, 1, 1)
    spans = [(start, start + length) for start, length in zip(starts, lengths, strict=False)]
    packs = [
        pack(f"p{n}", str(zero + timedelta(a)), str(zero + timedelta(b))) for n, (a, b) in enumerate(spans)
    ]
    first, last = (zero + timedelta(day) for day in days)
    counts = [sum(a <= day <= b for a, b in spans) for day in range(days[0], days[1] + 1)]
    errors = validity_errors(packs, first, last)
    assert ("POLICY_GAP" in {error.code for error in errors}) == (0 in counts)
    assert ("POLICY_OVERLAP" in {error.code for error in errors}) == (max(counts) > 1)


def test_validity_in_words_and_packs_that_pay_alike():
    assert validity(A) == "2025-01-01 – 2025-06-30"
    assert (validity(OPEN), validity(pack("x", "2025-01-01", None))) == ("–", "2025-01-01 –")
    assert same_rules(A, B)
    assert same_rules(A, pack("c", None, None, points={"cite": "elsewhere"}))
    assert not same_rules(A, pack("c", None, None, points={"decimals": 2}))
