"""Reading ahead: in order, one at a time, one ahead, errors in their turn."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, get_ident

import pytest

from fenzhi.pipeline.ahead import ahead


def test_results_come_in_the_order_asked_for() -> None:
    assert list(ahead([lambda: "2024", lambda: "2025", lambda: "2026"])) == ["2024", "2025", "2026"]
    assert list(ahead([])) == []


def test_the_next_one_runs_while_the_one_before_is_worked_on() -> None:
    begun = [Event() for _ in range(3)]

    def read(at: int) -> Callable[[], tuple[int, int]]:
        def work() -> tuple[int, int]:
            begun[at].set()
            return at, get_ident()

        return work

    results = ahead([read(0), read(1), read(2)])
    at, thread = next(results)
    assert at == 0
    assert thread != get_ident()
    assert begun[1].wait(10)
    # Not more than one ahead: the third waits until the second is asked for.
    assert not begun[2].is_set()
    assert next(results)[0] == 1
    assert begun[2].wait(10)


def test_an_error_is_raised_in_its_turn() -> None:
    def fails() -> int:
        raise ValueError("the second file is torn")

    results = ahead([lambda: 1, fails, lambda: 3])
    assert next(results) == 1
    with pytest.raises(ValueError, match="the second file is torn"):
        next(results)
    assert list(results) == []
