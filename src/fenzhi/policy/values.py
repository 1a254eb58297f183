"""Sections on what a point is worth and how the year is paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Decimals, Fault, Fee, Limit, Model, Rate, Section, refuse
from fenzhi.policy.cases import Span, unless_whole


class Elastic(Model):
    """Which part of the points keeps the opening value while the rest shares what the fund has left.

    ``form``: ``base_volume``, the share ``base_share`` of a hospital's points of this year, or (``base =
    "last_year"``) as many points as that share of its points of the newest history year; ``severe``, the points of
    stays in groups whose weight is at least ``severe_from`` or that ``severe_groups`` names; ``rigid_cost``, the
    part of a group's points that the ``fees`` have in its cost in the history.
    """

    form: Literal["base_volume", "severe", "rigid_cost"]
    base: Literal["this_year", "last_year"] = "this_year"
    base_share: Rate = Decimal("0.8")
    severe_from: Limit | None = None
    severe_groups: tuple[str, ...] = ()
    fees: tuple[Fee, ...] = ("drug_fee", "matl_fee")

    @model_validator(mode="after")
    def _check(self) -> Elastic:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.form == "severe" and self.severe_from is None and not self.severe_groups:
            yield Fault("form severe needs severe_from or severe_groups", ("form",))
        if self.form == "rigid_cost" and not self.fees:
            yield Fault("form rigid_cost needs fees", ("fees",))


class PointValue(Section):
    """Opening and settlement point value.

    ``opening``: ``mean``, cost / points of the history; ``trimmed``, the same without stays whose cost per point
    lies outside the quantiles ``opening_low`` .. ``opening_high``; ``favourable``, the mean over the hospitals whose
    cost per point is below that of the region; ``favourable_2d``, the geometric median of the hospitals that are below
    the region in cost per point and in cost per stay.
    ``settlement``: ``ratio`` (fund amount = points x value x payment ratio) or ``difference`` (points x value
    minus what patients and other payers paid). ``rate``: ``floating``, the settlement value follows from the
    fund; ``fixed``, it is the opening value, and the reserve takes what the fund has over or lacks; ``elastic``, a part
    of the points is fixed (section ``elastic``), the others float.
    ``floor``, ``ceiling``: the floating value lies between these multiples of the opening value; the reserve gives what
    the floor costs, as far as it reaches, and takes what the ceiling leaves.
    ``period``: the value is one for the ``year``, or for each ``quarter`` or ``month`` of discharge;
    ``period_split``: periods share the fund ``equal`` or in proportion to what was ``booked``.
    """

    opening: Literal["mean", "trimmed", "favourable", "favourable_2d"] = "mean"
    opening_low: Rate = Decimal("0.025")
    opening_high: Rate = Decimal("0.975")
    settlement: Literal["ratio", "difference"] = "ratio"
    rate: Literal["floating", "fixed", "elastic"] = "floating"
    elastic: Elastic | None = None
    floor: Limit | None = None
    ceiling: Limit | None = None
    period: Literal["year", "quarter", "month"] = "year"
    period_split: Literal["equal", "booked"] = "booked"
    decimals: Decimals = 4

    @model_validator(mode="after")
    def _check(self) -> PointValue:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if (self.rate == "elastic") != (self.elastic is not None):
            yield Fault("rate elastic needs the section elastic, and the reverse", ("rate",))
        if self.opening_low >= self.opening_high:
            yield Fault("opening_low must be smaller than opening_high", ("opening_low",))
        if self.rate == "fixed" and not (self.floor is None and self.ceiling is None):
            yield Fault("a fixed rate has no floor and no ceiling", ("rate",))
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            yield Fault("floor must not be above ceiling", ("floor",))


def is_plain(rules: PointValue) -> bool:
    """Say whether every pool has one value for the year, without bounds, for all of its points."""
    return (
        rules.rate != "elastic" and rules.period == "year" and rules.floor is None and rules.ceiling is None
    )


class Settlement(Section):
    """How the year is paid.

    ``advance_ratio``: share of a month's amount paid at once. ``working_capital_months``: months of last
    year's mean fund payment lent at the start. ``residual``: fen left by rounded point values, ``apportion`` (largest
    remainder over the hospitals) or ``reserve``.
    ``deposit_ratio``: share of a month's amount withheld as quality deposit; ``deposit_release``: ``assessment``, at
    the close the hospital gets back its share by the assessment coefficient (at most 1), or ``full``.
    ``clearing``: ``year``, or ``quarter``: at the end of each quarter what is due at the opening value and not yet
    advanced is paid. ``next_year_violation_share``: this share of the violations is to be deducted next year as well.
    ``clear_by``: month and day of the next year by which the clearing must be paid.
    """

    advance_ratio: Rate = Decimal("0.90")
    working_capital_months: Annotated[Decimal, Field(ge=0, le=12)] = Decimal(1)
    residual: Literal["apportion", "reserve"] = "apportion"
    deposit_ratio: Rate = Decimal(0)
    deposit_release: Literal["assessment", "full"] = "assessment"
    clearing: Literal["year", "quarter"] = "year"
    next_year_violation_share: Rate = Decimal(0)
    clear_by: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")] = "03-31"

    @model_validator(mode="after")
    def _check(self) -> Settlement:
        if self.advance_ratio + self.deposit_ratio > 1:
            refuse(
                [Fault("advance_ratio and deposit_ratio together must not be above 1", ("deposit_ratio",))]
            )
        return self


class ShareTier(Model):
    """What is shared where x = booked / payable lies between ``above`` and ``upto``.

    ``share``: of a surplus the part that the hospital keeps, of an overrun the part that the fund bears. ``base``:
    ``part``, the share of that part of the difference that lies inside the tier, tier by tier; ``whole``, if x lies in
    this tier, this share of the whole difference.
    """

    above: Limit
    above_included: bool = False
    upto: Limit | None = None
    upto_included: bool = True
    share: Rate
    base: Literal["part", "whole"] = "part"


class Sharing(Section):
    """How a hospital's surplus (booked below payable) is kept and its overrun (booked above payable) shared.

    ``surplus``: tiers of x = booked / payable from 0 to 1, ``overrun``: from 1 without end; either may be left out:
    then a surplus is kept, an overrun is not paid. What is not kept goes to the reserve of the pool; what the fund
    bears comes out of it, as far as it reaches.
    """

    surplus: tuple[ShareTier, ...] = ()
    overrun: tuple[ShareTier, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Sharing:
        refuse(
            [*_tier_faults(self.surplus, "surplus", 0, 1), *_tier_faults(self.overrun, "overrun", 1, None)]
        )
        return self


def _tier_faults(tiers: Sequence[ShareTier], name: str, first: int, last: int | None) -> Iterator[Fault]:
    if not tiers:
        return
    spans = [
        Span(f"{name} {number}", tier.above, tier.above_included, tier.upto, tier.upto_included)
        for number, tier in enumerate(tiers, start=1)
    ]
    yield from unless_whole(spans, "tier", (name,), Decimal(first), None if last is None else Decimal(last))
