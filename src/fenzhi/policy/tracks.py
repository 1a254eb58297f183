"""The section on other tracks: payment beside the by-disease points, each track with who is in and how it is paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Fault, Model, Rate, Section, refuse
from fenzhi.policy.cases import DayStep, day_step_faults

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]+$")]
Yuan = Annotated[Decimal, Field(ge=0, lt=1_000_000_000, decimal_places=2)]
Codes = tuple[str, ...]
Days = Annotated[int, Field(ge=0)]
Ratio = Annotated[Decimal, Field(ge=0, decimal_places=4)]


class Who(Model):
    """Which stays a track takes: all conditions that it states must hold; what is not known never holds.

    ``med_types``: kinds of stay. ``departments``: ``dscg_caty``. ``diagnoses``: what the principal diagnosis begins
    with. ``operations``: the stay has one of these; a code stands for its extensions. ``levels``, ``types``,
    ``hospitals`` (codes): of the hospital. ``areas``: insured areas. ``los_from`` / ``los_upto``: days of stay, both
    included. ``pools``: pools of the region.
    """

    med_types: Codes = ()
    departments: Codes = ()
    diagnoses: Codes = ()
    operations: Codes = ()
    levels: Codes = ()
    types: Codes = ()
    hospitals: Codes = ()
    areas: Codes = ()
    los_from: Days | None = None
    los_upto: Days | None = None
    pools: Codes = ()

    @model_validator(mode="after")
    def _check(self) -> Who:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        low, high = self.los_from, self.los_upto
        if low is not None and high is not None and low > high:
            yield Fault("los_from is larger than los_upto", ("los_from",))

    def stated(self) -> dict[str, Codes | int]:
        """Return the conditions that are stated, by their key."""
        found = {key: getattr(self, key) for key in type(self).model_fields}
        return {key: value for key, value in found.items() if value not in ((), None)}


class Track(Section):
    """What every track has.

    ``id``: the track's id; a value of ``[scope.other_tracks]`` that equals it sends these kinds of stay to the track.
    ``line``: the budget line that funds it is the one whose ``track`` is this name; without: the ``id``. Tracks may
    share a line.
    """

    id: Name
    title: str
    line: Name | None = None

    def funded_by(self) -> str:
        """Return the name by which budget lines fund this track."""
        return self.line or self.id


class StayTrack(Track):
    """A track of stays. ``who``: which stays it takes."""

    who: Who = Who()


class DayRate(DayStep):
    """Yuan of a day: the days of a stay after the step before, up to day ``upto_days`` (without: all further).

    ``level``: only for hospitals of that level, in place of the steps without level.
    """

    yuan_per_day: Yuan


class BedDayTrack(StayTrack):
    """Bed-days outside points: the rates of the days of a stay, added up, are the standard.

    ``steps``: in the order of the days, for every level that is named and once without level, for all others.
    ``basis``: ``ratio``, the fund pays the standard x ``fund_share``; ``difference``, the standard minus what
    patients and other payers paid, at least 0.
    """

    kind: Literal["bed_day"]
    steps: tuple[DayRate, ...]
    basis: Literal["ratio", "difference"] = "ratio"
    fund_share: Rate = Decimal(1)

    @model_validator(mode="after")
    def _check(self) -> BedDayTrack:
        refuse(day_step_faults(self.steps, f"track {self.id!r}"))
        return self


class OperationPrice(Model):
    """A fixed sum for one main operation. ``operation``: a code stands for its extensions. ``yuan``: the sum."""

    operation: str
    yuan: Yuan


class DaySurgeryTrack(StayTrack):
    """A fixed sum for each stay: by its main operation (``prices``), else ``yuan``.

    ``basis``: ``ratio``, the fund pays the sum x ``fund_share``; ``difference``, the sum minus what patients and
    other payers paid, at least 0. ``unlisted``: a stay without a sum is paid ``by_disease`` (it is not in the track)
    or ``actual`` (as booked).
    """

    kind: Literal["day_surgery"]
    yuan: Yuan | None = None
    prices: tuple[OperationPrice, ...] = ()
    basis: Literal["ratio", "difference"] = "ratio"
    fund_share: Rate = Decimal(1)
    unlisted: Literal["by_disease", "actual"] = "by_disease"

    @model_validator(mode="after")
    def _check(self) -> DaySurgeryTrack:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.yuan is None and not self.prices:
            yield Fault(f"track {self.id!r} says no sum: give yuan or prices", ("yuan",))
        codes = [price.operation for price in self.prices]
        if len(set(codes)) != len(codes):
            yield Fault(f"track {self.id!r} has two prices for one operation", ("prices",))


class PriceTrack(StayTrack):
    """A fixed price per disease, from the region's prices.csv; the patient's share of it is stated there.

    ``diagnosis_match``: ``prefix``, a listed diagnosis stands for everything that begins with it; ``exact``.
    ``unlisted``: a stay without a price is paid ``by_disease`` (it is not in the track) or ``actual`` (as booked).
    """

    kind: Literal["price_per_disease"]
    diagnosis_match: Literal["prefix", "exact"] = "prefix"
    unlisted: Literal["by_disease", "actual"] = "by_disease"


class QuotaTrack(StayTrack):
    """Average quota: a hospital's mean booked amount is held against the quota of quotas.csv.

    Above the quota, up to ``over_limit`` of it, the fund pays ``over_share`` of the excess, above that nothing;
    below it ``saving_share`` of the saving is rewarded, at most ``saving_cap`` of the quota.
    """

    kind: Literal["average_quota"]
    over_limit: Ratio = Decimal("0.2")
    over_share: Rate = Decimal("0.5")
    saving_share: Rate = Decimal("0.3")
    saving_cap: Rate = Decimal("0.03")


class CapTrack(StayTrack):
    """Total cap: a hospital is paid what it booked, at most its cap of quotas.csv.

    ``keep_surplus``: what the cap has over is the hospital's.
    """

    kind: Literal["total_cap"]
    keep_surplus: bool = True


class OverrunTier(Model):
    """A part of an overrun: between ``above`` and ``upto`` (without: all further), both as parts of the package.

    ``share``: what the fund bears of it.
    """

    above: Ratio = Decimal(0)
    upto: Ratio | None = None
    share: Rate


class CommunityTrack(StayTrack):
    """A close-knit county community: one package of communities.csv for the insured of its areas.

    Their stays at members are in the track and use the package as booked; their stays elsewhere that points pay are
    taken off the package as booked and handed to the by-disease fund. ``surplus_to``: who keeps what is left,
    the ``lead`` hospital or the ``members`` (by their booked amounts); who bears an overrun likewise.
    ``overrun``: what the fund bears of it; without tiers nothing.
    """

    kind: Literal["community"]
    surplus_to: Literal["lead", "members"] = "members"
    overrun: tuple[OverrunTier, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> CommunityTrack:
        refuse(_tier_faults(self.overrun))
        return self


class OutpatientTrack(Track):
    """Outpatient care by the rows of outpatient.csv (a hospital's units of a month).

    ``form``: ``price``, units x price (capitation, chronic disease by head); ``points``, the money of the track's line
    in the pool is split over its rows by units x points (APG), to the fen.
    """

    kind: Literal["outpatient"]
    form: Literal["price", "points"] = "price"


class OutsideTrack(Track):
    """Items outside the budget: the amounts of outside.csv, paid as they are from a source of their own."""

    kind: Literal["outside_budget"]


class SavingsTrack(Track):
    """Procurement savings retained: saved amount x share of the hospital, both in savings.csv."""

    kind: Literal["procurement_savings"]


AnyTrack = Annotated[
    BedDayTrack
    | DaySurgeryTrack
    | PriceTrack
    | QuotaTrack
    | CapTrack
    | CommunityTrack
    | OutpatientTrack
    | OutsideTrack
    | SavingsTrack,
    Field(discriminator="kind"),
]
#: Kinds that take stays without any condition: a list says which.
LISTED = ("price_per_disease", "community")


def _tier_faults(tiers: Sequence[OverrunTier]) -> Iterator[Fault]:
    if tiers and tiers[0].above != 0:
        yield Fault("the first tier of the overrun must begin at 0", ("overrun", 0))
    for number, (one, two) in enumerate(pairwise(tiers), start=1):
        if one.upto is None or one.upto != two.above:
            yield Fault("tiers of an overrun must follow each other without gap", ("overrun", number))
    for number, one in enumerate(tiers):
        if one.upto is not None and one.upto <= one.above:
            yield Fault("a tier of an overrun must end above its beginning", ("overrun", number))


def track_faults(tracks: Sequence[AnyTrack], other_tracks: dict[str, str]) -> Iterator[Fault]:
    """Give what is wrong with the tracks together: ids, conditions, lines that two kinds of money would share."""
    ids = [track.id for track in tracks]
    for number, track in enumerate(tracks):
        at = ("tracks", number)
        if track.id in ids[:number]:
            yield Fault(f"two tracks have the id {track.id!r}", (*at, "id"))
        mapped = track.id in other_tracks.values()
        if isinstance(track, StayTrack):
            if not (track.who.stated() or mapped or track.kind in LISTED):
                yield Fault(f"track {track.id!r} would take every stay: state who is in", (*at, "who"))
        elif mapped:
            yield Fault(
                f"track {track.id!r} takes no stays, but scope.other_tracks sends it some", (*at, "id")
            )
        shared = [other for other in tracks if other.funded_by() == track.funded_by()]
        if getattr(track, "form", None) == "points" and len(shared) > 1:
            yield Fault(
                f"track {track.id!r} splits its budget line by points and must have it alone", (*at, "line")
            )
