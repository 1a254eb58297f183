"""Surplus kept, overrun shared: what a hospital gets against what was booked. docs/rules.md, section 6."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from fenzhi.money import apportion, round_half_up
from fenzhi.policy.values import ShareTier, Sharing


def _holds(tier: ShareTier, x: Fraction, first: bool) -> bool:
    above, from_above = Fraction(tier.above), tier.above_included or first
    if x < above or (x == above and not from_above):
        return False
    upto, to_upto = tier.upto, tier.upto_included
    return upto is None or x < Fraction(upto) or (x == Fraction(upto) and to_upto)


def shared_part(tiers: Sequence[ShareTier], payable_fen: int, booked_fen: int) -> Fraction:
    """Return which part of the difference between booked and payable (above 0) the tiers share, in fen.

    The tier that holds x decides: ``whole``, its share of the whole difference; ``part``, the parts of the difference
    in the tiers between 1 and x, each with the share of its tier.
    """
    x = Fraction(booked_fen, payable_fen)
    tier = next(tier for number, tier in enumerate(tiers) if _holds(tier, x, number == 0))
    if tier.base == "whole":
        return Fraction(tier.share) * abs(booked_fen - payable_fen)
    low, high = min(x, Fraction(1)), max(x, Fraction(1))
    total = Fraction(0)
    for one in tiers:
        top = high if one.upto is None else min(high, Fraction(one.upto))
        total += Fraction(one.share) * max(Fraction(0), top - max(low, Fraction(one.above)))
    return total * payable_fen


def wanted(payable_fen: int, booked_fen: int, rules: Sharing | None) -> int:
    """Return what sharing moves: negative, the surplus that is not kept; positive, the overrun that the fund bears.

    Nothing where there is nothing payable, no difference, or no tier on that side.
    """
    if rules is None or payable_fen <= 0 or booked_fen == payable_fen or booked_fen < 0:
        return 0
    if booked_fen < payable_fen:
        surplus = payable_fen - booked_fen
        return (
            round_half_up(shared_part(rules.surplus, payable_fen, booked_fen)) - surplus
            if rules.surplus
            else 0
        )
    return round_half_up(shared_part(rules.overrun, payable_fen, booked_fen)) if rules.overrun else 0


def share(accounts: pl.DataFrame, pools: pl.DataFrame, rules: Sharing | None) -> pl.DataFrame:
    """Add shared_fen, short_fen and final_fen to the accounts.

    ``accounts``: fixmedins_code, pool, payable_fen, booked_fen, assessed_fen, deduction_fen, fine_fen; ``pools``: pool,
    reserve_fen, residual_fen, tracks_left_fen. Overruns are shared out of what the pool's reserve holds then: the
    budget's reserve, what point values and other tracks left or took, what assessment, deductions (without fines) and
    surpluses that are not kept brought. If that is not enough, it is split in proportion, by largest remainder, ties
    to the smaller code; short_fen is what a hospital then misses. final_fen = payable + shared.
    """
    money = {
        row["pool"]: row["reserve_fen"] + row["residual_fen"] + row["tracks_left_fen"]
        for row in pools.iter_rows(named=True)
    }
    rows = accounts.sort("fixmedins_code").select(
        "fixmedins_code", "pool", "payable_fen", "booked_fen", "assessed_fen", "deduction_fen", "fine_fen"
    )
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for pool, reserve in money.items():
        mine = rows.filter(pl.col("pool") == pool)
        moves = [
            wanted(payable, booked, rules)
            for payable, booked in mine.select("payable_fen", "booked_fen").iter_rows()
        ]
        brought = int((mine["assessed_fen"] + mine["deduction_fen"] - mine["fine_fen"]).sum())
        holds = max(0, reserve + brought - sum(move for move in moves if move < 0))
        asked = [max(0, move) for move in moves]
        given = asked if sum(asked) <= holds else apportion(holds, asked)
        for code, move, ask, give in zip(mine["fixmedins_code"], moves, asked, given, strict=True):
            found[code, pool] = (give if move > 0 else move, ask - give)
    pairs = [found[key] for key in accounts.select("fixmedins_code", "pool").iter_rows()]
    return accounts.with_columns(
        pl.Series("shared_fen", [shared for shared, _ in pairs], dtype=pl.Int64),
        pl.Series("short_fen", [short for _, short in pairs], dtype=pl.Int64),
    ).with_columns((pl.col("payable_fen") + pl.col("shared_fen")).alias("final_fen"))
