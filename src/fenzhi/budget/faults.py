"""What can be wrong with the budget of a pool: one fault after the other, each with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fenzhi.budget.pool import BY_DISEASE, LEFT_OVER, Change, Line, Method, PoolBudget
from fenzhi.errors import RegionError
from fenzhi.money import format_fen

#: Keys that a method needs; nothing reads the others.
METHOD_KEYS: dict[Method, tuple[str, ...]] = {
    "items": (),
    "share": ("last_by_disease", "last_total"),
    "growth": ("last_by_disease", "growth_rate"),
}
#: Yuan have fewer digits than this before the point.
MOST_YUAN = 10**13


def first_fault(pool: PoolBudget, year: int) -> RegionError | None:
    """Return the first thing that is wrong with the budget of a pool in a year, None if nothing is."""
    for found in (_lines(pool), _method(pool), _changes(pool, year), _sums(pool)):
        # Later faults are looked for only in a budget without the earlier ones.
        if (fault := next(found, None)) is not None:
            return fault
    return None


def _fault(code: str, message: str, field: str, remedy: str, value: Any = None) -> RegionError:
    return RegionError(message, code=code, file="budget.toml", field=field, value=value, remedy=remedy)


def _amount(value: Decimal | None, field: str) -> Iterator[RegionError]:
    if value is not None and (abs(value) >= MOST_YUAN or value != round(value, 2)):
        yield _fault(
            "BUDGET_VALUE", "an amount is yuan with at most two decimals", field, "correct the amount", value
        )


def _lines(pool: PoolBudget) -> Iterator[RegionError]:
    seen: set[str] = set()
    tracks: set[str] = set()
    for line in pool.lines:
        place = f"pool {pool.id}, line {line.name}"
        if line.name in (BY_DISEASE, LEFT_OVER):
            yield _fault(
                "BUDGET_LINE",
                f"no line may be named {line.name}: this stands for what is computed",
                f"pool {pool.id}, lines.name",
                "give the line another name",
                line.name,
            )
        if line.name in seen:
            yield _fault(
                "BUDGET_LINE",
                "two lines of the pool have the same name",
                f"pool {pool.id}, lines.name",
                "give each line its own name, so that changes can name it",
                line.name,
            )
        seen.add(line.name)
        yield from _of_line(line, place)
        if line.track is not None:
            if line.kind != "carve_out":
                yield _fault(
                    "BUDGET_LINE",
                    f"only a line of kind carve_out can fund a track, this one is {line.kind}",
                    f"{place}, track",
                    "take track away, or make it a carve_out",
                    line.track,
                )
            if line.track in tracks:
                yield _fault(
                    "BUDGET_LINE",
                    "two lines of the pool fund the same track",
                    f"{place}, track",
                    "write what the track gets into one line",
                    line.track,
                )
            tracks.add(line.track)


def _of_line(line: Line, place: str) -> Iterator[RegionError]:
    if (line.amount is None) == (line.share is None):
        both = line.amount is not None
        yield _fault(
            "BUDGET_LINE",
            "a line has an amount or a share, not both" if both else "the line has neither amount nor share",
            place,
            "keep one of them" if both else 'add amount = "..." in yuan, or share = "..." of the income',
        )
    yield from _amount(line.amount, place)
    if line.share is not None:
        if line.kind == "income":
            yield _fault(
                "BUDGET_LINE",
                "income cannot be a share of the income",
                f"{place}, share",
                "give its amount in yuan",
                line.share,
            )
        if not 0 <= line.share <= 1:
            yield _fault(
                "BUDGET_VALUE",
                "a share lies between 0 and 1",
                f"{place}, share",
                'write 2 % as "0.02"',
                line.share,
            )


def _method(pool: PoolBudget) -> Iterator[RegionError]:
    needed = METHOD_KEYS[pool.method]
    for key in ("last_by_disease", "last_total", "growth_rate"):
        value: Decimal | None = getattr(pool, key)
        if value is None and key in needed:
            yield _fault(
                "BUDGET_METHOD",
                f"the method {pool.method} needs {key}",
                f"pool {pool.id}, {key}",
                f"add {key}, or choose another method: {', '.join(METHOD_KEYS)}",
            )
        if value is not None and key not in needed:
            yield _fault(
                "BUDGET_METHOD",
                f"the method {pool.method} does not read {key}",
                f"pool {pool.id}, {key}",
                f"take {key} away, or name the method that it belongs to",
                value,
            )
        if key != "growth_rate":
            yield from _amount(value, f"pool {pool.id}, {key}")
    if (
        pool.method == "share"
        and pool.last_by_disease is not None
        and pool.last_total is not None
        and pool.last_by_disease > pool.last_total
    ):
        yield _fault(
            "BUDGET_METHOD",
            "last year's by-disease total is more than last year's whole total",
            f"pool {pool.id}, last_by_disease",
            "last_total is what last_by_disease was a part of",
            pool.last_by_disease,
        )


def _changes(pool: PoolBudget, year: int) -> Iterator[RegionError]:
    for at, change in enumerate(pool.change, start=1):
        place = f"pool {pool.id}, change {at}"
        if change.date.year != year:
            yield _fault(
                "BUDGET_CHANGE",
                f"the change lies outside the year {year}",
                f"{place}, date",
                "give a day of the year that is settled",
                change.date,
            )
        yield from _amount(change.amount, f"{place}, amount")
        yield from _sides(pool, change, place)


def _sides(pool: PoolBudget, change: Change, place: str) -> Iterator[RegionError]:
    """Find what is wrong with the two sides of a change: names, direction, a missing one."""
    kinds: dict[str, str] = {line.name: line.kind for line in pool.lines}
    kinds |= {BY_DISEASE: ""} if pool.method == "items" else {LEFT_OVER: "", BY_DISEASE: ""}
    other = change.from_ or change.to
    for key, name in (("line", change.line), ("from", change.from_), ("to", change.to)):
        if name is not None and name not in kinds:
            yield _fault(
                "BUDGET_CHANGE",
                "the pool has no line of this name",
                f"{place}, {key}",
                f"use one of: {', '.join(kinds)}",
                name,
            )
    if change.amount == 0:
        yield _fault("BUDGET_CHANGE", "a change of nothing", f"{place}, amount", "take the change away", 0)
    if change.from_ is not None and change.to is not None:
        yield _fault(
            "BUDGET_CHANGE", "a change has one other side, from or to, not both", place, "write two changes"
        )
    if other == change.line:
        yield _fault("BUDGET_CHANGE", "a line cannot change with itself", place, "name the other line", other)
    if other is None and kinds.get(change.line) != "income":
        side = "from" if change.amount > 0 else "to"
        yield _fault(
            "BUDGET_CHANGE",
            "only income can change the total within the year; other money moves between lines",
            f"{place}, line",
            f'name the line on the other side: {side} = "..."',
            change.line,
        )
    if other is not None and (change.amount > 0) != (change.from_ is not None):
        gets, side = ("more", "from") if change.amount > 0 else ("less", "to")
        yield _fault(
            "BUDGET_CHANGE",
            f"a line that gets {gets} names its other side with {side}",
            f"{place}, amount",
            f"write {side} = {other!r}, or turn the sign of the amount",
            change.amount,
        )
    if other is not None and (kinds.get(change.line) == "income") != (kinds.get(other) == "income"):
        yield _fault(
            "BUDGET_CHANGE",
            "money cannot move between a line of income and one that takes away",
            place,
            "change the income by itself, then move money between the other lines",
            other,
        )


def _sums(pool: PoolBudget) -> Iterator[RegionError]:
    """Find the first state of the year, from the plan to the last change, in which there is not money enough."""
    changes = pool.changes()
    for done in range(len(changes) + 1):
        amounts = pool.amounts(done)
        when = f" after the change of {changes[done - 1].date}" if done else ""
        for line in pool.lines:
            if amounts[line.name] < 0:
                yield _negative(pool, changes[done - 1], line.name, amounts[line.name])
        left = 0
        for line in pool.lines:
            left += amounts[line.name] if line.kind == "income" else -amounts[line.name]
            if left < 0:
                yield _fault(
                    "BUDGET_NEGATIVE",
                    f"the lines of pool {pool.id} take away more than its income{when}: "
                    f"line {line.name} lacks {format_fen(-left)} yuan",
                    f"pool {pool.id}",
                    "check the amounts of the lines; lines of income stand before what they pay for",
                )
        if amounts[BY_DISEASE] < 0:
            yield _negative(pool, changes[done - 1], BY_DISEASE, amounts[BY_DISEASE])
        if amounts[LEFT_OVER] < 0:
            if done and LEFT_OVER in (changes[done - 1].line, changes[done - 1].to, changes[done - 1].from_):
                yield _negative(pool, changes[done - 1], LEFT_OVER, amounts[LEFT_OVER])
            yield _fault(
                "BUDGET_TOTAL",
                f"the lines of pool {pool.id} leave {format_fen(left)} yuan{when}, its by-disease total by the method "
                f"{pool.method} is {format_fen(amounts[BY_DISEASE])}",
                f"pool {pool.id}",
                "lower the lines, raise the income, or choose another method",
                format_fen(amounts[LEFT_OVER]),
            )


def _negative(pool: PoolBudget, change: Change, name: str, fen: int) -> RegionError:
    return _fault(
        "BUDGET_CHANGE",
        f"the change of {change.date} leaves {name} at {format_fen(fen)} yuan; no line falls below zero",
        f"pool {pool.id}, line {name}",
        "move less, or take it from another line",
        change.amount,
    )
