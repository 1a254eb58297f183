"""A scenario: what is different in a year, as a TOML file. docs/reference/scenario.md has every key."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from fenzhi.errors import PolicyError, RegionError
from fenzhi.policy import read_toml
from fenzhi.policy.base import Fault, FaultsError, Model, refuse
from fenzhi.policy.fields import Place, dotted, keys_at, nearest
from fenzhi.policy.layers import key_lines

Growth = Annotated[Decimal, Field(ge=-1, le=100)]
Share = Annotated[Decimal, Field(gt=0, le=1)]
Names = str | Annotated[tuple[str, ...], Field(min_length=1)]
Given = Annotated[Decimal, Field(ge=0, lt=10_000, decimal_places=4)]
Yuan = Annotated[Decimal, Field(ge=0, lt=10**13, decimal_places=2)]


class Pick(Model):
    """Which stays: those for which everything holds that is stated, as the year groups them before the scenario.

    ``hospital``: code; without it that of the scenario. ``group``, ``department``, ``doctor``: one or a list.
    """

    hospital: str | None = None
    group: Names | None = None
    department: Names | None = None
    doctor: Names | None = None


class Volume(Pick):
    """More or fewer stays of the same kind: whole stays are there once more, or leave.

    ``growth``: a share of the stays, below 0 for fewer; or ``stays``: so many more, below 0 fewer.
    """

    growth: Growth | None = None
    stays: Annotated[int, Field(ge=-10_000_000, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Volume:
        if (self.growth is None) == (self.stays is None):
            raise FaultsError([Fault("give growth or stays, one of them", ("growth",))])
        return self


class Mix(Pick):
    """Stays of ``group`` give way to as many stays of the group ``to``: a ``share`` of them, 0 to 1."""

    group: str
    to: str
    share: Share


class Cost(Pick):
    """Other costs or days for a ``share`` of the stays (all: 1).

    ``cost``: change of every amount as a share, -0.05 is five per cent less. ``los_days``: days more, below 0 fewer;
    a stay has at least one day.
    """

    share: Share = Decimal(1)
    cost: Annotated[Decimal, Field(gt=-1, le=100)] | None = None
    los_days: Annotated[int, Field(ge=-1000, le=1000)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Cost:
        if self.cost is None and self.los_days is None:
            raise FaultsError([Fault("give cost, los_days or both", ("cost",))])
        return self


class Move(Pick):
    """A ``share`` of the stays is treated otherwise: on another ``track`` (such as day surgery), at ``to_hospital``
    (such as a grassroots institution), or on the pathway of a TCM-advantage group, ``tcm``.

    ``cost``: change of every amount as a share. ``tcm_share``: of the fees that the pathway compares, the share that is
    Chinese medicine.
    """

    share: Share
    track: str | None = None
    to_hospital: str | None = None
    tcm: str | None = None
    cost: Annotated[Decimal, Field(gt=-1, le=100)] | None = None
    tcm_share: Share | None = None

    @model_validator(mode="after")
    def _check(self) -> Move:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if sum(one is not None for one in (self.track, self.to_hospital, self.tcm)) != 1:
            yield Fault("give track, to_hospital or tcm, one of them", ("track",))
        if self.tcm_share is not None and self.tcm is None:
            yield Fault("tcm_share belongs to tcm", ("tcm_share",))


class Coding(Pick):
    """Other codes for a ``share`` of the stays (all: 1), or for the stays ``setl_ids``; they are grouped anew.

    ``replace``: old code = new code, diagnoses and operations. ``add_diagnoses``, ``add_operations``: behind the
    others, unless they are there. ``drop``: codes that are left out; the last diagnosis stays.
    """

    share: Share = Decimal(1)
    setl_ids: tuple[str, ...] = ()
    replace: dict[str, str] = Field(default_factory=dict)
    add_diagnoses: tuple[str, ...] = ()
    add_operations: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Coding:
        if not (self.replace or self.add_diagnoses or self.add_operations or self.drop):
            raise FaultsError([Fault("nothing is coded otherwise: give replace, add_ or drop", ("replace",))])
        return self


class Coefficient(Model):
    """The institution coefficient of a ``hospital`` (without: of the scenario's) becomes ``value``, in every group."""

    hospital: str | None = None
    value: Given


class Review(Model):
    """Special review decides ``outcome`` for the stay ``setl_id``, with ``value`` where the outcome needs one."""

    setl_id: str
    outcome: Literal["fee_for_service", "adjusted_standard", "coefficient", "expert_points", "refused"]
    value: Decimal | None = None


class Others(Model):
    """The other hospitals: ``growth`` of their stays as a share, below 0 for fewer."""

    growth: Growth


class BudgetChange(Model):
    """A ``line`` of the budget of a ``pool`` gets another ``amount`` in yuan, or grows by ``growth``, a share.

    ``by_disease``, where the pool's total follows from last year's, names that.
    """

    pool: str
    line: str
    amount: Yuan | None = None
    growth: Growth | None = None

    @model_validator(mode="after")
    def _check(self) -> BudgetChange:
        if (self.amount is None) == (self.growth is None):
            raise FaultsError([Fault("give amount or growth, one of them", ("amount",))])
        return self


class OtherPolicy(Model):
    """Another ``pack`` (file or shipped id), and keys that are ``set`` over it, as a pack's own tables."""

    pack: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)


class PointValueGiven(Model):
    """Where the year has one hospital only: how the point value follows the region.

    ``elasticity``: per cent by which it changes where the hospital's points change by one per cent, as a rule
    below 0. ``values``: pool -> point value in its place.
    """

    elasticity: Annotated[Decimal, Field(ge=-10, le=10)] = Decimal(0)
    values: dict[str, Given] = Field(default_factory=dict)


class Scenario(Model):
    """What is different in a year. The parts are done in the order in which they stand here.

    ``name``: shown. ``hospital``: whose work changes. ``seed``: chooses which stays. ``volume``: more or fewer stays.
    ``mix``: stays of one group in place of another's. ``cost``: costs and days. ``move``: other tracks, hospitals,
    pathways. ``coding``: other codes. ``others``: the other hospitals. ``coefficient``, ``review``, ``budget``,
    ``policy``, ``catalog``: other rules and decisions. ``point_value``: in a hospital's own folder.
    """

    name: str = ""
    hospital: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    volume: tuple[Volume, ...] = ()
    mix: tuple[Mix, ...] = ()
    cost: tuple[Cost, ...] = ()
    move: tuple[Move, ...] = ()
    coding: tuple[Coding, ...] = ()
    others: Others | None = None
    coefficient: tuple[Coefficient, ...] = ()
    review: tuple[Review, ...] = ()
    budget: tuple[BudgetChange, ...] = ()
    policy: OtherPolicy | None = None
    catalog: str | None = None
    point_value: PointValueGiven | None = None

    def title(self) -> str:
        """Return its name, or what it has."""
        parts = [name for name in type(self).model_fields if name not in ("name", "hospital", "seed")]
        return self.name or ", ".join(name for name in parts if getattr(self, name)) or "-"


def read_scenario(path: Path | str) -> Scenario:
    """Read a scenario file.

    Raises :class:`RegionError` naming file, line, key, value and remedy; a key that is unknown is answered with the
    nearest one there is.
    """
    path = Path(path)
    try:
        data = read_toml(path)
    except PolicyError as error:
        raise RegionError(
            error.message, code="SCENARIO_SYNTAX", file=path, remedy=error.remedy or "give a TOML file"
        ) from error
    return scenario_of(data, path)


def scenario_of(data: dict[str, Any], path: Path | None = None) -> Scenario:
    """Return a scenario from what TOML says; ``path``: its file, for messages."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        # A misspelt key is missing and unknown at once; the unknown one says more.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place: Place = tuple(part for part in first["loc"] if not (isinstance(part, str) and "[" in part))
        raised = first.get("ctx", {}).get("error")
        message = first["msg"].removeprefix("Value error, ")
        if isinstance(raised, FaultsError):
            message = raised.faults[0].message
            place = (*place, *raised.faults[0].at)
        remedy = "see docs/reference/scenario.md for the keys and their meaning"
        if first["type"] == "extra_forbidden":
            keys = keys_at(Scenario, place[:-1])
            near = nearest(str(place[-1]), keys)
            message = "this key is unknown" + (f"; nearest is {near!r}" if near else "")
            remedy = f"use one of: {', '.join(keys)}" if keys else remedy
        elif first["type"] == "missing":
            message = "this key is missing"
        raise RegionError(
            message,
            code="SCENARIO_VALUE",
            file=path,
            line=None if path is None else _line(path, place),
            field=dotted(place) or None,
            value=None if isinstance(first["input"], dict | list | Model) else first["input"],
            remedy=remedy,
        ) from error


def _line(path: Path, place: Place) -> int | None:
    lines = key_lines(path.read_text(encoding="utf-8-sig"))
    for end in range(len(place), 0, -1):
        if place[:end] in lines:
            return lines[place[:end]]
    return None
