"""Auxiliary types: families of levels inside a group, told by severity, comorbidity, age, intensive care."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Decimals, Fault, FaultsError, Fee, Limit, Model, Rate, Section, refuse

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]+$")]
Days = Annotated[int, Field(ge=0)]
OTHER = "other"
_SPANS = ("los", "cci", "age", "age_days", "icu_days")


class AuxiliaryLevel(Model):
    """One level of a family: all conditions that it states must hold; what is not known never holds.

    ``ways``: codes of ``dscg_way``. ``lists``: another diagnosis stands in one of these comorbidity lists.
    ``los_from`` / ``los_upto``: days of stay, like all limits included. ``cost_from``: cost at least so many
    times the mean of the group. ``fees`` and ``fee_share_from``: these fees together are at least that share of
    the total. ``cci_from`` / ``cci_upto``: the score of the other diagnoses. ``age_from`` / ``age_upto``: years;
    ``age_days_from`` / ``age_days_upto``: days. ``icu_days_from`` / ``icu_days_upto``: whole days of intensive
    care. ``split_by``: the level is divided once more by the levels of that family.
    """

    name: Name
    title: str = ""
    ways: tuple[int, ...] = ()
    lists: tuple[Name, ...] = ()
    los_from: Days | None = None
    los_upto: Days | None = None
    cost_from: Limit | None = None
    fees: tuple[Fee, ...] = ()
    fee_share_from: Rate | None = None
    cci_from: Days | None = None
    cci_upto: Days | None = None
    age_from: Days | None = None
    age_upto: Days | None = None
    age_days_from: Days | None = None
    age_days_upto: Days | None = None
    icu_days_from: Days | None = None
    icu_days_upto: Days | None = None
    split_by: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> AuxiliaryLevel:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.name == OTHER:
            yield Fault(f"no level may be named {OTHER!r}: stays of no level go by that word", ("name",))
        if bool(self.fees) != (self.fee_share_from is not None):
            yield Fault(f"level {self.name!r} needs fees and fee_share_from together")
        spans = {what: (getattr(self, f"{what}_from"), getattr(self, f"{what}_upto")) for what in _SPANS}
        for what, (low, high) in spans.items():
            if low is not None and high is not None and low > high:
                yield Fault(f"level {self.name!r}: {what}_from is larger than {what}_upto", (f"{what}_from",))
        stated = [end for ends in spans.values() for end in ends if end is not None]
        if not (stated or self.ways or self.lists or self.fees or self.cost_from is not None):
            yield Fault(f"level {self.name!r} states no condition: leave it out, the rest is {OTHER!r}")


class AuxiliaryFamily(Model):
    """A family: its levels in order, the first that holds wins; all other stays are ``other``.

    ``main_in`` / ``main_not_in``: comorbidity lists; only stays whose principal diagnosis stands in one (in none)
    of them have a level.
    """

    name: Name
    title: str = ""
    main_in: tuple[Name, ...] = ()
    main_not_in: tuple[Name, ...] = ()
    levels: tuple[AuxiliaryLevel, ...] = Field(min_length=1, max_length=30)

    @model_validator(mode="after")
    def _check(self) -> AuxiliaryFamily:
        names = [level.name for level in self.levels]
        if len(set(names)) != len(names):
            raise FaultsError([Fault(f"family {self.name!r} has two levels of the same name", ("levels",))])
        return self


class Auxiliary(Section):
    """Auxiliary types: a coefficient for the level that a stay has inside its group.

    ``source``: ``measured``, from history: one family for each group that has one; ``listed``: the region's
    auxiliary.csv names groups, families, levels and coefficients, and the largest that fits a stay counts.
    ``comorbidity``: the file of lists of diagnoses (beside region.toml, or the id of a shipped one). A family is
    taken for a group with at least ``min_cases`` stays in history, levels with at least ``min_level_cases``
    (smaller ones join the rest), if the coefficient of variation inside levels is lower by ``cv_drop`` at least.
    ``excluded_layers``: groups of these layers have no auxiliary types.
    """

    source: Literal["measured", "listed"] = "measured"
    comorbidity: str | None = None
    min_cases: Annotated[int, Field(ge=1)] = 15
    min_level_cases: Annotated[int, Field(ge=1)] = 5
    cv_drop: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)] = Decimal("0.2")
    decimals: Decimals = 4
    excluded_layers: tuple[str, ...] = ("comprehensive", "tcm")
    families: tuple[AuxiliaryFamily, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Auxiliary:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        names = [family.name for family in self.families]
        if len(set(names)) != len(names):
            yield Fault("two families have the same name", ("families",))
        plain = {f.name for f in self.families if all(level.split_by is None for level in f.levels)}
        for at, family in enumerate(self.families):
            for number, level in enumerate(family.levels):
                if level.split_by is not None and level.split_by not in plain - {family.name}:
                    yield Fault(
                        f"level {level.name!r} of {family.name!r} is split by {level.split_by!r}, "
                        "which is no other family without split levels",
                        ("families", at, "levels", number, "split_by"),
                    )
        if self.comorbidity is None and (self.lists() or self.scores()):
            yield Fault(
                "families that look at diagnoses need comorbidity: the file of the lists", ("comorbidity",)
            )

    def title_of(self, family: AuxiliaryFamily, level: str) -> str:
        """Return a level of :meth:`level_names` in words: ``family: level``, names where there is no title."""
        by_name = {each.name: each for each in self.families}
        first, _, part = level.partition("/")
        own = next((each for each in family.levels if each.name == first), None)
        text = f"{family.title or family.name}: {(own.title if own else '') or first}"
        if own is None or own.split_by is None:
            return text
        return f"{text}, {self.title_of(by_name[own.split_by], part)}"

    def lists(self) -> tuple[str, ...]:
        """Return the names of all comorbidity lists that families use, each once."""
        found: dict[str, None] = {}
        for family in self.families:
            found.update(dict.fromkeys((*family.main_in, *family.main_not_in)))
            for level in family.levels:
                found.update(dict.fromkeys(level.lists))
        return tuple(found)

    def scores(self) -> bool:
        """Return whether a level asks for the comorbidity score."""
        levels = [level for family in self.families for level in family.levels]
        return any(level.cci_from is not None or level.cci_upto is not None for level in levels)

    def fees(self) -> tuple[str, ...]:
        """Return the fee columns that levels ask for, each once."""
        levels = [level for family in self.families for level in family.levels]
        return tuple(dict.fromkeys(fee for level in levels for fee in level.fees))

    def level_names(self, family: AuxiliaryFamily) -> tuple[str, ...]:
        """Return the levels a stay can have in a family, split ones as ``level/level``, ``other`` last."""
        by_name = {each.name: each for each in self.families}
        found: list[str] = []
        for level in family.levels:
            if level.split_by is None:
                found.append(level.name)
            else:
                found += [f"{level.name}/{part}" for part in self.level_names(by_name[level.split_by])]
        return (*found, OTHER)
