"""What the close of the year changes: average quota, total cap, a community's package. docs/rules.md, section 8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import SCALE, apportion, format_fen, round_half_up
from fenzhi.policy.tracks import CapTrack, CommunityTrack, OverrunTier, QuotaTrack

Account = tuple[str, str]  # pool, hospital


@dataclass(frozen=True)
class Sums:
    """Of a hospital in a pool: its stays in the track, what they booked, its level."""

    stays: int
    booked_fen: int
    level: str | None


@dataclass(frozen=True)
class Adjusted:
    """What a hospital gets beside the booked amounts (negative: bears), its standard, and why."""

    adjustment_fen: int
    standard_fen: int | None
    why: str


def quota_balance(stays: int, booked_fen: int, quota_fen: int, track: QuotaTrack) -> int:
    """Return what is added to the booked amounts of a hospital (negative: what it bears), rounded half up once."""
    standard = quota_fen * stays
    over = booked_fen - standard
    if over > 0:
        shared = min(Fraction(over), Fraction(track.over_limit) * standard)
        return standard + round_half_up(Fraction(track.over_share) * shared) - booked_fen
    reward = min(Fraction(track.saving_share) * -over, Fraction(track.saving_cap) * standard)
    return round_half_up(reward)


def _quota_of(table: pl.DataFrame, account: Account, level: str | None) -> int | None:
    """Return the quota of the row that fits best: of the hospital, of its level, of all; of the pool before any."""
    pool, code = account
    best: tuple[int, int] | None = None
    for row in table.iter_rows(named=True):
        asked = ((row["fixmedins_code"], code, 4), (row["level"], level, 2), (row["pool"], pool, 1))
        if all(said is None or said == have for said, have, _ in asked):
            rank = sum(worth for said, _, worth in asked if said is not None)
            best = max(best or (-1, 0), (rank, row["amount_fen"]))
    return None if best is None else best[1]


def settle_quota(
    sums: Mapping[Account, Sums], table: pl.DataFrame, track: QuotaTrack | CapTrack
) -> dict[Account, Adjusted]:
    """Hold the booked amounts of each hospital against its quota or cap.

    ``table``: the track's rows of quotas.csv. Raises :class:`RegionError` for a hospital without one.
    """
    found = {}
    for account, one in sums.items():
        quota = _quota_of(table, account, one.level)
        if quota is None:
            raise RegionError(
                f"track {track.id} has stays at this hospital in pool {account[0]}, but no row is for it",
                code="REGION_TRACK",
                file="quotas.csv",
                field="fixmedins_code",
                value=account[1],
                remedy=f"add a row for track {track.id}",
            )
        if isinstance(track, QuotaTrack):
            standard = quota * one.stays
            change = quota_balance(one.stays, one.booked_fen, quota, track)
        else:
            standard = quota
            kept = track.keep_surplus and quota > one.booked_fen
            change = quota - one.booked_fen if kept else min(0, quota - one.booked_fen)
        why = f"booked {format_fen(one.booked_fen)}, quota {format_fen(standard)}"
        found[account] = Adjusted(change, standard, why)
    return found


@dataclass(frozen=True)
class Package:
    """A community's package in a pool: what it is, what members booked, what care outside cost, who leads."""

    package_fen: int
    inside_fen: int
    outside_fen: int
    lead: str | None

    @property
    def left_fen(self) -> int:
        """What the package has over; negative: an overrun."""
        return self.package_fen - self.inside_fen - self.outside_fen


def borne_by_fund(over_fen: int, package_fen: int, tiers: Sequence[OverrunTier]) -> int:
    """Return what the fund bears of an overrun, rounded half up once."""
    total = Fraction(0)
    for tier in tiers:
        above = Fraction(tier.above) * package_fen
        upto = (
            Fraction(over_fen)
            if tier.upto is None
            else min(Fraction(over_fen), Fraction(tier.upto) * package_fen)
        )
        total += Fraction(tier.share) * max(Fraction(0), upto - above)
    return round_half_up(total)


def package_balance(package: Package, track: CommunityTrack) -> int:
    """Return what the community keeps of its package (negative: bears, at most what its members booked)."""
    left = package.left_fen
    if left >= 0:
        return left
    borne = -left - borne_by_fund(-left, package.package_fen, track.overrun)
    return -min(borne, package.inside_fen)


def package_fen(row: Mapping[str, int | None]) -> int:
    """Return the package of a row of communities.csv: its amount, or income x share rounded half up."""
    if row["amount_fen"] is not None:
        return row["amount_fen"]
    return round_half_up(Fraction((row["income_fen"] or 0) * (row["share_e4"] or 0), SCALE))


def settle_community(
    booked: Mapping[str, int], package: Package, track: CommunityTrack
) -> dict[str, Adjusted]:
    """Give the balance of a package to the lead hospital or the members (by booked amounts).

    ``booked``: hospital -> booked amount of its stays in the track. Members that booked nothing keep nothing.
    """
    change = package_balance(package, track)
    why = (
        f"package {format_fen(package.package_fen)}, inside {format_fen(package.inside_fen)}, "
        f"outside {format_fen(package.outside_fen)}"
    )
    if track.surplus_to == "lead" and package.lead is not None:
        return {package.lead: Adjusted(change, None, why)}
    codes = sorted(booked)
    shares = [max(0, booked[code]) for code in codes]
    if not sum(shares):
        return {code: Adjusted(0, None, why) for code in codes}
    parts = apportion(change, shares)
    return {code: Adjusted(part, None, why) for code, part in zip(codes, parts, strict=True)}
