"""The long tail of the demo region: rare diseases and operations, made up by rule.

Real regions have thousands of combinations of diagnosis and operation, most of them rare. The tail imitates
that with a Zipf-like law: the codes have the form of real ones, their names say that they are synthetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fenzhi.arrays import Floats, Int64s
from fenzhi.region.demo.chapters import CHAPTERS, Chapter, categories
from fenzhi.region.demo.procedures import read_procedures

Strings = npt.NDArray[np.str_]

# Combinations of the tail for a region of FULL_STAYS a year; smaller regions meet fewer of them.
FULL_STAYS = 770_000
FULL_COMBINATIONS = 12_800
ZIPF_EXPONENT = 1.1
SIZE_EXPONENT = 0.75

# Kinds of a combination and how many of the combinations have it.
TAIL_KINDS = ("medical", "surgery", "interventional", "therapeutic", "diagnostic")
TAIL_SHARES = (0.60, 0.24, 0.03, 0.07, 0.06)
# Kinds that a category knows at all: everybody is treated conservatively, few have every kind of operation.
KIND_CHANCES = (1.0, 0.35, 0.08, 0.12, 0.12)
FACTORS = (1.0, 2.2, 2.9, 1.35, 1.2)

_THERAPEUTIC = ("93", "96", "99")
_DIAGNOSTIC = ("87", "88", "89")


@dataclass(frozen=True)
class Tail:
    """Combinations of the tail, one entry each: full diagnosis code, operation code (empty: none), kind
    (index into ``TAIL_KINDS``), chapter (index into ``CHAPTERS``), relative frequency, cost factor."""

    diagnosis: Strings
    operation: Strings
    kind: Int64s
    chapter: Int64s
    weight: Floats
    factor: Floats
    operations: dict[str, tuple[str, int, str]]


def _operations(chapter: Chapter, rng: np.random.Generator) -> dict[str, list[str]]:
    """Return kind -> operation codes of a chapter's tail, the most frequent first."""
    known = read_procedures()

    def draw(families: tuple[str, ...] | list[str], digits: range, count: int) -> list[str]:
        codes: dict[str, None] = {}
        for _ in range(count):
            base = f"{families[rng.integers(len(families))]}.{digits[rng.integers(len(digits))]:02d}00"
            code = base if rng.random() < 0.6 else f"{base}x{rng.integers(1, 20):03d}"
            if code not in known:
                codes[code] = None
        return list(codes)

    own = chapter.operations.split()
    return {
        "surgery": draw(own, range(20, 100), 44),
        "interventional": draw(["00", "39"], range(40, 80), 6),
        "therapeutic": draw(_THERAPEUTIC, range(20, 100), 10),
        "diagnostic": draw(_DIAGNOSTIC, range(10, 80), 8),
    }


def _pick(rng: np.random.Generator, size: int, skew: float) -> int:
    """Return an index below ``size``, small ones more often."""
    return int(size * rng.random() ** skew)


def make_tail(stays: int, rng: np.random.Generator) -> Tail:
    """Return the tail for a region with ``stays`` a year; frequencies add up to 1."""
    count = max(40, round(FULL_COMBINATIONS * (stays / FULL_STAYS) ** SIZE_EXPONENT))
    shares = np.array([chapter.share for chapter in CHAPTERS])
    pools = [_operations(chapter, rng) for chapter in CHAPTERS]
    known: list[list[tuple[str, list[int]]]] = []
    for chapter in CHAPTERS:
        rare = categories(chapter)
        rng.shuffle(rare)
        kinds = [[k for k in range(5) if k == 0 or rng.random() < KIND_CHANCES[k]] for _ in rare]
        known.append(list(zip(rare, kinds, strict=True)))
    rows: dict[tuple[str, str], tuple[str, int, int]] = {}
    chapters = rng.choice(len(CHAPTERS), size=count * 8, p=shares / shares.sum())
    wanted = rng.choice(len(TAIL_KINDS), size=count * 8, p=TAIL_SHARES)
    for at, kind in zip(chapters.tolist(), wanted.tolist(), strict=True):
        category, allowed = known[at][_pick(rng, len(known[at]), 1.6)]
        if kind not in allowed:
            kind = 0
        four = f"{category}.{_pick(rng, 10, 1.5)}"
        pool = pools[at].get(TAIL_KINDS[kind], [""])
        operation = pool[_pick(rng, len(pool), 1.8)]
        if (four, operation) not in rows:
            code = f"{four}00" if rng.random() < 0.6 else f"{four}00x{rng.integers(1, 30):03d}"
            rows[four, operation] = (code, kind, at)
        if len(rows) == count:
            break
    kinds_of = np.array([row[1] for row in rows.values()], dtype=np.int64)
    # Conservative treatment is the frequent one, so it gets more of the low ranks.
    rank = np.argsort(np.argsort(rng.random(len(rows)) + np.where(kinds_of == 0, 0.0, 0.25)))
    weight = 1.0 / (rank + 8.0) ** ZIPF_EXPONENT
    factor = np.array(FACTORS)[kinds_of] * np.exp(rng.normal(-0.08, 0.4, len(rows)))
    operations = {
        code: (kind, 1 + _pick(rng, 4, 1.2), f"合成操作{code}")
        for pool in pools
        for kind, codes in pool.items()
        for code in codes
    }
    return Tail(
        diagnosis=np.array([row[0] for row in rows.values()]),
        operation=np.array([key[1] for key in rows]),
        kind=kinds_of,
        chapter=np.array([row[2] for row in rows.values()], dtype=np.int64),
        weight=weight / weight.sum(),
        factor=factor,
        operations=operations,
    )
