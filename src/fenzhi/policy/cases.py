"""Sections on single stays: cost deviation, unstable groups, incomplete stays, bed-days, readmission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from fenzhi.policy.base import Fault, Limit, Model, Positive, Rate, Section, refuse

Formula = Literal[
    "normal",
    "ratio",
    "ratio_without_coefficient",
    "excess",
    "excess_plus_coefficient",
    "actual_cost",
    "review",
    "fee_for_service",
]
Reference = Literal["same_level_mean", "all_level_mean", "payment_standard"]


class Band(Model):
    """One band of the ratio r = cost / reference.

    ``above`` / ``upto``: the limits; ``*_included`` says whether the limit itself belongs to the band.
    ``points``: what the case gets, with S = weight, h = institution coefficient, q = cost / the factor's
    reference, limit = ``above``: ``normal`` S x h; ``ratio`` S x h x q; ``ratio_without_coefficient`` S x q;
    ``excess`` S x h x (q - limit + 1); ``excess_plus_coefficient`` S x (q - limit + h); ``actual_cost``
    S x h x cost / payment standard; ``review`` like normal until special review decides; ``fee_for_service``
    no points: the by-disease fund pays the stay directly, cost x payment ratio.
    """

    name: str
    title: str = ""
    above: Limit = Decimal(0)
    above_included: bool = False
    upto: Limit | None = None
    upto_included: bool = True
    points: Formula


class Tier(Model):
    """Bands of their own for the stays whose weight S lies between ``rw_above`` and ``rw_upto``.

    ``*_included`` says whether the limit itself belongs to the tier. The first tier includes 0.
    """

    rw_above: Limit = Decimal(0)
    rw_above_included: bool = False
    rw_upto: Limit | None = None
    rw_upto_included: bool = True
    bands: tuple[Band, ...]


class TopShare(Model):
    """The most expensive stays as a band of their own, before all bands.

    Of the n stays of a group (``of = "region"``: of all groups together) that the deviation tests, the ``share`` x n
    with the largest r = cost / test reference, rounded down. ``name``, ``points``: as of a band. ``limit``: what the
    formulas ``excess`` and ``excess_plus_coefficient`` subtract. A share of 0 takes nobody.
    """

    name: str = "top"
    title: str = ""
    share: Rate
    of: Literal["group", "region"] = "group"
    points: Formula = "fee_for_service"
    limit: Limit | None = None

    def band(self) -> Band:
        """Return the band that pays these stays."""
        above = Decimal(0) if self.limit is None else self.limit
        return Band(name=self.name, title=self.title, above=above, points=self.points)


class Span(NamedTuple):
    """From one limit to another, for checks."""

    name: str
    above: Decimal
    above_included: bool
    upto: Decimal | None
    upto_included: bool


def unless_whole(
    spans: Sequence[Span],
    word: str,
    at: tuple[int | str, ...],
    first: Decimal = Decimal(0),
    last: Decimal | None = None,
) -> Iterator[Fault]:
    """Give what keeps the spans from covering ``first`` to ``last`` (None: infinity) without gap or overlap."""
    if not spans:
        yield Fault(f"deviation needs at least one {word}", at)
        return
    if spans[0].above != first:
        yield Fault(f"{word} {spans[0].name!r} must begin at {first}", (*at, 0))
    for number, (one, two) in enumerate(pairwise(spans), start=1):
        here = (*at, number)
        if one.upto is None or one.upto > two.above:
            yield Fault(f"{word}s {one.name!r} and {two.name!r} overlap", here)
        elif one.upto < two.above:
            yield Fault(f"there is a gap between {word}s {one.name!r} and {two.name!r}", here)
        elif one.upto_included == two.above_included:
            which = "both" if one.upto_included else "neither"
            yield Fault(
                f"the limit {one.upto} must belong to one of the {word}s {one.name!r} and {two.name!r}, not {which}",
                here,
            )
    if spans[-1].upto != last:
        end = "be open above" if last is None else f"end at {last}"
        yield Fault(f"the last {word} {spans[-1].name!r} must {end}", (*at, len(spans) - 1))


def _band_faults(bands: Sequence[Band], at: tuple[int | str, ...]) -> Iterator[Fault]:
    spans = [
        Span(band.name, band.above, band.above_included, band.upto, band.upto_included) for band in bands
    ]
    yield from unless_whole(spans, "band", at)
    if len({band.name for band in bands}) != len(bands):
        yield Fault("two bands have the same name", at)
    for number, band in enumerate(bands):
        if band.name in ("unstable", "incomplete"):
            yield Fault(
                f"no band may be named {band.name!r}: results use that word for other stays", (*at, number)
            )


class Deviation(Section):
    """Cost deviation cases: ordered bands of r that must cover everything from 0 without gap or overlap.

    Either ``bands`` for all stays, or ``tiers`` by the weight of the group, each with bands of its own.
    ``top_share``: the most expensive stays, which come before the bands.
    """

    test_reference: Reference = "same_level_mean"
    factor_reference: Reference = "same_level_mean"
    bands: tuple[Band, ...] = ()
    tiers: tuple[Tier, ...] = ()
    top_share: TopShare | None = None

    @model_validator(mode="after")
    def _check(self) -> Deviation:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        yield from self._top_faults()
        if self.bands and self.tiers:
            yield Fault("deviation has bands and tiers: keep one (bands = [] takes those of the base away)")
        if not self.tiers:
            yield from _band_faults(self.bands, ("bands",))
            return
        for number, tier in enumerate(self.tiers):
            yield from _band_faults(tier.bands, ("tiers", number, "bands"))
        spans = [
            Span(str(number), tier.rw_above, tier.rw_above_included, tier.rw_upto, tier.rw_upto_included)
            for number, tier in enumerate(self.tiers, start=1)
        ]
        yield from unless_whole(spans, "tier", ("tiers",))

    def _top_faults(self) -> Iterator[Fault]:
        top = self.top_share
        if top is None:
            return
        taken = {"unstable", "incomplete", *(band.name for tier in self.all_tiers() for band in tier.bands)}
        if top.name in taken:
            yield Fault(
                f"top_share needs a name of its own, {top.name!r} is another band", ("top_share", "name")
            )
        if (top.limit is None) == top.points.startswith("excess"):
            yield Fault(
                "top_share needs a limit for excess formulas, and for them only", ("top_share", "limit")
            )

    def all_tiers(self) -> tuple[Tier, ...]:
        """Return the tiers; plain bands are one tier for every weight."""
        return self.tiers or (Tier(bands=self.bands),)

    def all_bands(self) -> tuple[Band, ...]:
        """Return the bands of all tiers, each name once, as the first tier that has it says; the top share last."""
        found: dict[str, Band] = {}
        for tier in self.all_tiers():
            for band in tier.bands:
                found.setdefault(band.name, band)
        if self.top_share is not None:
            found[self.top_share.name] = self.top_share.band()
        return tuple(found.values())


class Stability(Section):
    """Which groups are stable, and how stays of the others are paid.

    Stable: coefficient of variation at most ``cv_max``, or at least ``min_cases`` stays in the history
    (``both``: and). ``rule``: ``normal``, as all others; ``share_of_cost``, points = cost / mean cost of all
    stays x weight scale x ``factor``, no coefficient, no deviation.
    """

    cv_max: Positive = Decimal(1)
    min_cases: Annotated[int, Field(ge=1)] = 5
    both: bool = False
    rule: Literal["normal", "share_of_cost"] = "normal"
    factor: Annotated[Decimal, Field(ge=0)] = Decimal(1)


class Incomplete(Section):
    """Stays that ended before the treatment did: points follow the cost and never exceed the whole.

    ``ways``: codes of ``dscg_way``; ``los_below_days``: shorter stays; either is enough. Points = the smaller of
    S and S x cost / ``reference``; ``coefficient``: both times the coefficient of the hospital.
    """

    ways: tuple[int, ...] = ()
    los_below_days: Annotated[int, Field(ge=1)] | None = None
    reference: Reference = "all_level_mean"
    coefficient: bool = False

    @model_validator(mode="after")
    def _check(self) -> Incomplete:
        if not self.ways and self.los_below_days is None:
            raise ValueError("incomplete says of no stay that it is incomplete: give ways or los_below_days")
        return self


class DayStep(Model):
    """Days of a stay: those after the step before, up to day ``upto_days`` (without: all further).

    ``level``: only for hospitals of that level, in place of the steps without level.
    """

    level: str | None = None
    upto_days: Annotated[int, Field(ge=1)] | None = None


def step_levels(steps: Sequence[DayStep]) -> tuple[str | None, ...]:
    """Return the levels that have steps; None stands for all others."""
    return tuple(dict.fromkeys(step.level for step in steps))


def day_step_faults(steps: Sequence[DayStep], section: str) -> Iterator[Fault]:
    """Give what keeps steps from holding for every level and every day."""
    if None not in step_levels(steps):
        yield Fault(f"{section} needs steps without level: they hold for all levels not named", ("steps",))
    for level in step_levels(steps):
        ends = [step.upto_days for step in steps if step.level == level]
        name = "steps without level" if level is None else f"steps of level {level!r}"
        if ends[-1] is not None:
            yield Fault(f"the last of the {name} must be open (no upto_days)", ("steps",))
        known = [end for end in ends[:-1] if end is not None]
        if len(known) != len(ends) - 1 or known != sorted(set(known)):
            yield Fault(f"the {name} must rise in upto_days, and only the last is open", ("steps",))


class BedDayStep(DayStep):
    """Points of a day: the days of a stay after the step before, up to day ``upto_days`` (without: all further).

    ``level``: only for hospitals of that level, in place of the steps without level.
    """

    points_per_day: Limit


class BedDay(Section):
    """Stays of certain kinds (``med_type``) that are paid by points per day out of the by-disease fund.

    ``steps``: in the order of the days, for every level that is named and once without level, for all others.
    ``coefficient``: times the coefficient of the hospital.
    """

    med_types: tuple[str, ...] = Field(min_length=1)
    coefficient: bool = False
    steps: tuple[BedDayStep, ...]

    @model_validator(mode="after")
    def _check(self) -> BedDay:
        refuse(day_step_faults(self.steps, "bed_day"))
        return self

    def steps_of(self, level: str | None) -> tuple[BedDayStep, ...]:
        """Return the steps that name this level, in order."""
        return tuple(step for step in self.steps if step.level == level)


class Readmission(Section):
    """A stay soon after another of the same person in the same group gets its points times ``factor``.

    ``days``: from discharge to admission, at most. ``same_hospital``: only if both were in one hospital.
    """

    days: Annotated[int, Field(ge=0)]
    same_hospital: bool = True
    factor: Rate
