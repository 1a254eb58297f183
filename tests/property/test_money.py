"""Properties of money: nothing is lost, halves go up, order does not matter, equal to plain fractions."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.errors import FenzhiError
from fenzhi.money import (
    apportion,
    apportion_within,
    fen_to_yuan,
    format_e4,
    format_fen,
    ratio_half_up,
    round_half_up,
    step_of,
    to_e4,
    yuan_to_fen,
)
from twins.exact import half_up, split, step_for
from twins.profile import examples

LARGE = 10**15
AMOUNTS = st.one_of(st.integers(-30, 30), st.integers(-LARGE, LARGE))
SHARES = st.one_of(st.integers(0, 5), st.integers(0, 10**12))


@examples(200)
@given(total=AMOUNTS, shares=st.lists(SHARES, max_size=12))
def test_apportion_is_the_twins_split(total, shares):
    if sum(shares) == 0:
        if total == 0:
            assert apportion(total, shares) == [0] * len(shares)
        else:
            with pytest.raises(FenzhiError):
                apportion(total, shares)
        return
    parts = apportion(total, shares)
    assert parts == list(split(total, dict(enumerate(shares))).values())
    assert sum(parts) == total
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - Fraction(total * share, sum(shares))) < 1


@examples(100)
@given(total=AMOUNTS, shares=st.lists(st.integers(0, 9), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_equal_shares_differ_by_at_most_one_fen(total, shares, seed):
    if sum(shares):
        parts = apportion(total, shares)
        for share in set(shares):
            same = [part for part, own in zip(parts, shares, strict=True) if own == share]
            assert max(same) - min(same) <= 1
            assert sorted(same, key=abs, reverse=True) == same


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), SHARES), min_size=1, max_size=25)


@examples(200)
@given(rows=ROWS, totals=st.lists(AMOUNTS, min_size=6, max_size=6), seed=st.integers(0, 2**32 - 1))
def test_apportion_within_is_apportion_per_group_in_any_order(rows, totals, seed):
    rng = Random(seed)
    names = rng.sample([f"S{n}" for n in range(100)], len(rows))
    groups: dict[tuple[int, int], dict[str, int]] = {}
    for name, (one, two, share) in zip(names, rows, strict=True):
        groups.setdefault((one, two), {})[name] = share
    expected: dict[str, int] = {}
    for (one, two), shares in groups.items():
        expected |= split(totals[2 * one + two], shares)
    frame = pl.DataFrame(
        {
            "one": [row[0] for row in rows],
            "two": [str(row[1]) for row in rows],
            "share": [row[2] for row in rows],
            "total": [totals[2 * row[0] + row[1]] for row in rows],
            "name": names,
        },
        schema={"one": pl.Int8, "two": pl.String, "share": pl.Int64, "total": pl.Int64, "name": pl.String},
    )
    for order in (list(range(len(rows))), rng.sample(range(len(rows)), len(rows))):
        part = frame[order]
        found = apportion_within(part, "total", "share", ["one", "two"], "name")
        assert found.dtype == pl.Int64
        assert found.name == "share"
        assert found.to_list() == [expected[name] for name in part["name"]]


@examples(200)
@given(
    top=st.one_of(st.integers(-50, 50), st.integers(-(10**30), 10**30)),
    below=st.one_of(st.integers(1, 20), st.integers(1, 10**20)),
    decimals=st.integers(0, 4),
)
def test_halves_go_up_in_python_and_in_frames(top, below, decimals):
    step = step_of(decimals)
    assert step == step_for(decimals)
    expected = half_up(Fraction(top, below), step)
    assert round_half_up(Fraction(top, below), step) == expected
    assert abs(expected - Fraction(top, below)) <= Fraction(step, 2)
    if abs(expected) < 2**63:
        frame = pl.DataFrame({"top": [top], "below": [below]}, schema={"top": pl.Int128, "below": pl.Int128})
        ratio = frame.select(ratio_half_up(pl.col("top"), pl.col("below"), step)).item()
        assert ratio == expected


@examples(60)
@given(fen=AMOUNTS, decimals=st.integers(0, 4))
def test_amounts_survive_their_text(fen, decimals):
    assert yuan_to_fen(fen_to_yuan(fen)) == fen
    assert yuan_to_fen(format_fen(fen).replace(",", "")) == fen
    text = format_e4(fen, decimals).replace(",", "")
    assert to_e4(text) == half_up(fen, step_for(decimals))
