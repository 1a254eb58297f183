"""Charts with intervals: a bar or a point for what is expected, a line for where it may end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from fenzhi.reports.display import decimals, fixed
from fenzhi.reports.svg import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    SERIES,
    WARN,
    WIDTH,
    frame,
    label,
    lines,
    nice_top,
    rect,
    rule,
    text_width,
    tick_places,
    wrap,
)


class Span(NamedTuple):
    """What is expected and between which ends; ``done``: nothing of it is open."""

    name: str
    value: float
    low: float
    high: float
    done: bool = False


def _whisker(x: float, top: float, bottom: float) -> list[Markup]:
    return [
        rule(x, top, x, bottom, INK),
        rule(x - 3, top, x + 3, top, INK),
        rule(x - 3, bottom, x + 3, bottom, INK),
    ]


def _legend(names: Sequence[str]) -> list[Markup]:
    done, expected, interval = names
    x, parts = 0.0, []
    for fill, name in ((SERIES[0], done), (SERIES[1], expected)):
        parts += [rect(x, 2, 10, 10, fill), label(x + 15, 12, name, fill=MUTED)]
        x += 15 + text_width(name) + 18
    return [*parts, *_whisker(x + 5, 2, 12), label(x + 15, 12, interval, fill=MUTED)]


def months(title: str, spans: Sequence[Span], unit: str, names: Sequence[str]) -> Markup:
    """Return upright bars, those of months to come lighter and with their interval. ``names``: of the legend."""
    left, top, plot = 72.0, 56.0, 150.0
    high = nice_top(max((max(span.high, span.value) for span in spans), default=0))
    low = min((min(span.low, span.value) for span in spans), default=0)
    floor = -nice_top(-low) if low < 0 else 0.0
    scale = plot / (high - floor)
    zero = top + high * scale
    parts = [*_legend(names), label(0, 38, unit, fill=MUTED)]
    marks = [high, high / 2, 0.0] + ([floor] if floor else [])
    places = tick_places(marks)
    for mark in marks:
        y = zero - mark * scale
        parts += [
            rule(left, y, WIDTH, y, RULE if mark else MUTED),
            label(left - 8, y + 4, fixed(mark, places), anchor="end", fill=MUTED),
        ]
    step = (WIDTH - left) / max(len(spans), 1)
    wide = step * 0.62
    for at, span in enumerate(spans):
        x = left + step * at + (step - wide) / 2
        y = zero - max(span.value, 0) * scale
        parts.append(rect(x, y, wide, abs(span.value) * scale, SERIES[0 if span.done else 1]))
        if not span.done:
            parts += _whisker(x + wide / 2, zero - span.high * scale, zero - span.low * scale)
        parts.append(label(x + wide / 2, top + plot + 18, span.name, anchor="middle", fill=MUTED))
    return frame(title, top + plot + 26, parts)


def spans(title: str, shown: Sequence[Span], unit: str, *, signed: bool = False) -> Markup:
    """Return a lying line for each interval with a point at what is expected, and its figure."""
    names = [span.name for span in shown]
    left = min(max((text_width(name) for name in names), default=0.0) + 14, 170.0)
    texts = [wrap(name, left - 14) for name in names]
    ends = [end for span in shown for end in (span.low, span.high, span.value)]
    first, last = min(ends, default=0.0), max(ends, default=1.0)
    if signed:
        first, last = min(first, 0.0), max(last, 0.0)
    margin = (last - first) * 0.06 or abs(last) * 0.05 or 1.0
    first, last = first - margin, last + margin
    figure = 84.0
    per = (WIDTH - left - figure) / (last - first)
    places = decimals(span.value for span in shown) if signed else 4
    row, top = (36.0 if any(len(text) > 1 for text in texts) else 27.0), 26.0
    bottom = top + row * len(shown)
    parts = [label(left, 14, unit, fill=MUTED)]
    if signed:
        x = left + (0 - first) * per
        parts.append(rule(x, top - 4, x, bottom, MUTED))
    for at, (span, text) in enumerate(zip(shown, texts, strict=True)):
        middle = top + row * (at + 0.5)
        x1, x2, x = (left + (end - first) * per for end in (span.low, span.high, span.value))
        colour = WARN if signed and span.value < 0 else ACCENT
        parts += [
            *lines(left - 10, middle, text),
            rect(x1, middle - 3, max(x2 - x1, 1), 6, SERIES[1]),
            rect(x - 2, middle - 8, 4, 16, colour),
            label(WIDTH, middle + 4, fixed(span.value, places, plus=signed), anchor="end", fill=MUTED),
        ]
    return frame(title, bottom + 6, parts)
