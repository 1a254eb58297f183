"""Special review: who may apply, how many may be approved, what may be decided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Limit, Model, Rate, Section

Outcome = Literal["fee_for_service", "adjusted_standard", "coefficient", "expert_points", "refused"]
RankBy = Literal["cost_multiple", "amount_over", "cost", "los", "applied_at"]


class ReviewCriterion(Model):
    """One reason for special review; everything that it states must hold.

    ``los_above_days`` / ``icu_above_hours``: more than so many. ``los_multiple``: days above so many times the mean of
    the group's stays in the history. ``cost_multiple``: cost above so many times the reference. ``items``: drugs or
    technologies, one of which the application names. ``departments``: one of them discharged the stay or is named in
    the application. ``age_from`` / ``age_upto``: completed years, both included.
    """

    name: str = Field(min_length=1)
    title: str = ""
    los_above_days: Annotated[int, Field(ge=1)] | None = None
    los_multiple: Limit | None = None
    cost_multiple: Limit | None = None
    icu_above_hours: Limit | None = None
    items: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    age_from: Annotated[int, Field(ge=0)] | None = None
    age_upto: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> ReviewCriterion:
        stated = self.model_dump(exclude={"name", "title"})
        if all(value is None or value == () for value in stated.values()):
            raise ValueError(f"the criterion {self.name!r} states no condition")
        if self.age_from is not None and self.age_upto is not None and self.age_from > self.age_upto:
            raise ValueError(f"the criterion {self.name!r} holds for no age")
        return self


class SpecialReview(Section):
    """Special review: applications, quota, decisions in the place of the deviation.

    ``match``: an application needs any or all of the ``criteria``. ``reference`` of ``cost_multiple``: payment
    standard before deviation at the opening value, or the reference of the deviation test. ``quota``: approvals at
    most, as a share of the stays that by-disease payment took (rounded down), over the region; with ``level_quotas``
    by level of the hospital, ``quota`` then holds for each level not named. ``rank_by``: what decides over the quota,
    first one first: the larger goes first, for ``applied_at`` the earlier. ``outcomes``: what may be decided.
    """

    criteria: tuple[ReviewCriterion, ...] = Field(min_length=1)
    match: Literal["any", "all"] = "any"
    reference: Literal["payment_standard", "deviation"] = "payment_standard"
    quota: Rate
    level_quotas: dict[str, Rate] = Field(default_factory=dict)
    rank_by: tuple[RankBy, ...] = ("cost_multiple",)
    outcomes: tuple[Outcome, ...] = (
        "fee_for_service",
        "adjusted_standard",
        "coefficient",
        "expert_points",
        "refused",
    )

    @model_validator(mode="after")
    def _check(self) -> SpecialReview:
        names = [criterion.name for criterion in self.criteria]
        if len(set(names)) != len(names):
            raise ValueError("two criteria have the same name")
        if len(set(self.rank_by)) != len(self.rank_by):
            raise ValueError("rank_by lists a criterion twice")
        return self
