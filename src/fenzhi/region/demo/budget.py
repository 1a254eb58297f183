"""Budget, assessment and deductions of the demo region, computed from its generated year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl

from fenzhi.money import fen_to_yuan, round_half_up
from fenzhi.region.demo.dirt import paid
from fenzhi.region.demo.hospitals import AREA

POOLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "employee": ("职工医保", ("310", "510")),
    "resident": ("居民医保", ("390",)),
}
# Percent of the booked amount that the fund can pay by disease, and of care elsewhere.
FUND_PERCENT, AWAY_PERCENT = 97, 4
# Shares of the income: risk reserve, adjustment at the end of the year.
RESERVE_SHARE, ADJUSTMENT_SHARE = Decimal("0.02"), Decimal("0.03")
# The income is a budget: whole thousands of yuan.
INCOME_STEP = 100_000
BED_DAYS: Mapping[str, str] = {"bed_day": "床日付费病例"}
_CITE = "合成数据:由生成的年度推算"
INCOME, AWAY, BED_DAY, APART = "住院统筹基金预算收入", "异地就医预留", "床日付费病例", "除外支付项目"
RESERVE, ADJUSTMENT = "风险金", "区域调节金"


@dataclass(frozen=True)
class Line:
    """One line of a pool's budget: an amount in fen, or a share of the income; ``track``: what it funds."""

    name: str
    kind: str
    amount_fen: int
    share: Decimal | None = None
    track: str | None = None


def _fen(expr: pl.Expr) -> pl.Expr:
    return (expr * 100).cast(pl.Int64)


def _booked(frame: pl.DataFrame, label: pl.Expr) -> dict[str, dict[str, int]]:
    """Return per pool the booked fund amounts in fen: by disease, by track, items paid apart."""
    local = paid(frame).filter(pl.col("insu_admdvs") == AREA)
    result = {}
    for pool, (_, kinds) in POOLS.items():
        own = local.filter(pl.col("insutype").is_in(kinds)).select(
            _fen(pl.col("hifp_pay")).alias("booked"),
            _fen(pl.col("excl_pay_sumamt")).alias("apart"),
            _fen(pl.col("medfee_sumamt")).alias("total"),
            label.alias("track"),
        )
        disease = own.filter(pl.col("track").is_null())
        tracks = own.group_by("track").agg(pl.col("booked").sum()).drop_nulls("track")
        fund = pl.col("apart").cast(pl.Int128) * pl.col("booked") // pl.col("total")
        result[pool] = {
            "disease": int(disease["booked"].sum()),
            **{track: int(amount) for track, amount in tracks.iter_rows()},
            "apart": int(disease.select(fund.cast(pl.Int64).sum()).item()),
        }
    return result


def bed_day_label() -> pl.Expr:
    """Return the track of stays where only bed-days are set apart."""
    return pl.when(pl.col("med_type") == "2105").then(pl.lit("bed_day"))


def budget_lines(
    frame: pl.DataFrame,
    label: pl.Expr | None = None,
    *,
    names: Mapping[str, str] = BED_DAYS,
    heads: Mapping[str, int] | None = None,
) -> dict[str, list[Line]]:
    """Return the budget lines per pool for a soiled year of settlement.

    ``label``: the track of a stay, null if points pay it (unless given, bed-day stays are set apart). ``names``:
    the lines of tracks. ``heads``: pool -> fen for outpatients by head; then lines name the track that they fund.
    What is left for payment by disease is FUND_PERCENT of the booked amount
    of local insured stays, so the fund is slightly short; what rounding the income leaves goes to care elsewhere.
    """
    lines = {}
    label = bed_day_label() if label is None else label
    for pool, booked in _booked(frame, label).items():
        booked = {**booked, **({"chronic": heads.get(pool, 0)} if heads is not None else {})}
        fund = round_half_up(booked["disease"] * FUND_PERCENT, 100) // 100
        away = booked["disease"] * AWAY_PERCENT // 100
        apart = {track: booked.get(track, 0) for track in names}
        others = [
            Line(names[track], "carve_out", fen, track=None if heads is None else track)
            for track, fen in apart.items()
            if heads is None or fen
        ]
        others.append(Line(APART, "paid_apart", booked["apart"]))
        needed = fund + away + sum(line.amount_fen for line in others)
        income = _whole(Fraction(needed) / (1 - Fraction(RESERVE_SHARE + ADJUSTMENT_SHARE)))
        kept = [
            Line(name, kind, round_half_up(Fraction(share) * income), share)
            for name, kind, share in (
                (RESERVE, "reserve", RESERVE_SHARE),
                (ADJUSTMENT, "adjustment", ADJUSTMENT_SHARE),
            )
        ]
        away += income - needed - sum(line.amount_fen for line in kept)
        lines[pool] = [
            Line(INCOME, "income", income),
            *kept,
            Line(AWAY, "out_of_region", away),
            *others,
        ]
    return lines


def _whole(fen: Fraction) -> int:
    """Return the next multiple of INCOME_STEP that is not below."""
    return -(-fen // INCOME_STEP) * INCOME_STEP


def budget_toml(year: int, lines: Mapping[str, list[Line]]) -> str:
    """Return budget.toml: amounts as text in yuan with two decimals, and one change in the middle of the year."""
    text = [f"# 示范统筹区(合成数据):全部金额均为虚构\nyear = {year}\n"]
    for pool, entries in lines.items():
        text.append(f'\n[[pool]]\nid = "{pool}"\nmethod = "items"\n')
        for line in entries:
            amount = (
                f'amount = "{fen_to_yuan(line.amount_fen)}"'
                if line.share is None
                else f'share = "{line.share}"'
            )
            text.append(
                f'\n[[pool.lines]]\nname = "{line.name}"\nkind = "{line.kind}"\n{amount}\ncite = "{_CITE}"\n'
                + (f'track = "{line.track}"\n' if line.track else "")
            )
        # A tenth of the adjustment money goes to care elsewhere.
        moved = next(line.amount_fen for line in entries if line.name == ADJUSTMENT) // 10
        if moved:
            text.append(
                f'\n[[pool.change]]\ndate = {year}-07-01\nreason = "异地就医备案人数增加"\nline = "{AWAY}"\n'
                f'amount = "{fen_to_yuan(moved)}"\nfrom = "{ADJUSTMENT}"\ncite = "{_CITE}"\n'
            )
    return "".join(text)


def assessment(codes: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Return a coefficient like 0.985 per hospital; most get 1."""
    n = len(codes)
    permille = np.where(rng.random(n) < 0.55, 1000, rng.integers(940, 1000, n))
    return pl.DataFrame(
        {
            "fixmedins_code": codes,
            "coefficient": [f"{value // 1000}.{value % 1000:03d}" for value in permille],
        }
    )


def deductions(codes: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Return audit deductions of some hospitals: pool, month, amount in yuan, reason."""
    reasons = ["重复收费", "超标准收费", "低标准入院", "分解住院", "串换项目收费"]
    n = max(3, len(codes) * 2 // 5)
    fen = rng.integers(20_000, 3_000_000, n)
    return pl.DataFrame(
        {
            "fixmedins_code": codes.gather(rng.integers(0, len(codes), n)),
            "pool": [list(POOLS)[at] for at in rng.integers(0, len(POOLS), n)],
            "month": rng.integers(1, 13, n),
            "amount": [str(fen_to_yuan(int(value))) for value in fen],
            "reason": [reasons[at] for at in rng.integers(0, len(reasons), n)],
        }
    ).sort("fixmedins_code", "pool", "month")
