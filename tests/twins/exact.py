"""Exact arithmetic of the twins: fractions, one rounding, largest remainders."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from fractions import Fraction
from math import floor

E4 = 10_000


def half_up(value: Fraction | int, step: int = 1) -> int:
    """Nearest multiple of ``step``, ties towards plus infinity."""
    return floor(Fraction(value) / step + Fraction(1, 2)) * step


def step_for(decimals: int) -> int:
    """Rounding step at 1/10,000 for a number of decimals."""
    return [10_000, 1_000, 100, 10, 1][decimals]


def number(text: object) -> Fraction:
    """An exact number from a policy: text, int or Decimal, never a float."""
    if isinstance(text, float):
        raise TypeError(f"{text!r} is a float")
    return Fraction(text)  # type: ignore[arg-type]


def split(total: int, shares: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Largest remainder in proportion to the shares; ties to the smaller key; all zero gives zeros."""
    whole = sum(shares.values())
    if whole == 0:
        return dict.fromkeys(shares, 0)
    sign = -1 if total < 0 else 1
    exact = {key: Fraction(abs(total) * share, whole) for key, share in shares.items()}
    parts = {key: floor(value) for key, value in exact.items()}
    by_remainder = sorted(shares, key=lambda key: (parts[key] - exact[key], key))  # type: ignore[operator]
    for key in by_remainder[: abs(total) - sum(parts.values())]:
        parts[key] += 1
    return {key: sign * part for key, part in parts.items()}
