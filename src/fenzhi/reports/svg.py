"""Small charts drawn by hand: pure functions from numbers to inline SVG, under a millisecond each.

The statements use these (hundreds of pages, six charts each); the region page uses altair (charts.py).
Every chart has a ``<title>``, an ``aria-label`` and its values as text, so it says the same without colour.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from fenzhi.reports.display import decimals, fixed

INK, MUTED, RULE, ACCENT, WARN = "#1d2733", "#5c6773", "#d8dce0", "#1f5673", "#a8321f"
#: Series in order; neighbours differ in lightness as well, so that a grey print stays readable.
SERIES = ("#1f5673", "#8fb3c4", "#b5974f", "#5d6b63", "#c9ccc4", "#7d5a6e")
#: Parts of a waterfall: what comes in, what goes elsewhere, what is kept back, what remains.
FLOW = ("#8fb3c4", "#b5974f", "#7d5a6e", "#1f5673")
FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"
#: A chart fills a column of the page (470 px) and a phone (355 px); its letters stay readable in both.
WIDTH = 440
SIZE = 12.5
#: Height of a line of a label.
LINE = 15.0


@dataclass(frozen=True)
class Series:
    """A named series of numbers, one per category."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Scale:
    """What charts that are read side by side share: the value of a full bar, decimals, the unit's name."""

    largest: float
    places: int
    unit: str


class Step(NamedTuple):
    """A step of a waterfall: its name, the part it belongs to (its colour), from where to where it goes."""

    name: str
    part: int
    start: float
    end: float


def text_width(text: str, size: float = SIZE) -> float:
    """Return the width of a text: wide ones (also the ellipsis) one em, others 0.56 em."""
    return sum(size if unicodedata.east_asian_width(c) in "WFA" else size * 0.56 for c in text)


def shorten(text: str, width: float, size: float = SIZE) -> str:
    """Return the text cut to a width, with an ellipsis if anything was cut."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrap(text: str, width: float, size: float = SIZE) -> list[str]:
    """Return the text in one line or two; broken before a bracket, after a space or comma where it can be."""
    if len(text) < 2 or text_width(text, size) <= width + 1e-9:
        return [text]
    short = [at for at in range(1, len(text)) if text_width(text[:at].rstrip(), size) <= width]
    # No line begins with a sign that closes.
    fits = [at for at in short if text[at] not in ",，、;；)）。"] or [1]
    natural = [at for at in fits if text[at] in "(（" or text[at - 1] in " ,，、;；"]
    whole = [at for at in natural if text_width(text[at:], size) <= width]
    # A break that shows the whole text comes first; else the one that leaves least to be cut off.
    if whole:
        at = whole[-1]
    elif text_width(text[fits[-1] :], size) <= width or not natural or natural[-1] < fits[-1] * 0.6:
        at = fits[-1]
    else:
        at = natural[-1]
    return [text[:at].rstrip(), shorten(text[at:].lstrip(), width, size)]


def tick_places(values: Sequence[float]) -> int:
    """Return the fewest decimals, at most three, that show every mark of an axis exactly."""
    exact = (n for n in range(3) if all(math.isclose(v, round(v, n), abs_tol=1e-9) for v in values))
    return next(exact, 3)


def nice_top(value: float) -> float:
    """Return the smallest of 1, 2, 3, 4, 5, 6, 8 times a power of ten not below ``value``; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 3, 4, 5, 6, 8) if step * power >= value), 10 * power)


def frame(title: str, height: float, parts: Sequence[Markup], width: float = WIDTH) -> Markup:
    """Return the whole SVG element around its parts; it scales with the page."""
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{0}" viewBox="0 0 {1} {2:.0f}" '
        'font-family="{3}" font-size="{4}"><title>{0}</title>{5}</svg>'
    ).format(title, f"{width:g}", height, FONT, SIZE, Markup("").join(parts))


def label(x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK) -> Markup:
    """Return a text element."""
    form = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}">{}</text>'
    return Markup(form).format(x, y, anchor, fill, text)


def lines(x: float, middle: float, texts: Sequence[str]) -> list[Markup]:
    """Return lines of text that end at ``x``, as a block around ``middle``."""
    first = middle + 4 - (len(texts) - 1) * LINE / 2
    return [label(x, first + at * LINE, text, anchor="end") for at, text in enumerate(texts)]


def rect(x: float, y: float, width: float, height: float, fill: str) -> Markup:
    """Return a rectangle; a negative width is drawn to the left."""
    if width < 0:
        x, width = x + width, -width
    form = '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>'
    return Markup(form).format(x, y, width, max(height, 0), fill)


def rule(x1: float, y1: float, x2: float, y2: float, stroke: str = RULE) -> Markup:
    """Return a hair line."""
    form = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}"/>'
    return Markup(form).format(x1, y1, x2, y2, stroke)


def legend(names: Sequence[str], y: float = 12) -> list[Markup]:
    """Return one line of swatches and names."""
    parts: list[Markup] = []
    x = 0.0
    for at, name in enumerate(names):
        name = shorten(name, WIDTH / max(len(names), 1) - 28)
        parts += [rect(x, y - 10, 10, 10, SERIES[at % len(SERIES)]), label(x + 15, y, name, fill=MUTED)]
        x += 15 + text_width(name) + 18
    return parts


def columns(
    title: str, categories: Sequence[str], series: Sequence[Series], *, stacked: bool, unit: str
) -> Markup:
    """Return upright bars per category, stacked or side by side; negative values hang below the line."""
    left, top, plot, n = 72.0, 56.0, 150.0, max(len(categories), 1)
    ups = [
        sum(max(s.values[i], 0) for s in series) if stacked else max(s.values[i] for s in series)
        for i in range(len(categories))
    ]
    low = min((v for s in series for v in s.values), default=0)
    high, floor = nice_top(max(ups, default=0)), -nice_top(-low) if low < 0 else 0.0
    scale = plot / (high - floor)
    zero = top + high * scale
    parts = [*legend([s.name for s in series]), label(left - 8, 38, unit, anchor="end", fill=MUTED)]
    marks = (0, 0.5, 1) if not floor else (floor / high, 0, 0.5, 1)
    places = tick_places([share * high for share in marks])
    for share in marks:
        y = zero - share * high * scale
        parts += [
            rule(left, y, WIDTH, y, RULE if share else MUTED),
            label(left - 8, y + 4, fixed(share * high, places), anchor="end", fill=MUTED),
        ]
    step = (WIDTH - left) / n
    wide = step * 0.62
    for i, category in enumerate(categories):
        x, base = left + step * i + (step - wide) / 2, 0.0
        for at, one in enumerate(series):
            tall, fill = abs(one.values[i]) * scale, SERIES[at % len(SERIES)]
            y = zero - base - tall if one.values[i] >= 0 else zero
            if stacked:
                parts.append(rect(x, y, wide, tall, fill))
                base += max(one.values[i], 0) * scale
            else:
                parts.append(rect(x + wide / len(series) * at, y, wide / len(series) - 1, tall, fill))
        parts.append(label(x + wide / 2, top + plot + 18, category, anchor="middle", fill=MUTED))
    return frame(title, top + plot + 26, parts)


def bars(title: str, names: Sequence[str], series: Sequence[Series], *, suffix: str = "") -> Markup:
    """Return lying bars, one per series under each name, with the value at the end of each bar."""
    row, gap, top = 17.0, 10.0, 30.0 if len(series) > 1 else 6.0
    left, labels = _labels(names, 150.0)
    room = WIDTH - left - 84
    values = [v for s in series for v in s.values]
    largest = max(values, default=0) or 1
    places = 1 if suffix else decimals(values)
    parts = legend([s.name for s in series]) if len(series) > 1 else []
    y = top
    for i, texts in enumerate(labels):
        height = max(row * len(series), LINE * len(texts))
        parts += lines(left - 10, y + height / 2, texts)
        y += (height - row * len(series)) / 2
        for at, one in enumerate(series):
            value = one.values[i]
            length = max(value, 0) / largest * room
            parts += [
                rect(left, y + 2, length, row - 4, SERIES[at % len(SERIES)]),
                label(left + length + 6, y + row - 4, fixed(value, places) + suffix, fill=MUTED),
            ]
            y += row
        y += gap + (height - row * len(series)) / 2
    parts.append(rule(left, top - 4, left, y - gap + 4, MUTED))
    return frame(title, y, parts)


def ranking(title: str, names: Sequence[str], values: Sequence[float], scale: Scale) -> Markup:
    """Return bars of signed values, the sign in the figure and in the colour; long names take two lines."""
    left, labels = _labels(names, 206.0)
    row, top = (36.0 if any(len(texts) > 1 for texts in labels) else 24.0), 26.0
    room = WIDTH - left - 84
    parts = [label(left, 14, scale.unit, fill=MUTED)]
    for i, (texts, value) in enumerate(zip(labels, values, strict=True)):
        middle, length = top + row * (i + 0.5), abs(value) / (scale.largest or 1) * room
        fill = MUTED if value >= 0 else WARN
        parts += [
            *lines(left - 10, middle, texts),
            rect(left, middle - 7.5, length, 15, ACCENT if value >= 0 else WARN),
            label(left + length + 6, middle + 4, fixed(value, scale.places, plus=True), fill=fill),
        ]
    bottom = top + row * len(names)
    parts.append(rule(left, top - 4, left, bottom, MUTED))
    return frame(title, bottom + 4, parts)


def waterfall(
    title: str, steps: Sequence[Step], parts_named: Sequence[tuple[int, str]], scale: Scale
) -> Markup:
    """Return lying bars that each begin where the one before ended, the signed amount in or beside each.

    ``parts_named``: the parts in the legend, as place in ``FLOW`` and name. The last part has no sign.
    """
    left, labels = _labels([step.name for step in steps], 150.0)
    per = (WIDTH - left - 2) / (scale.largest or 1)
    x = 0.0
    parts: list[Markup] = []
    for part, name in parts_named:
        parts += [rect(x, 2, 10, 10, FLOW[part]), label(x + 15, 12, name, fill=MUTED)]
        x += 15 + text_width(name) + 16
    parts.append(label(left, 34, scale.unit, fill=MUTED))
    y = top = 42.0
    for at, (step, texts) in enumerate(zip(steps, labels, strict=True)):
        row = 34.0 if len(texts) > 1 else 27.0
        middle = y + row / 2
        low, high = sorted((step.start, step.end))
        # What rounds to nothing is still seen.
        wide = max((high - low) * per, 1.0)
        parts += [
            *lines(left - 10, middle, texts),
            rect(left + low * per, middle - 8.5, wide, 17, FLOW[step.part]),
            _amount(step, scale.places, (left, left + low * per, wide), middle + 4.5),
        ]
        if at + 1 < len(steps) and steps[at + 1].start == step.end:
            joint = left + step.end * per
            parts.append(rule(joint, middle + 8.5, joint, y + row + 8, MUTED))
        y += row
    parts.append(rule(left, top - 2, left, y, MUTED))
    return frame(title, y + 4, parts)


def _amount(step: Step, places: int, bar: tuple[float, float, float], y: float) -> Markup:
    """Return the amount of a step: left of its bar if there is room, else inside it, else right of it.

    ``bar``: where the plot begins, where the bar begins, how wide it is.
    """
    begin, x, wide = bar
    last = len(FLOW) - 1
    text = fixed(step.end - step.start, places, plus=step.part != last)
    need = text_width(text) + 12
    if x - begin >= need:
        return label(x - 6, y, text, anchor="end")
    if wide >= need:
        return label(x + wide - 6, y, text, anchor="end", fill=INK if step.part in (0, 1) else "#fff")
    return label(x + wide + 6, y, text)


def _labels(names: Sequence[str], most: float) -> tuple[float, list[list[str]]]:
    """Return the room left of the bars, as wide as the names need but not above ``most``, and their lines."""
    widest = max((text_width(name) for name in names), default=0.0)
    left = min(widest + 14, most)
    return left, [wrap(name, left - 14) for name in names]


def aria(svg: str, title: str, prefix: str) -> Markup:
    """Return a chart made elsewhere as an accessible, scaling SVG whose ids begin with ``prefix``."""
    head, body = svg.split(">", 1)
    view = head[head.index("viewBox=") :].split('"')[1]
    body = (
        body.replace('id="', f'id="{prefix}')
        .replace("url(#", f"url(#{prefix}")
        .replace('href="#', f'href="#{prefix}')
    )
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        'aria-label="{0}" viewBox="{1}"><title>{0}</title>'
    ).format(title, view)
    return opening + Markup(body)  # the body was escaped by the program that drew it
