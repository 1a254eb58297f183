"""The section on add-ons: points besides those of the group, for new technology and joint operations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Limit, Model, Section


class AddOn(Model):
    """One add-on: which operations earn it, and what it is worth.

    ``operations``: codes of operations or of technology that is recorded as one; a listed code stands for its
    extensions as well. ``match``: ``any``, one of them is enough; ``all``, each must be there (joint operations that no
    group describes). Worth ``points``, or ``share`` of the weight of the stay's group; ``cap`` bounds it.
    """

    name: str = Field(pattern=r"^[^|]+$")
    title: str = ""
    operations: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    match: Literal["any", "all"] = "any"
    points: Limit | None = None
    share: Limit | None = None
    cap: Limit | None = None

    @model_validator(mode="after")
    def _check(self) -> AddOn:
        if (self.points is None) == (self.share is None):
            raise ValueError(f"the add-on {self.name!r} needs points or a share, one of them")
        if self.match == "all" and len(set(self.operations)) < 2:
            raise ValueError(f"the add-on {self.name!r} asks for operations together: list at least two")
        return self


class AddOns(Section):
    """Extra points of stays in groups, added last: after deviation, readmission and review.

    ``items``: every add-on that a stay has earned counts. ``cap``: at most so many points for one stay.
    """

    items: tuple[AddOn, ...] = Field(min_length=1)
    cap: Limit | None = None

    @model_validator(mode="after")
    def _check(self) -> AddOns:
        if len({item.name for item in self.items}) != len(self.items):
            raise ValueError("two add-ons have the same name")
        return self
