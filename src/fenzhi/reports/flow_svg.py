"""The picture of stays that move from one classification to another: ribbons between two columns of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from fenzhi.reports import svg

WIDTH = 920.0
LABELS = 250.0
BAR = 13.0
PLOT = 420.0
#: The least that a name needs; a bar may be lower.
SLOT = 19.0
GAP = 6.0


class Link(NamedTuple):
    """How many stays went from one place to another (names as printed)."""

    source: str
    target: str
    stays: int


@dataclass(frozen=True)
class Column:
    """One side: names in order, and those of them that are drawn in the colour of a warning."""

    names: Sequence[str]
    warned: frozenset[str] = frozenset()


class _Bar(NamedTuple):
    top: float
    height: float
    stays: int


def _bars(names: Sequence[str], sums: dict[str, int], per: float) -> tuple[dict[str, _Bar], float]:
    """Return the bars of a side below each other, each in the middle of its slot, and where they end."""
    out, y = {}, 34.0
    for name in names:
        height = max(sums[name] * per, 1.0)
        slot = max(height, SLOT)
        out[name] = _Bar(y + (slot - height) / 2, height, sums[name])
        y += slot + GAP
    return out, y


def _ribbon(left: tuple[float, float], right: tuple[float, float], fill: str) -> Markup:
    """Return a ribbon between two stretches (top, height) of the two columns."""
    x1, x2 = LABELS + BAR, WIDTH - LABELS - BAR
    middle = (x1 + x2) / 2
    (a, ha), (b, hb) = left, right
    form = (
        '<path d="M{0:.1f},{1:.1f} C{2:.1f},{1:.1f} {2:.1f},{3:.1f} {4:.1f},{3:.1f} L{4:.1f},{5:.1f} '
        'C{2:.1f},{5:.1f} {2:.1f},{6:.1f} {0:.1f},{6:.1f} Z" fill="{7}" fill-opacity="0.42"/>'
    )
    return Markup(form).format(x1, a, middle, b, x2, b + hb, a + ha, fill)


def flow(
    title: str, links: Sequence[Link], sides: tuple[Column, Column], heads: tuple[str, str], whole: int
) -> Markup:
    """Return the picture; every bar has its name, its stays and their share of the ``whole`` beside it.

    ``links``: between names of both sides, each pair once. ``heads``: what the two columns are.
    """
    total = sum(link.stays for link in links) or 1
    sums: list[dict[str, int]] = [dict.fromkeys(side.names, 0) for side in sides]
    for link in links:
        sums[0][link.source] += link.stays
        sums[1][link.target] += link.stays
    per = PLOT / total
    bars = [_bars(side.names, one, per) for side, one in zip(sides, sums, strict=True)]
    fills = {name: svg.SERIES[at % len(svg.SERIES)] for at, name in enumerate(sides[0].names)}
    fills |= dict.fromkeys(sides[0].warned, svg.WARN)
    parts = [
        svg.label(LABELS, 16, heads[0], anchor="end", fill=svg.MUTED),
        svg.label(WIDTH - LABELS, 16, heads[1], fill=svg.MUTED),
    ]
    used = [{name: bar.top for name, bar in side.items()} for side, _ in bars]
    order = {name: at for at, name in enumerate(sides[1].names)}
    for name in sides[0].names:
        for link in sorted((one for one in links if one.source == name), key=lambda one: order[one.target]):
            thick = link.stays * per
            fill = svg.WARN if link.target in sides[1].warned else fills[name]
            ends = (used[0][link.source], thick), (used[1][link.target], thick)
            parts.append(_ribbon(*ends, fill))
            used[0][link.source] += thick
            used[1][link.target] += thick
    for at, (side, (mine, _)) in enumerate(zip(sides, bars, strict=True)):
        for name, bar in mine.items():
            colour = svg.WARN if name in side.warned else (fills[name] if at == 0 else svg.MUTED)
            x = LABELS if at == 0 else WIDTH - LABELS - BAR
            figure = f"{bar.stays:,} ({bar.stays / (whole or 1):.1%})"
            room = LABELS - 18 - svg.text_width(figure)
            said = f"{svg.shorten(name, room)} {figure}"
            middle = bar.top + bar.height / 2 + 4
            place = x - 7 if at == 0 else x + BAR + 7
            parts += [
                svg.rect(x, bar.top, BAR, bar.height, colour),
                svg.label(place, middle, said, anchor="end" if at == 0 else "start"),
            ]
    return svg.frame(title, max(end for _, end in bars) + 4, parts, WIDTH)
