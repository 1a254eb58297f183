"""What the year pays by other tracks: per hospital and track, per budget line, in which month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.policy.tracks import AnyTrack, CapTrack, CommunityTrack, OutsideTrack, QuotaTrack, StayTrack
from fenzhi.tracks.annual import Adjusted, Package, Sums, package_fen, settle_community, settle_quota
from fenzhi.tracks.rows import CLOSE, price_rows
from fenzhi.tracks.stays import price_stays
from fenzhi.tracks.who import Setup, insured_area

KEY = ("pool", "track", "fixmedins_code")
#: The table of region/tracks.py that a kind of rows reads.
ROWS_OF = {"outpatient": "outpatient", "outside_budget": "outside", "procurement_savings": "savings"}
#: Kinds that a hospital is paid for at the close only.
AT_CLOSE = ("average_quota", "total_cap")
SOURCE = "outside"
_MONEY = ("cost_fen", "booked_fen", "standard_fen", "fund_fen", "patient_fen")
_DUE: Mapping[str, type[pl.DataType]] = {
    "pool": pl.String,
    "line": pl.String,
    "track": pl.String,
    "fixmedins_code": pl.String,
    "month": pl.Int8,
    "amount_fen": pl.Int64,
    "kind": pl.String,
    "cite": pl.String,
}
_ACCOUNT: Mapping[str, type[pl.DataType]] = {
    "pool": pl.String,
    "track": pl.String,
    "kind": pl.String,
    "title": pl.String,
    "line": pl.String,
    "fixmedins_code": pl.String,
    "cases": pl.Int64,
    "units": pl.Int64,
    **dict.fromkeys(_MONEY, pl.Int64),
    "adjustment_fen": pl.Int64,
    "payable_fen": pl.Int64,
    "why": pl.String,
}


@dataclass(frozen=True)
class LineMoney:
    """The budget's money for tracks: ``frame`` with pool, line (a name of tracks), line_fen."""

    frame: pl.DataFrame

    def of(self, line: str) -> pl.DataFrame:
        """Return pool, line_fen of one line."""
        return self.frame.filter(pl.col("line") == line).select("pool", "line_fen")


@dataclass(frozen=True)
class Close:
    """What goes from the tracks to others: ``outside_care``: pool, line, amount_fen, handed to the by-disease fund."""

    outside_care: pl.DataFrame

    def by_pool(self) -> dict[str, int]:
        """Return pool -> what its by-disease fund is handed."""
        sums = self.outside_care.group_by("pool").agg(pl.col("amount_fen").sum())
        return {pool: int(amount) for pool, amount in sums.iter_rows()}


@dataclass(frozen=True)
class TracksPaid:
    """The year of the tracks.

    ``stays``: setl_id, track_fen (what the fund pays before the close). ``accounts``: one row per pool, track and
    hospital. ``dues``: what is owed to a hospital, by month (13 = close). ``lines``: one row per pool and budget
    line: line_fen, paid_fen, outside_care_fen, left_fen (to the reserve; negative: from it). ``close``: see there.
    """

    stays: pl.DataFrame
    accounts: pl.DataFrame
    dues: pl.DataFrame
    lines: pl.DataFrame
    close: Close


def _stays_of(track: AnyTrack, stays: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    own = stays.filter(pl.col("track") == track.id)
    levels = setup.hospitals.select("fixmedins_code", "level")
    own = own.drop("level", strict=False).join(levels, on="fixmedins_code", how="left", maintain_order="left")
    return price_stays(own, track, setup.tables["prices"])


def _sums(priced: pl.DataFrame) -> pl.DataFrame:
    return (
        priced.group_by("pool", "fixmedins_code")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("units", *_MONEY).sum(),
            pl.col("standard_fen").count().alias("_stated"),
            pl.col("level").first(),
        )
        .with_columns(pl.when(pl.col("_stated") > 0).then("standard_fen").alias("standard_fen"))
    )


def _packages(
    track: CommunityTrack, priced: pl.DataFrame, elsewhere: pl.DataFrame, setup: Setup
) -> tuple[dict[tuple[str, str], Adjusted], pl.DataFrame]:
    """Settle every package of a track; returns what hospitals get and the care outside: pool, amount_fen."""
    adjusted: dict[tuple[str, str], Adjusted] = {}
    outside = []
    member = dict(setup.hospitals.select("fixmedins_code", "community").iter_rows())
    for row in setup.tables["communities"].filter(pl.col("track") == track.id).iter_rows(named=True):
        pool, name = row["pool"], row["community"]
        inside = priced.filter((pl.col("pool") == pool) & (pl.col("_community") == name))
        booked = dict(inside.group_by("fixmedins_code").agg(pl.col("booked_fen").sum()).iter_rows())
        codes = [code for code, community in member.items() if community == name]
        away = elsewhere.filter(
            (pl.col("pool") == pool)
            & pl.col("area").is_in(row["areas"].split("|"))
            & ~pl.col("fixmedins_code").is_in(codes)
        )
        cost = int(away["booked_fen"].sum())
        outside.append((pool, cost))
        package = Package(package_fen(row), sum(booked.values()), cost, row["lead"])
        for code, one in settle_community(booked, package, track).items():
            adjusted[pool, code] = one
    return adjusted, pl.DataFrame(outside, schema={"pool": pl.String, "amount_fen": pl.Int64}, orient="row")


def _settled(
    track: AnyTrack, priced: pl.DataFrame, elsewhere: pl.DataFrame, setup: Setup
) -> tuple[dict[tuple[str, str], Adjusted], pl.DataFrame | None]:
    if isinstance(track, QuotaTrack | CapTrack):
        rows = _sums(priced).iter_rows(named=True)
        sums = {
            (row["pool"], row["fixmedins_code"]): Sums(row["cases"], row["booked_fen"], row["level"])
            for row in rows
        }
        table = setup.tables["quotas"].filter(pl.col("track") == track.id)
        return settle_quota(sums, table, track), None
    if isinstance(track, CommunityTrack):
        return _packages(track, priced, elsewhere, setup)
    return {}, None


def _accounts(
    track: AnyTrack, sums: pl.DataFrame, adjusted: Mapping[tuple[str, str], Adjusted]
) -> pl.DataFrame:
    """Return the rows of a track in the columns of ``_ACCOUNT``."""
    rows = [
        (pool, code, one.adjustment_fen, one.standard_fen, one.why) for (pool, code), one in adjusted.items()
    ]
    changes = pl.DataFrame(
        rows,
        schema={
            "pool": pl.String,
            "fixmedins_code": pl.String,
            "adjustment_fen": pl.Int64,
            "_standard": pl.Int64,
            "why": pl.String,
        },
        orient="row",
    )
    none = [pl.lit(None, dtype).alias(name) for name, dtype in _ACCOUNT.items() if name not in sums.columns]
    known = ("pool", "fixmedins_code", "adjustment_fen", "why")
    return (
        sums.with_columns(one for one in none if one.meta.output_name() not in known)
        .join(changes, on=["pool", "fixmedins_code"], how="full", coalesce=True)
        .with_columns(
            pl.col("cases", "units", "fund_fen", "adjustment_fen").fill_null(0),
            pl.coalesce("standard_fen", "_standard").alias("standard_fen"),
            pl.lit(track.id).alias("track"),
            pl.lit(track.kind).alias("kind"),
            pl.lit(track.title).alias("title"),
            pl.lit(track.funded_by()).alias("line"),
        )
        .with_columns((pl.col("fund_fen") + pl.col("adjustment_fen")).alias("payable_fen"))
        .select(pl.col(name).cast(dtype) for name, dtype in _ACCOUNT.items())
    )


def _dues(track: AnyTrack, paid: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return what hospitals are owed: by month as it falls due, the adjustment at the close."""
    line = SOURCE if isinstance(track, OutsideTrack) else track.funded_by()
    month = pl.lit(CLOSE, pl.Int8) if track.kind in AT_CLOSE else pl.col("month").cast(pl.Int8)
    parts = [
        paid.group_by("pool", "fixmedins_code", month.alias("month"))
        .agg(pl.col("fund_fen").sum().alias("amount_fen"))
        .with_columns(pl.lit("track_payable").alias("kind")),
        accounts.select(
            "pool",
            "fixmedins_code",
            pl.lit(CLOSE, pl.Int8).alias("month"),
            pl.col("adjustment_fen").alias("amount_fen"),
            pl.lit("track_adjustment").alias("kind"),
        ),
    ]
    return (
        pl.concat(parts)
        .with_columns(
            pl.lit(line).alias("line"),
            pl.lit(track.id).alias("track"),
            pl.lit(track.cite or track.title).alias("cite"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in _DUE.items())
    )


def _lines(
    tracks: tuple[AnyTrack, ...], money: LineMoney, dues: pl.DataFrame, close: Close, pools: list[str]
) -> pl.DataFrame:
    """Return one row per pool and line that a track names, in the order of pools and tracks."""
    names: dict[str, list[str]] = {}
    for track in tracks:
        if not isinstance(track, OutsideTrack):
            names.setdefault(track.funded_by(), []).append(track.id)
    rows = pl.DataFrame({"pool": pools}).join(
        pl.DataFrame(
            {"line": list(names), "tracks": [", ".join(ids) for ids in names.values()]},
            schema={"line": pl.String, "tracks": pl.String},
        ),
        how="cross",
        maintain_order="left_right",
    )
    paid = dues.group_by("pool", "line").agg(pl.col("amount_fen").sum().alias("paid_fen"))
    handed = close.outside_care.group_by("pool", "line").agg(
        pl.col("amount_fen").sum().alias("outside_care_fen")
    )
    for part in (money.frame, paid, handed):
        rows = rows.join(part, on=["pool", "line"], how="left", maintain_order="left")
    used = ("line_fen", "paid_fen", "outside_care_fen")
    return rows.with_columns(pl.col(used).fill_null(0)).with_columns(
        (pl.col("line_fen") - pl.col("paid_fen") - pl.col("outside_care_fen")).alias("left_fen")
    )


def _require_all(
    stays: pl.DataFrame, priced: list[pl.DataFrame], accounts: pl.DataFrame, dues: pl.DataFrame
) -> None:
    """Raise unless every stay was priced by one track and what is due is what hospitals are to get."""
    seen = pl.concat(priced)
    if seen.height != stays.height or seen["setl_id"].n_unique() != stays.height:
        raise ConservationError(f"{stays.height} stays are on tracks, {seen.height} were priced")
    owed, payable = int(dues["amount_fen"].sum()), int(accounts["payable_fen"].sum())
    if owed != payable:
        raise ConservationError("what the tracks owe is not what hospitals are to get", value=(owed, payable))


def pay_tracks(
    stays: pl.DataFrame, elsewhere: pl.DataFrame, setup: Setup, money: LineMoney, pools: list[str]
) -> TracksPaid:
    """Pay the year by tracks.

    ``stays``: the stays on tracks with what :func:`fenzhi.tracks.taken` said, cost_fen, booked_fen, month.
    ``elsewhere``: the stays that points pay (fixmedins_code, pool, booked_fen, insu_admdvs), for care outside
    communities.
    Raises :class:`ConservationError` if a stay is lost or paid twice.
    """
    away = elsewhere.select(
        "fixmedins_code", "pool", "booked_fen", insured_area(elsewhere, setup.area).alias("area")
    )
    empty = stays.select("setl_id", pl.lit(0, pl.Int64).alias("track_fen")).clear()
    priced, accounts, dues = [empty], [pl.DataFrame(schema=_ACCOUNT)], [pl.DataFrame(schema=_DUE)]
    handed = [pl.DataFrame(schema={"pool": pl.String, "amount_fen": pl.Int64, "line": pl.String})]
    for track in setup.policy.tracks:
        rows: pl.DataFrame | None
        if isinstance(track, StayTrack):
            rows = _stays_of(track, stays, setup)
            priced.append(rows.select("setl_id", pl.col("fund_fen").alias("track_fen")))
            sums = _sums(rows)
        else:
            table = setup.tables[ROWS_OF[track.kind]]
            rows = price_rows(table, track, money.of(track.funded_by()))
            assert rows is not None
            sums = rows.group_by("pool", "fixmedins_code").agg(
                pl.lit(0, pl.Int64).alias("cases"), pl.col("units", "standard_fen", "fund_fen").sum()
            )
        adjusted, outside = _settled(track, rows, away, setup)
        own = _accounts(track, sums, adjusted)
        accounts.append(own)
        dues.append(_dues(track, rows, own))
        if outside is not None:
            handed.append(outside.with_columns(pl.lit(track.funded_by()).alias("line")))
    order = {track.id: at for at, track in enumerate(setup.policy.tracks)}
    every = pl.concat(accounts).sort(
        pl.col("pool").replace_strict(pools, range(len(pools))),
        pl.col("track").replace_strict(list(order), list(order.values())),
        "fixmedins_code",
    )
    due = (
        pl.concat(dues)
        .filter(pl.col("amount_fen") != 0)
        .sort("month", "pool", "track", "fixmedins_code", "kind")
    )
    _require_all(stays, priced, every, due)
    close = Close(pl.concat(handed))
    return TracksPaid(
        stays=pl.concat(priced),
        accounts=every,
        dues=due,
        lines=_lines(setup.policy.tracks, money, due, close, pools),
        close=close,
    )
