"""The policy pack: every rule and figure that regions set differently, frozen and checked.

A pack is a TOML file (see :mod:`fenzhi.policy.load`). Each section says where it comes from (``cite``)
and how sure that is (``confidence``). All figures are exact decimals; a float never enters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.add_ons import AddOns
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.policy.base import Decimals, Fault, FaultsError, Model, Positive, Rate, Section, refuse
from fenzhi.policy.cases import BedDay, Deviation, Incomplete, Readmission, Stability
from fenzhi.policy.coefficients import Coefficients
from fenzhi.policy.grassroots import Grassroots
from fenzhi.policy.review import SpecialReview
from fenzhi.policy.tcm import Tcm
from fenzhi.policy.tracks import AnyTrack, track_faults
from fenzhi.policy.values import PointValue, Settlement, Sharing


class Meta(Model):
    """Who the pack is for and when it holds (by discharge date, both ends included).

    ``extends``: the pack (file or name) over which this one is laid. ``valid_from``, ``valid_to``: without them
    it holds from ever, for ever; a base does not hand its dates on.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.\-]*$")
    title: str
    title_en: str = ""
    scheme: Literal["dip", "drg"]
    version: str
    extends: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="after")
    def _check(self) -> Meta:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise FaultsError([Fault("valid_to lies before valid_from", ("valid_to",))])
        return self


class Scope(Section):
    """Which stays are paid by disease, and what their cost is.

    ``cost``: ``total`` or ``total_minus_paid_apart`` (items paid apart are inside the total).
    ``min_los_days`` / ``max_los_days``: stays outside leave by-disease payment (outcome excluded).
    ``other_tracks``: kind of stay (``med_type``) -> track; such stays get the outcome other_track. If ``[[tracks]]``
    has a track of that id, it pays them; else they are counted only.
    """

    cost: Literal["total", "total_minus_paid_apart"] = "total_minus_paid_apart"
    min_los_days: int | None = None
    max_los_days: int | None = None
    other_tracks: dict[str, str] = Field(default_factory=dict)


class OperationClass(StrEnum):
    """Kind of treatment, in the order conservative < diagnostic < therapeutic < interventional < surgery."""

    CONSERVATIVE = "conservative"
    DIAGNOSTIC = "diagnostic"
    THERAPEUTIC = "therapeutic"
    INTERVENTIONAL = "interventional"
    SURGERY = "surgery"


Criterion = Literal[
    "layer",
    "most_terms",
    "most_related",
    "most_operations",
    "diagnosis_specificity",
    "higher_weight",
    "class_order",
    "no_unmatched_surgery",
    "closest_cost",
    "group_id",
]


class Grouping(Section):
    """How a stay finds its DIP group.

    ``precedence``: criteria that decide between groups that all accept a stay, first one first; the group
    code always decides last. ``class_order``: used by the criterion of that name, entries
    ``<core|grassroots|comprehensive>-<surgery|interventional|therapeutic|diagnostic|conservative>``.
    ``no_unmatched_surgery``: rows that leave none of the stay's operations of surgery unmatched, docs/rules.md 2.6.
    ``unknown_operation_type``: the kind of an operation that the operation table does not list.
    ``interventional_as``: the kind that interventional operations have in comprehensive groups.
    ``comprehensive_type``: by the effective main operation, or the highest kind over all operations.
    ``excluded_diagnosis_match``: ``exact`` full code, or ``prefix`` (a listed code excludes what starts with it).
    """

    precedence: tuple[Criterion, ...] = (
        "layer",
        "most_terms",
        "most_related",
        "diagnosis_specificity",
        "group_id",
    )
    class_order: tuple[str, ...] = ()
    unknown_operation_type: OperationClass = OperationClass.CONSERVATIVE
    interventional_as: OperationClass = OperationClass.SURGERY
    comprehensive_type: Literal["main", "highest"] = "main"
    excluded_diagnosis_match: Literal["exact", "prefix"] = "exact"

    @model_validator(mode="after")
    def _check(self) -> Grouping:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        at = ("precedence",)
        if len(set(self.precedence)) != len(self.precedence):
            yield Fault("precedence lists a criterion twice", at)
        if self.precedence and self.precedence[0] == "closest_cost":
            yield Fault("precedence must not begin with closest_cost: it only decides between equals", at)
        if ("class_order" in self.precedence) != bool(self.class_order):
            yield Fault("class_order needs the criterion class_order in precedence, and the reverse", at)
        names = list(self.precedence)
        if "closest_cost" in names and "no_unmatched_surgery" in names[names.index("closest_cost") :]:
            yield Fault("no_unmatched_surgery must stand before closest_cost", at)


class Ungrouped(Section):
    """How a stay without a group is paid.

    ``share_of_cost``: points = cost / mean cost of all stays x weight scale x ``factor``, no coefficient.
    ``none``: no points (paid outside points). ``fee_for_service``: no points; the by-disease fund pays the stay
    directly, cost x payment ratio x ``factor``, before the point value is computed.
    """

    rule: Literal["share_of_cost", "none", "fee_for_service"] = "share_of_cost"
    factor: Annotated[Decimal, Field(ge=0)] = Decimal("0.7")


class Trim(Model):
    """Which costs of a group are left out of its mean.

    ``percentile``: keep costs between the quantiles ``low`` and ``high`` (linear interpolation, bounds kept).
    ``mean_sd``: keep mean +- ``k`` population standard deviations. ``factor``: keep ``low`` to ``high`` times
    the group's mean. Groups with fewer than ``min_cases`` stays are not trimmed.
    """

    method: Literal["none", "percentile", "mean_sd", "factor"] = "percentile"
    low: Decimal = Decimal("0.025")
    high: Decimal = Decimal("0.975")
    k: Positive = Decimal(2)
    min_cases: Annotated[int, Field(ge=1)] = 25

    @model_validator(mode="after")
    def _check(self) -> Trim:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.low >= self.high:
            yield Fault("trim: low must be smaller than high", ("low",))
        if self.method == "percentile" and not (self.low >= 0 and self.high <= 1):
            yield Fault("trim: percentiles must lie between 0 and 1", ("low",) if self.low < 0 else ("high",))


class Threshold(Model):
    """From how many stays (over the years of history) a combination becomes a core group.

    ``fixed``: ``cases``. ``coverage``: the largest threshold whose core groups still cover ``coverage`` of stays.
    """

    mode: Literal["fixed", "coverage"] = "fixed"
    cases: Annotated[int, Field(ge=1)] = 15
    coverage: Rate = Decimal("0.95")


class Weights(Section):
    """How weights are measured on history.

    ``method``: ``mean_cost`` (mean of the group / mean of all x scale), ``benchmark`` (/ mean of
    ``benchmark_group``), ``standard_amount`` (/ ``standard_yuan``), ``given`` (the catalogue's own table of
    weights x scale). ``year_weights``: oldest to newest.
    ``pooling``: ``yearly_means`` (weighted average of the yearly means over the years in which the group has
    stays) or ``cases`` (years' costs and stays weighted first, then divided).
    Building a catalogue: ``related_cost_share``, the cost that a related operation adds at least to make a group of its
    own; ``drop_small_comprehensive``, comprehensive groups below the threshold are left out;
    ``comprehensive_cv_max``, those with a larger coefficient of variation are flagged.
    """

    method: Literal["mean_cost", "benchmark", "standard_amount", "given"] = "mean_cost"
    scale: Annotated[int, Field(ge=1)] = 1000
    decimals: Decimals = 4
    benchmark_group: str | None = None
    standard_yuan: Positive | None = None
    year_weights: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2, 7)
    pooling: Literal["yearly_means", "cases"] = "yearly_means"
    trim: Trim = Trim()
    threshold: Threshold = Threshold()
    related_cost_share: Rate = Decimal("0.10")
    drop_small_comprehensive: bool = False
    comprehensive_cv_max: Positive = Decimal(1)

    @model_validator(mode="after")
    def _check(self) -> Weights:
        if self.method == "benchmark" and not self.benchmark_group:
            raise FaultsError([Fault("method benchmark needs benchmark_group", ("method",))])
        if self.method == "standard_amount" and self.standard_yuan is None:
            raise FaultsError([Fault("method standard_amount needs standard_yuan", ("method",))])
        return self


class Points(Section):
    """How points of a case are rounded: once, half up, to ``decimals``."""

    decimals: Decimals = 4


class Policy(Model):
    """A whole policy pack."""

    meta: Meta
    scope: Scope = Scope()
    grouping: Grouping = Grouping()
    ungrouped: Ungrouped = Ungrouped()
    tcm: Tcm | None = None
    weights: Weights = Weights()
    coefficients: Coefficients = Coefficients()
    grassroots: Grassroots | None = None
    auxiliary: Auxiliary | None = None
    points: Points = Points()
    stability: Stability | None = None
    deviation: Deviation
    incomplete: Incomplete | None = None
    bed_day: BedDay | None = None
    readmission: Readmission | None = None
    add_ons: AddOns | None = None
    special_review: SpecialReview | None = None
    point_value: PointValue = PointValue()
    sharing: Sharing | None = None
    settlement: Settlement = Settlement()
    tracks: tuple[AnyTrack, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Policy:
        refuse(track_faults(self.tracks, self.scope.other_tracks))
        if self.point_value.rate == "fixed" and self.settlement.residual != "reserve":
            raise ValueError(
                "point_value.rate = fixed needs settlement.residual = reserve: "
                "a fixed rate leaves something over or lacks something"
            )
        return self
