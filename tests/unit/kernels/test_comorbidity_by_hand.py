"""The kernel of the comorbidity lists: worked by hand, and against a slow twin over drawn codes and lists."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.arrays import freeze
from fenzhi.kernels.comorbidity import Listed, find_listed


class Case(NamedTuple):
    """``lists`` and ``scored``: of each code the lists it stands in, and (category, points). ``stays``: codes."""

    lists: list[list[int]]
    scored: list[list[tuple[int, int]]]
    stays: list[list[int]]


def flat(parts: list[list[Any]]) -> tuple[np.ndarray, list[Any]]:
    starts = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
    return starts, [value for part in parts for value in part]


def found(case: Case, k: int, c: int, cuts: tuple[int, ...] = ()) -> tuple[list[Any], list[Any], list[int]]:
    """Main and other (one row per list) and the score of each stay; ``cuts``: where the work is divided."""
    list_offsets, lists = flat(case.lists)
    category_offsets, pairs = flat(case.scored)
    columns = [np.array([pair[at] for pair in pairs], dtype=np.int32) for at in (0, 1)]
    listed = Listed(*freeze(list_offsets, np.array(lists, dtype=np.int32), category_offsets, *columns))
    starts, codes = flat(case.stays)
    offsets, ids = freeze(starts, np.array(codes, dtype=np.int32))
    n = len(case.stays)
    main, other = (np.zeros((k, n), dtype=np.bool_) for _ in range(2))
    score = np.zeros(n, dtype=np.int32)
    limits = [0, *cuts, n]
    for start, end in pairwise(limits):
        find_listed(start, end, offsets, ids, listed, c, main, other, score)
    return main.tolist(), other.tolist(), score.tolist()


def slow(case: Case, k: int, c: int) -> tuple[list[Any], list[Any], list[int]]:
    main = [
        [bool(stay) and stay[0] >= 0 and at in case.lists[stay[0]] for stay in case.stays] for at in range(k)
    ]
    other = [
        [any(code >= 0 and at in case.lists[code] for code in stay[1:]) for stay in case.stays]
        for at in range(k)
    ]
    score = []
    for stay in case.stays:
        pairs = [pair for code in stay[1:] if code >= 0 for pair in case.scored[code]]
        score.append(sum(max([0, *(p for at, p in pairs if at == category)]) for category in range(c)))
    return main, other, score


# Codes: 0 in list 0; 1 in lists 0 and 1, heart 1; 2 heart 2; 3 kidney 3 and heart 1; 4 in nothing.
CODES = ([[0], [0, 1], [], [], []], [[], [(0, 1)], [(0, 2)], [(1, 3), (0, 1)], []])


@pytest.mark.parametrize(
    ("stay", "main", "other", "score"),
    [
        ([], [0, 0], [0, 0], 0),
        ([4], [0, 0], [0, 0], 0),
        ([1], [1, 1], [0, 0], 0),  # the principal diagnosis has no score
        ([4, 1], [0, 0], [1, 1], 1),
        ([0, 1, 1], [1, 0], [1, 1], 1),  # the same category twice counts once
        ([4, 1, 2], [0, 0], [1, 1], 2),  # heart: 1, then 2: the highest
        ([4, 2, 1], [0, 0], [1, 1], 2),  # in whatever order
        ([4, 2, 3], [0, 0], [0, 0], 5),  # heart 2, kidney 3
        ([1, 3, 2, 0], [1, 1], [1, 0], 5),  # heart 1, then 2; kidney 3
        ([-1, 1], [0, 0], [1, 1], 1),  # no principal diagnosis: the second is still another one
        ([0, -1, 2], [1, 0], [0, 0], 2),
    ],
)
def test_one_stay(stay, main, other, score):
    # The stay between two others that stand in everything: nothing runs over from one to the next.
    full = [1, 3, 2, 1]
    got = found(Case(*CODES, [full, stay, full]), 2, 2)
    assert [row[1] for row in got[0]] == [bool(one) for one in main]
    assert [row[1] for row in got[1]] == [bool(one) for one in other]
    assert got[2] == [5, score, 5]


def test_without_lists_and_without_a_score():
    assert found(Case([[], []], [[], []], [[0, 1], []]), 0, 0) == ([], [], [0, 0])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, int, int, tuple[int, ...]]:
    k, c, d = draw(st.integers(0, 3)), draw(st.integers(0, 3)), draw(st.integers(1, 5))
    one = st.lists(st.integers(0, k - 1), unique=True) if k else st.just([])
    pair = st.tuples(st.integers(0, c - 1), st.integers(0, 6))
    scored = st.lists(pair, max_size=3) if c else st.just([])
    stay = st.lists(st.integers(-1, d - 1), max_size=5)
    stays = draw(st.lists(stay, max_size=8))
    cuts = tuple(sorted(draw(st.lists(st.integers(0, len(stays)), max_size=2))))
    each = (draw(st.lists(what, min_size=d, max_size=d)) for what in (one, scored))
    return Case(*each, stays), k, c, cuts


@given(cases())
def test_it_equals_the_slow_twin_however_the_stays_are_divided(drawn):
    case, k, c, cuts = drawn
    assert found(case, k, c, cuts) == slow(case, k, c)
