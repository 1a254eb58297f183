"""Pools of a region: which insurance kinds and insured areas each takes, so that a stay is in one pool at most.

docs/rules.md, section 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, Field

from fenzhi.policy.base import Fault, FaultsError, Model

Words = Literal["local", "other", "any"]
WORDS: tuple[Words, ...] = ("local", "other", "any")
#: Findings name at most so many areas without pool.
MOST_AREAS = 10


def _checked_areas(given: Any) -> Any:
    """Refuse what is neither a word nor a list of codes, with one message for both."""
    if isinstance(given, str):
        fault = f"areas is one of {', '.join(WORDS)}, or a list of codes of insured areas"
        if given not in WORDS:
            raise FaultsError([Fault(fault)])
        return given
    if not isinstance(given, list | tuple) or not given:
        raise FaultsError([Fault(f"areas is one of {', '.join(WORDS)}, or a list of at least one code")])
    for code in given:
        if not isinstance(code, str) or not code or code != code.strip():
            raise FaultsError(
                [Fault(f"an insured area is a code written as text, without spaces; this is {code!r}")]
            )
    if len(set(given)) != len(given):
        twice = next(code for code in given if given.count(code) > 1)
        raise FaultsError([Fault(f"the area {twice} is listed twice")])
    return tuple(given)


class Pool(Model):
    """A pool: which insurance kinds and insured areas it takes; ``opening_value`` replaces the computed one.

    ``areas``: ``local``, ``other``, ``any``, or a list of codes, which then belong to this pool and to no other one of
    the same insurance kinds.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    title: str
    insutype: tuple[str, ...] = Field(min_length=1)
    areas: Annotated[Words | tuple[str, ...], BeforeValidator(_checked_areas)] = "local"
    opening_value: Decimal | None = Field(default=None, gt=0, lt=1_000_000, decimal_places=4)

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the areas that the pool lists; empty if a word describes them."""
        return () if isinstance(self.areas, str) else self.areas


def in_order(pools: Sequence[Pool]) -> list[Pool]:
    """Return the pools in the order in which they are tried: those that list areas first, else that of the file."""
    return sorted(pools, key=lambda pool: not pool.listed)


def _shared(one: Pool, two: Pool) -> tuple[str, ...]:
    return tuple(kind for kind in one.insutype if kind in two.insutype)


def listed_twice(pools: Sequence[Pool]) -> Iterator[tuple[int, str]]:
    """Find areas that two pools of one insurance kind list: number of the later pool, from 0, and what is wrong."""
    for (_, one), (at, two) in combinations(enumerate(pools), 2):
        both = [area for area in one.listed if area in two.listed]
        if both and (kinds := _shared(one, two)):
            yield (
                at,
                f"pools {one.id} and {two.id} both list the area {both[0]} for the insurance kind {kinds[0]}: "
                "a stay belongs to one pool",
            )


def overlaps(pools: Sequence[Pool], area: str | None) -> list[str]:
    """Say in words which pools describe the same stays, and which of them has these stays."""
    found = []
    tried = in_order(pools)
    for one, two in combinations(tried, 2):
        kinds = _shared(one, two)
        if not kinds or two.listed:
            continue
        if one.listed:
            here = [
                code for code in one.listed if two.areas == "any" or (code == area) == (two.areas == "local")
            ]
            what, why = ", ".join(here), "lists them"
        else:
            words = {one.areas, two.areas}
            what = "" if words == {"local", "other"} else _both(words)
            why = "stands first in region.toml"
        if what:
            found.append(
                f"pools {one.id} and {two.id} both take the insurance kind {', '.join(kinds)} of the areas {what}; "
                f"{one.id} {why} and has these stays"
            )
    return found


def _both(words: set[Any]) -> str:
    return next((word for word in ("local", "other") if word in words), "any")


def gaps(stays: pl.DataFrame, pools: Sequence[Pool]) -> list[tuple[bool, str]]:
    """Say for each insurance kind which insured areas no pool takes, given stays with pool, insutype, insu_admdvs.

    With each: whether a pool of the kind lists areas, so that one may have been forgotten.
    """
    kinds = sorted({kind for pool in pools for kind in pool.insutype})
    counts = (
        stays.filter(pl.col("pool").is_null() & pl.col("insutype").is_in(kinds))
        .group_by("insutype", pl.col("insu_admdvs").fill_null("-").alias("area"))
        .len()
        .sort("insutype", "len", "area", descending=[False, True, False])
    )
    found = []
    for (kind,), part in counts.group_by("insutype", maintain_order=True):
        listed = any(pool.listed for pool in pools if kind in pool.insutype)
        named = ", ".join(
            f"{area} ({n})" for area, n in part.select("area", "len").head(MOST_AREAS).iter_rows()
        )
        more = f" and {part.height - MOST_AREAS} further areas" if part.height > MOST_AREAS else ""
        found.append(
            (
                listed,
                f"no pool takes the insurance kind {kind} of these insured areas (stays): {named}{more}; "
                "these stays are out of the region",
            )
        )
    return found
