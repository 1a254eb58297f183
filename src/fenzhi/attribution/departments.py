"""Departments of a hospital: point income against cost, what made the balance, quotas and watch lists.

Frames in, frames out. docs/rules.md, "Departments".
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.attribution.department_columns import CODING, SPLIT, SUMS, cause, shaped
from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, ratio_half_up

#: Stays are compared with those of the same group; stays without one, with those of the same outcome.
GROUP = ["group_id", "outcome"]
_PLACE = ["dscg_caty", "doctor"]
_UNIT = 1_000_000
_ADDED = [column.name for column in (*SUMS, *SPLIT, *CODING)]


def benchmark(stays: pl.DataFrame) -> pl.DataFrame:
    """Return what the region's paid stays of each group cost: group_id, outcome, ``all_*`` sums.

    ``stays``: group_id, outcome, cost_fen, act_ipt_days, drug_fen, consumable_fen (null = none).
    """
    return stays.group_by(GROUP).agg(
        pl.len().cast(pl.Int64).alias("all_cases"),
        pl.col("act_ipt_days").cast(pl.Int64).sum().alias("all_days"),
        pl.col("cost_fen").sum().alias("all_cost_fen"),
        pl.col("drug_fen").sum().alias("all_drug_fen"),
        pl.col("consumable_fen").sum().alias("all_consumable_fen"),
    )


def _worth(points: str) -> pl.Expr:
    """Return points x point value, added up before rounding (yuan / 10^4 x 1/10^4 = fen / 10^6)."""
    value = pl.col("point_value_e4").fill_null(0).cast(pl.Int128)
    return (pl.col(points).fill_null(0).cast(pl.Int128) * value).sum()


def department_cells(stays: pl.DataFrame, region: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of a hospital's paid stays, and the causes of their balance, for every department, doctor, group.

    ``stays``: dscg_caty, doctor, group_id, outcome, act_ipt_days, cost_fen, booked_fen, payable_fen, rw_e4,
    points_base_e4, points_e4, point_value_e4, drug_fen, consumable_fen, flagged. ``region``: see :func:`benchmark`; it
    holds every group of the stays. The causes of a cell add up to its balance, so they do in any sum of cells. Raises
    :class:`ConservationError` should they not.
    """
    balance = pl.col("payable_fen") - pl.col("booked_fen")
    # Where points do not follow from a weight, they stand for it (as in comparisons of runs).
    weighted = stays.with_columns(pl.coalesce("rw_e4", "points_base_e4").alias("_weight"))
    sums = weighted.group_by(*_PLACE, *GROUP).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        pl.col("act_ipt_days").cast(pl.Int64).sum().alias("days"),
        pl.col("cost_fen", "drug_fen", "consumable_fen", "points_e4", "booked_fen", "payable_fen").sum(),
        (pl.col("payable_fen") + pl.col("cost_fen") - pl.col("booked_fen")).sum().alias("income_fen"),
        balance.sum().alias("balance_fen"),
        _worth("_weight").alias("_at_weight"),
        _worth("points_base_e4").alias("_at_base"),
        _worth("points_e4").alias("_at_points"),
        pl.col("flagged").sum().cast(pl.Int64).alias("flagged_cases"),
        balance.filter("flagged").sum().alias("flagged_balance_fen"),
    )
    found = _split(sums.join(region, on=GROUP, how="left", nulls_equal=True))
    if not found.select(sum(pl.col(c.name) for c in SPLIT) == pl.col("balance_fen")).to_series().all():
        raise ConservationError("the causes of a balance do not add up to it", field="balance_fen")
    if found["cases"].sum() != stays.height:
        raise ConservationError(
            "stays were lost between departments", field="cases", value=found["cases"].sum()
        )
    return found.select(*_PLACE, *GROUP, *_ADDED).sort(*_PLACE, *GROUP, nulls_last=True)


def _expected(name: str) -> pl.Expr:
    """Return what the region's mean says for so many stays, rounded half up."""
    return ratio_half_up(pl.col("cases").cast(pl.Int128) * pl.col(name), pl.col("all_cases"))


def _split(sums: pl.DataFrame) -> pl.DataFrame:
    unit = pl.lit(_UNIT)
    steps = sums.with_columns(
        ratio_half_up(pl.col("_at_weight"), unit).alias("_1"),
        ratio_half_up(pl.col("_at_base"), unit).alias("_2"),
        ratio_half_up(pl.col("_at_points"), unit).alias("_3"),
        _expected("all_cost_fen").alias("_cost"),
        _expected("all_drug_fen").alias("_drug"),
        _expected("all_consumable_fen").alias("_consumable"),
    )
    rest = pl.col("cost_fen") - pl.col("drug_fen") - pl.col("consumable_fen")
    usual = pl.col("_cost") - pl.col("_drug") - pl.col("_consumable")
    all_rest = pl.col("all_cost_fen") - pl.col("all_drug_fen") - pl.col("all_consumable_fen")
    wide = {name: pl.col(name).cast(pl.Int128) for name in ("cases", "days", "all_days", "all_cases")}
    # (usual days - days) x the region's other cost of a day.
    fewer = wide["cases"] * wide["all_days"] - wide["days"] * wide["all_cases"]
    per_day = pl.when(wide["all_days"] > 0).then(wide["all_days"] * wide["all_cases"])
    length = ratio_half_up(fewer * all_rest, per_day).fill_null(0)
    return steps.with_columns(
        (pl.col("_1") - pl.col("_cost")).alias(cause("price")),
        (pl.col("_2") - pl.col("_1")).alias(cause("coefficient")),
        (pl.col("_3") - pl.col("_2")).alias(cause("deviation")),
        (pl.col("income_fen") - pl.col("_3")).alias(cause("settlement")),
        length.alias(cause("length")),
        (pl.col("_drug") - pl.col("drug_fen")).alias(cause("drugs")),
        (pl.col("_consumable") - pl.col("consumable_fen")).alias(cause("consumables")),
        (usual - rest - length).alias(cause("other_cost")),
    )


def summed(cells: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return cells added up by some of their columns, those with the largest loss first."""
    found = cells.group_by(list(by)).agg(pl.col(_ADDED).sum())
    return found.sort("balance_fen", *by, nulls_last=True)


def with_quotas(stays: pl.DataFrame, quotas: pl.DataFrame) -> pl.DataFrame:
    """Add quota_fen and quota_source of each stay's department; ``quotas``: dscg_caty, quota_fen, quota_source."""
    return stays.join(quotas, on="dscg_caty", how="left", maintain_order="left")


def history_quotas(history: pl.DataFrame) -> pl.DataFrame:
    """Return dscg_caty, quota_fen, quota_source: the mean cost of each department's stays, rounded half up."""
    sums = (
        history.filter(pl.col("dscg_caty").is_not_null())
        .group_by("dscg_caty")
        .agg(pl.col("cost_fen").cast(pl.Int128).sum(), pl.len().alias("n"))
    )
    mean = ratio_half_up(pl.col("cost_fen"), pl.col("n")).alias("quota_fen")
    return sums.select("dscg_caty", mean, pl.lit("history").alias("quota_source")).sort("dscg_caty")


def watch_list(stays: pl.DataFrame, above_e4: int, below_fen: int) -> pl.DataFrame:
    """Return the stays that hospitals look at again: ``list`` = ``above_quota`` or ``below``, the dearest first.

    ``stays``: those of :func:`department_cells` with setl_id, name and :func:`with_quotas`. ``above_quota``:
    cost x 10^4 > ``above_e4`` x quota; ``below``: cost < ``below_fen``. A stay without quota is never above it.
    """
    cost, quota = pl.col("cost_fen").cast(pl.Int128), pl.col("quota_fen").cast(pl.Int128)
    above = (cost * SCALE > quota * above_e4).fill_null(False)
    multiple = ratio_half_up(cost * SCALE, pl.when(quota > 0).then(quota))
    shown = stays.with_columns(
        multiple.alias("multiple_e4"), (pl.col("payable_fen") - pl.col("booked_fen")).alias("balance_fen")
    )
    parts = [
        shown.filter(condition).with_columns(pl.lit(name).alias("list"))
        for name, condition in (("above_quota", above), ("below", pl.col("cost_fen") < below_fen))
    ]
    found = pl.concat(parts).sort("list", "cost_fen", "setl_id", descending=[False, True, False])
    return shaped(found, "watch")


def department_tables(
    stays: pl.DataFrame, region: pl.DataFrame, *, above_e4: int, below_fen: int
) -> dict[str, pl.DataFrame]:
    """Return the tables of a hospital's departments (:data:`department_columns.DEPARTMENT_TABLES`).

    ``stays``, ``region``: see :func:`department_cells`; the stays also have setl_id, name, and :func:`with_quotas`.
    ``doctors`` has no row if no stay has a doctor.
    """
    cells = department_cells(stays, region)
    watch = watch_list(stays, above_e4, below_fen)
    counts = watch.group_by("dscg_caty").agg(
        (pl.col("list") == name).sum().cast(pl.Int64).alias(f"{name}_cases")
        for name in ("above_quota", "below")
    )
    quotas = stays.select("dscg_caty", "quota_fen", "quota_source").unique()
    departments = (
        summed(cells, ["dscg_caty"])
        .join(quotas, on="dscg_caty", how="left", nulls_equal=True, maintain_order="left")
        .join(counts, on="dscg_caty", how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            (pl.col("cost_fen") - pl.col("quota_fen") * pl.col("cases")).alias("over_quota_fen"),
            pl.col("above_quota_cases", "below_cases").fill_null(0),
        )
    )
    names = stays.select(*GROUP, "name").unique(GROUP, keep="any")
    groups = summed(cells, ["dscg_caty", *GROUP]).join(
        names, on=GROUP, how="left", nulls_equal=True, maintain_order="left"
    )
    doctors = summed(cells.filter(pl.col("doctor").is_not_null()), _PLACE)
    return {
        "departments": shaped(departments, "departments"),
        "groups": shaped(groups, "groups"),
        "doctors": shaped(doctors, "doctors"),
        "watch": watch,
    }
