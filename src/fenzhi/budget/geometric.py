"""The geometric median of points in a plane, the same digits on every machine. docs/rules.md, section 5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

Point = tuple[Decimal, Decimal]
_DIGITS = 40
_CLOSE = Decimal(10) ** -24
_MOST_STEPS = 100_000


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _pull(at: Point, others: Sequence[tuple[Point, int]]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the sum of the unit vectors from ``at`` to the others, and the sum of 1 / distance."""
    x = y = weight = Decimal(0)
    for (px, py), times in others:
        dx, dy = px - at[0], py - at[1]
        distance = (dx * dx + dy * dy).sqrt()
        x, y, weight = x + times * dx / distance, y + times * dy / distance, weight + times / distance
    return x, y, weight


def _at_a_point(points: Sequence[tuple[Point, int]]) -> list[Point]:
    """Return the given points that are themselves a geometric median.

    A point is one if the others pull at it with no more than its own weight (Kuhn 1973).
    """
    found = []
    for at, times in points:
        x, y, _ = _pull(at, [other for other in points if other[0] != at])
        # Equality (two points, points on a line) is decided with room for the last digits.
        if x * x + y * y <= Decimal(times) ** 2 + _CLOSE:
            found.append(at)
    return found


def _mean(points: Sequence[tuple[Point, int]]) -> Point:
    whole, zero = Decimal(sum(times for _, times in points)), Decimal(0)
    return (
        sum((x * times for (x, _), times in points), zero) / whole,
        sum((y * times for (_, y), times in points), zero) / whole,
    )


def geometric_median(points: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """Return the point with the smallest sum of distances to ``points`` (at least one).

    Exact where it is one of them, to about 20 digits elsewhere. Where several points have the smallest sum (points on
    a line), the middle of them. The order does not matter.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        # Exact ones are kept: what is paid must not hang on the last of forty digits.
        exact = {(_decimal(x), _decimal(y)): (x, y) for x, y in points}
        counted = Counter((_decimal(x), _decimal(y)) for x, y in points)
        known = sorted(counted.items())
        medians = [exact[point] for point in _at_a_point(known)]
        if medians:
            n = len(medians)
            return sum((x for x, _ in medians), Fraction(0)) / n, sum(
                (y for _, y in medians), Fraction(0)
            ) / n
        at = _mean(known)
        for _ in range(_MOST_STEPS):
            # A step that lands on a given point goes on from beside it (Vardi and Zhang 2000).
            away = [(point, n) for point, n in known if point != at]
            x, y, weight = _pull(at, away)
            own = counted.get(at, 0)
            pull = (x * x + y * y).sqrt()
            shorter = max(Decimal(0), 1 - own / pull) if pull else Decimal(0)
            step = (shorter * x / weight, shorter * y / weight)
            at = (at[0] + step[0], at[1] + step[1])
            if step[0] * step[0] + step[1] * step[1] < _CLOSE * _CLOSE:
                break
        return Fraction(at[0]), Fraction(at[1])
