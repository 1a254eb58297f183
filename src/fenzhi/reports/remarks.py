"""What a hospital would ask about its statement, said before it asks: sums that differ from the usual, in sentences."""

from __future__ import annotations

import polars as pl

from fenzhi.reports.display import yuan
from fenzhi.reports.facts import HOSPITAL
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words


def remarks(tables: RunTables, hospital: Hospital, words: Words) -> list[str]:
    """Return the sentences, none for a hospital with nothing unusual."""
    return [
        *_stays(tables, hospital, words),
        *_not_booked(tables, hospital, words),
        *_reserve(tables, hospital, words),
        *_returns(tables, hospital, words),
    ]


def _amount(fen: int) -> str:
    return yuan(abs(fen)).text


def _stays(tables: RunTables, hospital: Hospital, words: Words) -> list[str]:
    """Say that a hospital had no stay, or none before or after some month in which others had."""
    if not hospital.total("cases"):
        handed_in = int(hospital.facts.outcomes["rows"].sum())
        return [
            words("remark_no_stays_rows", rows=f"{handed_in:,}") if handed_in else words("remark_no_stays")
        ]
    mine = _months_with_stays(hospital.months)
    others = _months_with_stays(tables.months.filter(pl.col(HOSPITAL) != hospital.code))
    if not mine or not others:
        return []
    out = []
    if mine[0] > others[0]:
        out.append(words("remark_begins", first=mine[0], before=mine[0] - 1))
    if mine[-1] < others[-1]:
        out.append(words("remark_ends", last=mine[-1], after=mine[-1] + 1))
    return out


def _months_with_stays(months: pl.DataFrame) -> list[int]:
    return months.filter(pl.col("cases") > 0)["month"].unique().sort().to_list()


def _not_booked(tables: RunTables, hospital: Hospital, words: Words) -> list[str]:
    """Say what it means that a pool, or this hospital in a pool, booked nothing."""
    titles = tables.pool_titles()
    booked = dict(tables.pools.select("pool", "booked_fen").iter_rows())
    out = []
    for row in hospital.rows.filter(
        (pl.col("cases") > 0) & (pl.col("booked_fen").fill_null(0) == 0)
    ).iter_rows(named=True):
        key = "remark_not_booked" if booked.get(row["pool"]) else "remark_pool_not_booked"
        out.append(words(key, pool=titles.get(row["pool"], row["pool"])))
    return out


def _reserve(tables: RunTables, hospital: Hospital, words: Words) -> list[str]:
    """Say that the reserve of a pool ran out, so that it could not bear all of its part of an overrun."""
    if "short_fen" not in hospital.rows.columns:
        return []
    titles = tables.pool_titles()
    short = hospital.rows.filter(pl.col("short_fen").fill_null(0) != 0)
    return [
        words("remark_short", pool=titles.get(row["pool"], row["pool"]), short=_amount(row["short_fen"]))
        for row in short.iter_rows(named=True)
    ]


def _returns(tables: RunTables, hospital: Hospital, words: Words) -> list[str]:
    """Say how much a hospital pays back, to whom, and why: per pool, because each is a fund of its own."""
    titles, agency = tables.pool_titles(), tables.manifest["region"]["name"]
    back = hospital.rows.filter(pl.col("clearing_fen") < 0)
    out = []
    for row in back.iter_rows(named=True):
        paid = row["advance_fen"] + row["working_capital_fen"]
        taken = row[hospital.owed] - row["clearing_fen"]
        out.append(
            words(
                "remark_returns" if taken == paid else "remark_returns_more",
                pool=titles.get(row["pool"], row["pool"]),
                agency=agency,
                paid=_amount(taken),
                payable=yuan(row[hospital.owed]).text,
                back=_amount(row["clearing_fen"]),
            )
        )
    if back.height and hospital.rows.height > 1:
        total = hospital.total("clearing_fen")
        key = "remark_net_back" if total < 0 else "remark_net_due" if total > 0 else "remark_net_none"
        out.append(words(key, agency=agency, amount=_amount(total)))
    return out
