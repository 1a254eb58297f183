"""One pack for every day: gaps, overlaps, and the pack of each stay by its discharge."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.policy.models import Policy
from fenzhi.policy.validity import same_rules, validity, validity_errors, year_errors


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


def test_what_a_year_has_one_rule_for():
    def errors(*packs: Policy) -> list[tuple[str, str | None]]:
        return [(error.code, error.field) for error in year_errors(packs)]

    assert errors(A) == errors(A, B) == []
    # What one stay is worth may change: every section that looks at a stay.
    changed = pack(
        "c", None, None, scope={"max_los_days": 60}, ungrouped={"factor": "0.5"}, weights={"decimals": 2}
    )
    assert errors(A, changed) == []
    cases = {
        "weights.scale": {"weights": {"scale": 100}},
        "points.decimals": {"points": {"decimals": 2}},
        "point_value": {"point_value": {"settlement": "difference"}},
        "settlement": {"settlement": {"advance_ratio": "0.8"}},
    }
    for field, sections in cases.items():
        assert errors(A, pack("c", None, None, **sections)) == [("POLICY_YEAR", field)]
    [error] = year_errors([A, pack("c", None, None, settlement={"advance_ratio": "0.8"})])
    assert error.message == "the packs a and c differ in settlement, and one year has one rule there"
    # Sources are no rules.
    assert errors(A, pack("c", None, None, settlement={"cite": "elsewhere"})) == []


def test_special_review_may_begin_within_the_year_with_one_quota():
    criteria = {"criteria": [{"name": "long", "los_above_days": 60}]}
    new = pack("new", None, None, special_review={**criteria, "quota": "0.005"})
    other = pack("other", None, None, special_review={**criteria, "quota": "0.01", "match": "all"})
    assert year_errors([A, new]) == []
    assert [error.field for error in year_errors([A, new, other])] == ["special_review.quota"]
