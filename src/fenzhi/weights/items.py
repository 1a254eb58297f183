"""Coefficients from named items: basic plus bonus, and products of factors. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, round_half_up, step_of, to_e4
from fenzhi.policy.coefficients import Coefficients, Item

SCHEMA: dict[str, pl.DataType] = {
    "fixmedins_code": pl.String(),
    "item": pl.String(),
    "value_e4": pl.Int64(),
}
Values = Mapping[str, int]


def no_bonuses() -> pl.DataFrame:
    """Return the table of item values without rows."""
    return pl.DataFrame(schema=SCHEMA)


def values_of(bonuses: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return hospital -> item -> value at 1/10,000 from a frame with the columns of :data:`SCHEMA`."""
    found: dict[str, dict[str, int]] = {}
    for code, item, value in bonuses.select(list(SCHEMA)).iter_rows():
        found.setdefault(code, {})[item] = value
    return found


def bounded(value: int, rules: Coefficients) -> int:
    """Return a coefficient between floor and cap."""
    if rules.floor is not None:
        value = max(value, to_e4(rules.floor))
    if rules.cap is not None:
        value = min(value, to_e4(rules.cap))
    return value


def _capped(value: Fraction, item: Item) -> Fraction:
    return value if item.cap is None else min(value, Fraction(item.cap))


def _finished(value: Fraction, rules: Coefficients) -> int:
    return bounded(max(0, round_half_up(value * SCALE, step_of(rules.decimals))), rules)


def with_bonus(basic_e4: int, values: Values, rules: Coefficients) -> tuple[int, list[Fraction]]:
    """Return the coefficient basic + sum of min(value x weight, cap), at least 0, and what each item adds."""
    added = [
        _capped(Fraction(values[item.name], SCALE) * Fraction(item.weight), item) for item in rules.items
    ]
    return _finished(Fraction(basic_e4, SCALE) + sum(added), rules), added


def product(level: str | None, values: Values, rules: Coefficients) -> tuple[int, list[Fraction]]:
    """Return the coefficient level factor x items, and the factors: that of the level first, if there is a table."""
    factors = [Fraction(rules.levels[level or ""])] if rules.levels else []
    factors += [_capped(Fraction(values[item.name], SCALE), item) for item in rules.items]
    total = Fraction(1)
    for factor in factors:
        total *= factor
    return _finished(total, rules), factors
