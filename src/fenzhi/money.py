"""Money, points and ratios as integers: one scale, named roundings, exact apportionment.

* money: int64 **fen** (1/100 yuan), column names end in ``_fen``;
* points, weights, coefficients, point values: int64 at :data:`SCALE` (1/10,000), names end in ``_e4``.

Ratios are formed from integer sums and rounded once, half up. Products are formed in 128-bit integers
(polars ``Int128``) or Python integers, so nothing overflows and no result depends on the order of rows.
Source: docs/decisions/0001-exact-integers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import polars as pl

from fenzhi.errors import FenzhiError

SCALE = 10_000
FEN_PER_YUAN = 100


def round_half_up(value: Fraction | int, step: int = 1) -> int:
    """Round to the nearest multiple of ``step``; exact halves go up (towards +infinity)."""
    return round_ratio(value.numerator, value.denominator, step)


def round_ratio(numerator: int, denominator: int, step: int = 1) -> int:
    """Return ``numerator / denominator`` rounded half up to a multiple of ``step``; the denominator is positive."""
    whole = denominator * step
    return (2 * numerator + whole) // (2 * whole) * step


def to_e4(value: Decimal | Fraction | int | str) -> int:
    """Return a number at SCALE, rounded half up: ``to_e4("1.05") == 10500``."""
    return round_half_up(Fraction(value) * SCALE)


def step_of(decimals: int) -> int:
    """Return the rounding step at SCALE for a number of decimals (0 to 4)."""
    if not 0 <= decimals <= 4:
        raise FenzhiError(f"decimals must lie between 0 and 4, not {decimals}")
    return int(10 ** (4 - decimals))


def yuan_to_fen(value: Decimal | int | str) -> int:
    """Return yuan as fen; more than two decimals are an error."""
    fen = Decimal(value) * FEN_PER_YUAN
    if fen != fen.to_integral_value():
        raise FenzhiError(f"an amount has at most two decimals, not {value}")
    return int(fen)


def fen_to_yuan(fen: int) -> Decimal:
    """Return fen as an exact decimal of yuan with two places."""
    return (Decimal(fen) / FEN_PER_YUAN).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def format_fen(fen: int) -> str:
    """Return fen as text in yuan with thousands separators: ``1,234.50``."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{yuan:,}.{rest:02d}"


def format_e4(value: int, decimals: int = 4) -> str:
    """Return a number at SCALE as text with thousands separators, rounded half up to ``decimals``."""
    step = step_of(decimals)
    value = round_half_up(value, step)
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), SCALE)
    return f"{sign}{whole:,}" + (f".{rest // step:0{decimals}d}" if decimals else "")


def ratio_half_up(numerator: pl.Expr, denominator: pl.Expr, step: int = 1) -> pl.Expr:
    """Return ``numerator / denominator`` rounded half up to a multiple of ``step`` as Int64.

    Both are taken as Int128; the denominator must be positive where it is not null.
    """
    num = numerator.cast(pl.Int128) * 2
    den = denominator.cast(pl.Int128) * step
    return (((num + den) // (den * 2)) * step).cast(pl.Int64)


def standard_fen(points_e4: pl.Expr, value_e4: pl.Expr) -> pl.Expr:
    """Return points x point value in fen, rounded half up: (points / 10^4) x (yuan / 10^4) x 100."""
    return ratio_half_up(points_e4.cast(pl.Int128) * value_e4, pl.lit(1_000_000))


def apportion(total: int, shares: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to non-negative ``shares``, exactly, by largest remainder.

    Ties go to the earlier share, so the caller decides the order. A negative total is split like its
    absolute value. The parts always add up to ``total``; shares that are all zero cannot be split.
    """
    whole = sum(shares)
    if any(share < 0 for share in shares):
        raise FenzhiError("shares of an apportionment must not be negative")
    if whole == 0:
        if total == 0:
            return [0] * len(shares)
        raise FenzhiError(f"cannot split {total} over shares that are all zero")
    if total < 0:
        return [-part for part in apportion(-total, shares)]
    parts = [total * share // whole for share in shares]
    rest = total - sum(parts)
    order = sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % whole), i))
    for i in order[:rest]:
        parts[i] += 1
    return parts


def apportion_within(frame: pl.DataFrame, total: str, share: str, by: Sequence[str], tie: str) -> pl.Series:
    """Split each group's ``total`` over its rows by ``share``, exactly, by largest remainder.

    ``total`` is constant inside a group of the columns ``by`` and may be negative; ``share`` is a
    non-negative Int64; equal remainders go to the smaller ``tie`` (a unique key), so the result does not
    depend on the order of rows. A group whose shares are all zero gets zeros (the caller checks sums).
    Returns an Int64 series in the order of ``frame``.
    """
    keys = list(by)
    amount = pl.col(total).abs().cast(pl.Int128)
    whole = pl.col(share).cast(pl.Int128).sum().over(keys)
    product = amount * pl.col(share).cast(pl.Int128)
    work = (
        frame.select(pl.struct(keys).rank("dense").alias("_group"), total, share, *keys)
        .with_columns(whole.alias("_whole"), product.alias("_product"))
        .with_columns(
            pl.when(pl.col("_whole") > 0)
            .then(pl.col("_product") // pl.col("_whole"))
            .otherwise(0)
            .cast(pl.Int64)
            .alias("_part"),
            # A remainder is smaller than the sum of shares, which is an Int64.
            pl.when(pl.col("_whole") > 0)
            .then(pl.col("_product") % pl.col("_whole"))
            .otherwise(0)
            .cast(pl.Int64)
            .alias("_rest"),
        )
        .with_columns(
            pl.when(pl.col("_whole") > 0)
            .then(amount - pl.col("_part").sum().over("_group"))
            .otherwise(0)
            .cast(pl.Int64)
            .alias("_missing")
        )
    )
    cut = _smallest_raised(work)
    extra = (pl.col("_rest") > pl.col("_cut")) & (pl.col("_missing") > 0)
    marked = work.join(cut, on="_group", how="left", maintain_order="left").with_columns(
        extra.fill_null(False).alias("_extra")
    )
    # Rows with just the remainder of the cut share what is left, the smaller tie first: only they need an order.
    at_cut = (
        marked.with_row_index("_at")
        .with_columns(
            frame[tie].alias("_tie"),
            (pl.col("_missing") - pl.col("_extra").sum().over("_group")).alias("_left"),
        )
        .filter((pl.col("_rest") == pl.col("_cut")) & (pl.col("_left") > 0))
        .sort("_group", "_tie")
        .filter(pl.int_range(pl.len()).over("_group") < pl.col("_left"))
    )
    parts = marked["_part"] + marked["_extra"].cast(pl.Int64)
    parts = parts.scatter(at_cut["_at"], parts.gather(at_cut["_at"]) + 1)
    return (parts * frame[total].sign().cast(pl.Int64)).alias(share)


def _smallest_raised(work: pl.DataFrame) -> pl.DataFrame:
    """Return per group the remainder of the last row that gets a further fen: _group, _cut."""
    return (
        work.filter(pl.col("_missing") > 0)
        .select("_group", "_rest", "_missing")
        .sort("_group", "_rest", descending=[False, True])
        .filter(pl.int_range(pl.len()).over("_group") == pl.col("_missing") - 1)
        .select("_group", pl.col("_rest").alias("_cut"))
    )
