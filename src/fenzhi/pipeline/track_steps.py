"""From why a track took a stay to its fund amount, recomputed from the run's inputs: docs/rules.md, section 8."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.codes import normalise_operation
from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, format_e4, format_fen, round_half_up
from fenzhi.pipeline.replay import Step, require, source
from fenzhi.pipeline.setting import Setting, map_codes
from fenzhi.pipeline.store import read_table
from fenzhi.pipeline.tracks import tracks_of
from fenzhi.points import PAID
from fenzhi.policy.tracks import (
    BedDayTrack,
    CapTrack,
    CommunityTrack,
    DaySurgeryTrack,
    PriceTrack,
    QuotaTrack,
    StayTrack,
)
from fenzhi.region import Region
from fenzhi.tracks.annual import Package, Sums, package_fen, settle_community, settle_quota
from fenzhi.tracks.prices import main_codes
from fenzhi.tracks.who import insured_area

_BOOKED = "as booked"


@dataclass(frozen=True)
class Beside:
    """A stay that a track pays.

    ``case``: its row of cases.parquet. ``stay``: its record with what :func:`tracks_of` says, ``stays``: all
    records of the year. ``region``: with the policy whose tracks pay the year. ``codes``: main codes of the stay.
    """

    case: dict[str, Any]
    run: Path
    region: Region
    track: StayTrack
    stay: dict[str, Any]
    stays: pl.DataFrame
    codes: dict[str, Any]

    @property
    def cite(self) -> str:
        """Return the source of the track."""
        return source(self.track)

    @property
    def level(self) -> str | None:
        """Return the level of the stay's hospital."""
        table = self.region.hospitals.filter(fixmedins_code=self.case["fixmedins_code"])
        return None if table.is_empty() else table["level"][0]


def track_steps(
    run: Path, case: dict[str, Any], stays: pl.DataFrame, setting: Setting, region: Region
) -> list[Step]:
    """Return the steps of a stay on a track that the policy prices; none if its kind is only counted.

    ``stays``: all records of the year. Raises :class:`ConservationError` where they do not end in the run's amount.
    """
    track = next((one for one in region.policy.tracks if one.id == case["track"]), None)
    if not isinstance(track, StayTrack):
        return []
    mine = stays.filter(pl.col("setl_id") == case["setl_id"]).with_columns(
        pl.lit(case["pool"], pl.String).alias("pool")
    )
    stay = mine.hstack(tracks_of(mine, setting)).row(0, named=True)
    codes = main_codes(map_codes(mine, setting)).row(0, named=True)
    beside = Beside(case, run, region, track, stay, stays, codes)
    for name in ("track", "track_why"):
        if stay[name] != case[name]:
            raise ConservationError(
                "the replay puts the stay on another track than the run",
                field=name,
                value=(case[name], stay[name]),
            )
    title = f"{track.title} ({track.id}, {track.kind})"
    steps = [Step("适用条件", "what put it on the track", case["track_why"], title, beside.cite)]
    formula, standard = _standard(beside)
    if standard is not None:
        result = format_fen(standard)
        steps.append(Step("付费标准", "standard", formula, result, beside.cite))
    text, fund = _fund(beside, standard)
    require("track_fen fund amount of the track", case["track_fen"], fund)
    steps.append(Step("基金支付", "fund amount of the track", text, format_fen(fund), beside.cite))
    return [*steps, *_close(beside)]


def _standard(beside: Beside) -> tuple[str, int | None]:
    """Return formula and standard of the stay; None where it is paid as booked."""
    track, stay = beside.track, beside.stay
    if isinstance(track, BedDayTrack):
        return _days(track, beside.case["act_ipt_days"], beside.level)
    if isinstance(track, DaySurgeryTrack):
        return _sum(track, beside.codes)
    if isinstance(track, PriceTrack):
        row = stay["_price_row"]
        if row is None:
            return "", None
        price = _price(beside)
        operation = f" {price['operation']}" if price["operation"] else ""
        return f"prices.csv, row {row}: {price['diagnosis']}{operation}", price["price_fen"]
    return "", None


def _sum(track: DaySurgeryTrack, codes: dict[str, Any]) -> tuple[str, int | None]:
    """Return the sum of the main operation: the full code before its base, else the general one."""
    names = normalise_operation(pl.Series([price.operation for price in track.prices], dtype=pl.String))
    listed = {
        name: int(price.yuan * 100) for name, price in reversed(list(zip(names, track.prices, strict=True)))
    }
    for code in (codes["_operation"], codes["_base"]):
        if code in listed:
            return f"{code}: {format_fen(listed[code])}", listed[code]
    if track.yuan is None:
        return "", None
    return f"{codes['_operation'] or '-'}: {track.yuan} (yuan)", int(track.yuan * 100)


def _price(beside: Beside) -> dict[str, Any]:
    prices = beside.region.tracks["prices"]
    mine = (pl.col("track") == beside.track.id) & (pl.col("row") == beside.stay["_price_row"])
    return prices.filter(mine).row(0, named=True)


def _days(track: BedDayTrack, days: int, level: str | None) -> tuple[str, int]:
    """Return the days of each step times its rate, and their sum."""
    named = {step.level for step in track.steps}
    own = [step for step in track.steps if step.level == (level if level in named else None)]
    parts, total, before = [], 0, 0
    for step in own:
        upto = days if step.upto_days is None else min(days, step.upto_days)
        rate = int(step.yuan_per_day * 100)
        if upto > before:
            parts.append(f"{upto - before} x {format_fen(rate)}")
            total += (upto - before) * rate
            before = upto
    return " + ".join(parts) or "0", total


def _fund(beside: Beside, standard: int | None) -> tuple[str, int]:
    """Return what the fund pays of the standard, or what is booked."""
    track, case = beside.track, beside.case
    if standard is None:
        return _BOOKED, case["booked_fen"]
    if isinstance(track, PriceTrack):
        share = _price(beside)["patient_share_e4"]
        text = f"{format_fen(standard)} x (1 - {format_e4(share)})"
        return text, round_half_up(Fraction(standard * (SCALE - share), SCALE))
    assert isinstance(track, BedDayTrack | DaySurgeryTrack)
    if track.basis == "ratio":
        fund = round_half_up(standard * Fraction(track.fund_share))
        return f"{format_fen(standard)} x {track.fund_share}", fund
    others = case["cost_fen"] - case["booked_fen"]
    text = f"max(0, {format_fen(standard)} - ({format_fen(case['cost_fen'])} - {format_fen(case['booked_fen'])}))"
    return text, max(0, standard - others)


def _close(beside: Beside) -> list[Step]:
    """Return what the close changes for the hospital, recomputed; nothing where a stay is paid for itself."""
    track, case = beside.track, beside.case
    if not isinstance(track, QuotaTrack | CapTrack | CommunityTrack):
        return []
    accounts = read_table(beside.run, "tracks").filter(track=track.id, pool=case["pool"])
    mine = accounts.filter(fixmedins_code=case["fixmedins_code"]).row(0, named=True)
    if isinstance(track, CommunityTrack):
        formula, change = _package(beside, track, accounts)
    else:
        formula, change = _quota(beside, track, mine)
    require("adjustment_fen adjustment of the hospital", mine["adjustment_fen"], change)
    title = ("年终调整(机构)", "adjustment of the hospital at the close")
    return [Step(*title, formula, format_fen(change), beside.cite)]


def _quota(beside: Beside, track: QuotaTrack | CapTrack, account: dict[str, Any]) -> tuple[str, int]:
    """Return formula and adjustment of a quota or cap."""
    key = (account["pool"], account["fixmedins_code"])
    sums = {key: Sums(account["cases"], account["booked_fen"], beside.level)}
    table = beside.region.tracks["quotas"].filter(track=track.id)
    found = settle_quota(sums, table, track)[key]
    booked, quota = account["booked_fen"], found.standard_fen or 0
    b, q = f"B {format_fen(booked)}", f"Q {format_fen(quota)}"
    if isinstance(track, CapTrack):
        kept = track.keep_surplus and quota > booked
        return (f"{q} - {b}" if kept else f"min({b}, {q}) - B"), found.adjustment_fen
    if booked > quota:
        shared = f"min({format_fen(booked - quota)}, {track.over_limit} x Q)"
        return f"{q} + {track.over_share} x {shared} - {b}", found.adjustment_fen
    saved = f"{track.saving_share} x {format_fen(quota - booked)}"
    return f"{q}, {b}: min({saved}, {track.saving_cap} x Q)", found.adjustment_fen


def _package(beside: Beside, track: CommunityTrack, accounts: pl.DataFrame) -> tuple[str, int]:
    """Return formula and adjustment of the hospital in its community's package."""
    region, pool = beside.region, beside.case["pool"]
    name = beside.stay["_community"]
    row = region.tracks["communities"].filter(track=track.id, pool=pool, community=name).row(0, named=True)
    members = region.hospitals.filter(community=name)["fixmedins_code"].to_list()
    inside = accounts.filter(pl.col("fixmedins_code").is_in(members) & (pl.col("cases") > 0))
    booked = dict(inside.select("fixmedins_code", "booked_fen").iter_rows())
    package = Package(package_fen(row), sum(booked.values()), _away(beside, row, members), row["lead"])
    found = settle_community(booked, package, track).get(beside.case["fixmedins_code"])
    text = (
        f"{name}: P {format_fen(package.package_fen)} - I {format_fen(package.inside_fen)}"
        f" - X {format_fen(package.outside_fen)} = {format_fen(package.left_fen)}; to {track.surplus_to}"
    )
    return text, 0 if found is None else found.adjustment_fen


def _away(beside: Beside, row: dict[str, Any], members: list[str]) -> int:
    """Return what stays of a community's people that points pay elsewhere booked."""
    area = insured_area(beside.stays, beside.region.meta.area).alias("area")
    paid = read_table(beside.run, "cases").filter(
        pl.col("outcome").is_in(PAID) & (pl.col("pool") == row["pool"])
    )
    away = paid.join(beside.stays.select("setl_id", area), on="setl_id", how="inner").filter(
        pl.col("area").is_in(row["areas"].split("|")) & ~pl.col("fixmedins_code").is_in(members)
    )
    return int(away["booked_fen"].sum())
