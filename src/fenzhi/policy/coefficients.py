"""The section on institution coefficients: their five forms, and the items of a bonus or a product."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Decimals, Fault, Limit, Model, Positive, Section, refuse

Form = Literal["class", "cost", "basic_bonus", "product", "group"]


class Item(Model):
    """A named item of which every hospital has a value in bonuses.csv: capability, key specialties, CMI ...

    ``form = "basic_bonus"``: the item adds value x ``weight``, at most ``cap``. ``form = "product"``: the value, at
    most ``cap``, is a factor. ``default``: the value of hospitals that the file does not name; without it each
    hospital must be named.
    """

    name: str = Field(min_length=1)
    title: str = ""
    weight: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    cap: Annotated[Decimal, Field(ge=0)] | None = None
    default: Annotated[Decimal, Field(decimal_places=4)] | None = None


class Coefficients(Section):
    """What a hospital's stays are worth against the region's.

    ``form``: ``class``, one coefficient per hospital: weighted mean cost of its class / of the region;
    ``basic_bonus``, the class's plus the ``items``; ``product``, the factor of the hospital's level in ``levels``
    times the ``items``; ``group``, one per class and group: mean cost of the class in the group / of the region in
    the group, where every class has at least ``min_cases`` stays, no higher level is cheaper than a lower one
    (``level_order``, lowest first) and the group is not conservative, else the class's; ``cost``,
    one per hospital and group: mean cost of the group in the hospital / in the region, over the newest
    ``cost_years`` years, 1 with fewer than ``min_cases`` stays of the hospital. ``by``: the columns of
    hospitals.csv that make a class. ``grassroots_exempt``: grassroots groups get 1, and so do all groups of the
    ``exempt_layers`` of the catalogue. ``floor`` / ``cap`` bound the result.
    """

    form: Form = "class"
    by: tuple[Literal["level", "type"], ...] = ("level", "type")
    cost_years: Annotated[int, Field(ge=1)] = 2
    min_cases: Annotated[int, Field(ge=1)] = 5
    decimals: Decimals = 4
    grassroots_exempt: bool = True
    exempt_layers: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    levels: dict[str, Limit] = Field(default_factory=dict)
    level_order: tuple[str, ...] = ()
    floor: Positive | None = None
    cap: Positive | None = None

    @model_validator(mode="after")
    def _check(self) -> Coefficients:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.form == "basic_bonus" and not self.items:
            yield Fault("form = basic_bonus needs items", ("form",))
        if self.form == "product":
            if not (self.items or self.levels):
                yield Fault("form = product needs items or levels", ("form",))
            for at, item in enumerate(self.items):
                if item.weight != 1:
                    yield Fault("the factors of a product have no weight", ("items", at, "weight"))
        if self.form == "group" and "level" in self.by and not self.level_order:
            yield Fault("form = group by level needs level_order: the levels, lowest first", ("form",))
        names = [item.name for item in self.items]
        for at, name in enumerate(names):
            if name in names[:at]:
                yield Fault("two items have the same name", ("items", at, "name"))
        if len(set(self.level_order)) != len(self.level_order):
            yield Fault("level_order names a level twice", ("level_order",))
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            yield Fault("floor is above cap", ("floor",))
