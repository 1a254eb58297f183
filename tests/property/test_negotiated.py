"""Any negotiation: the total is kept as exactly as it goes, by the rules, and in no order but that of the rules."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.weights.negotiated import negotiate
from twins.engine import overrides_of
from twins.profile import examples
from twins.weights import RefusedError
from twins.weights import negotiated as twin

GROUPS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(1, 3_000_000)), st.integers(0, 60)), min_size=2, max_size=30
)
FIXED = st.dictionaries(st.integers(0, 29), st.integers(1, 3_000_000), min_size=1, max_size=3)
DECIMALS = st.sampled_from([4, 4, 4, 2, 0])


def negotiated(rows, fixed, decimals):
    names = [f"G{at:02d}" for at in range(len(rows))]
    frame = pl.DataFrame(rows, schema={"rw_e4": pl.Int64, "history_cases": pl.Int64}, orient="row")
    overrides = {names[at]: weight for at, weight in fixed.items() if at < len(rows)}
    assume(overrides)
    groups = {name: {"rw_e4": rw, "history_cases": n} for name, (rw, n) in zip(names, rows, strict=True)}
    try:
        twin(groups, overrides, decimals)
    except RefusedError:
        assume(False)
    found, done = negotiate(frame, pl.Series(names), overrides_of(overrides), 10 ** (4 - decimals))
    assert found["rw_e4"].to_list() == [group["rw_e4"] for group in groups.values()]
    return names, overrides, found, done


@examples(150)
@given(GROUPS, FIXED, DECIMALS)
def test_the_total_is_kept_but_for_less_than_one_more_step_would_move(rows, fixed, decimals):
    names, overrides, found, done = negotiated(rows, fixed, decimals)
    step = 10 ** (4 - decimals)
    new = found["rw_e4"].to_list()
    assert done.total_e4 == sum((rw or 0) * n for rw, n in rows)
    assert done.left_e4 == done.total_e4 - sum((rw or 0) * n for rw, (_, n) in zip(new, rows, strict=True))
    up, down, small = [], [], False
    for name, weight, (rw, n) in zip(names, new, rows, strict=True):
        if name in overrides or rw is None:
            assert weight == overrides.get(name)
            continue
        exact = rw * done.factor
        assert abs(weight - exact) < step
        small |= exact < step
        if n:
            (up if weight > exact else down).append(n)
    if small:
        return
    if done.left_e4 >= 0:
        assert 2 * done.left_e4 <= step * min(down) if down else done.left_e4 < step
    else:
        assert 2 * -done.left_e4 < step * max(up)


@examples(60)
@given(st.lists(st.tuples(st.integers(10_000, 3_000_000), st.integers(1, 60)), min_size=60, max_size=90))
def test_with_groups_of_all_sizes_nothing_is_left(rows):
    """A region has groups of many sizes, so some pair makes up the last rest."""
    rows = [*rows, *((12_345 + 678 * n, n) for n in range(1, 61))]
    total = sum(rw * n for rw, n in rows)
    weight = int(Fraction(rows[0][0]) * Fraction(9, 10))
    assume(weight != rows[0][0])
    _, _, _, done = negotiated(rows, {0: weight}, 4)
    assert (done.total_e4, done.left_e4) == (total, 0)
