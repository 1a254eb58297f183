"""The year, start to end: the only place that knows the order of the stages. Asserts that nothing is lost."""

from __future__ import annotations

from typing import Any

import polars as pl

from fenzhi.budget import opening_values, price
from fenzhi.catalogs import DipCatalog
from fenzhi.errors import ConservationError
from fenzhi.grouping import compile_catalog
from fenzhi.grouping.dip import OUTCOMES, STATUS_UNGROUPED, STATUSES
from fenzhi.monitoring import hospital_indices
from fenzhi.pipeline.history import History, read_history
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Clock,
    Progress,
    group_coded,
    known_codes,
    make_setting,
    silent,
    unmapped_notices,
)
from fenzhi.points import PAID, base_points, score
from fenzhi.policy import Policy
from fenzhi.records import StaysRead, read_stays
from fenzhi.region import Region
from fenzhi.region.scope import cost_of, exclusion_of, pool_of, track_of
from fenzhi.results import TABLES, shape
from fenzhi.settlement import YearInputs, balances, settle
from fenzhi.weights import Weights, weigh
from fenzhi.weights.years import year_weights


def _outcomes(stays: pl.DataFrame, grouped: pl.DataFrame, region: Region) -> pl.DataFrame:
    """Join groups to stays and give every accepted stay its outcome, pool, month and cost."""
    scope = region.policy.scope
    both = stays.with_columns(
        pool_of(stays, region.pools, region.meta.area).alias("pool"),
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        cost_of(stays, scope).alias("cost_fen"),
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        *grouped.drop("row_idx", "setl_id").get_columns(),
    )
    track = track_of(stays, scope)
    excluded = exclusion_of(stays, region.pools, scope, region.meta.year)
    rejected = pl.col("outcome") == "rejected"
    return both.with_columns(
        pl.when(rejected)
        .then("outcome")
        .when(track.is_not_null())
        .then(pl.lit("other_track", OUTCOMES))
        .when(excluded.is_not_null())
        .then(pl.lit("excluded", OUTCOMES))
        .otherwise("outcome")
        .alias("outcome"),
        pl.when(rejected).then("reason").otherwise(pl.coalesce(track, excluded, "reason")).alias("reason"),
    )


def other_rows(read: StaysRead) -> pl.DataFrame:
    """Return the input rows that are no stays: rejected ones with their first rule, refunds with their reason."""
    columns = ["row_idx", "setl_id", "source_file", "source_row"]
    rejected = (
        read.rejected.sort("row_idx", maintain_order=True)
        .unique("row_idx", keep="first", maintain_order=True)
        .select(
            *columns, "fixmedins_code", pl.col("rule").alias("reason"), pl.lit("rejected").alias("outcome")
        )
    )
    netted = read.netted.select(*columns, "reason", pl.lit("excluded").alias("outcome"))
    return pl.concat([rejected, netted], how="diagonal")


def _cases(scored: pl.DataFrame, unpaid: pl.DataFrame, read: StaysRead, scheme: str) -> pl.DataFrame:
    """Put paid stays, unpaid stays and rows that are no stays together again, in input order."""
    parts = []
    for part in (scored, unpaid, other_rows(read)):
        have = [column.name for column in TABLES["cases"] if column.name in part.columns]
        parts.append(
            shape(part.select(have), "cases").with_columns(
                part["row_idx"].cast(pl.UInt32), pl.lit(scheme).alias("scheme")
            )
        )
    together = pl.concat(parts).sort("row_idx")
    if together.height != read.rows_in or together["row_idx"].n_unique() != read.rows_in:
        raise ConservationError(f"{read.rows_in} rows were read but {together.height} have an outcome")
    return together.drop("row_idx")


def _groups_table(catalog: DipCatalog, weights: Weights, paid: pl.DataFrame) -> pl.DataFrame:
    year = (
        paid.filter((pl.col("group_idx") >= 0) & (pl.col("outcome") != "ungrouped"))
        .group_by("group_idx")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("cost_fen", "points_e4", "payable_fen", "booked_fen").sum(),
        )
    )
    table = (
        catalog.groups.select("group_id", "name", "layer", "grassroots")
        .with_columns(weights.groups.get_columns())
        .join(year, on="group_idx", how="left", maintain_order="left")
        .with_columns(pl.col("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen").fill_null(0))
        .drop("last_mean_fen", "low_fen", "high_fen")
        .drop("group_idx")
    )
    return shape(table, "groups")


def _bands(policy: Policy) -> tuple[list[str], list[str]]:
    """Return the names of bands below and above the normal one."""
    bands = policy.deviation.bands
    normal = next((i for i, band in enumerate(bands) if band.points == "normal"), len(bands))
    return [band.name for band in bands[:normal]], [band.name for band in bands[normal + 1 :]]


def _year_inputs(region: Region, history: History) -> YearInputs:
    pools = pl.DataFrame({"pool": [pool.id for pool in region.pools]})
    newest = history.stays["year"].max()
    last = history.stays.filter((pl.col("year") == newest) & pl.col("pool").is_not_null())
    return YearInputs(
        year=region.meta.year,
        accounts=region.hospitals.select("fixmedins_code").join(
            pools, how="cross", maintain_order="left_right"
        ),
        last_booked=last.group_by("fixmedins_code", "pool").agg(pl.col("booked_fen").sum()),
        assessment=region.assessment,
        deductions=region.deductions,
        advances=region.advances,
    )


def _opening(region: Region, history: History, weights: Weights, grassroots: pl.Series) -> pl.DataFrame:
    policy = region.policy
    based = base_points(history.stays, weights, policy, grassroots)
    stated = {
        pool.id: None if pool.opening_value is None else int(pool.opening_value * 10_000)
        for pool in region.pools
    }
    return opening_values(based, year_weights(policy.weights, weights.years), stated, policy.point_value)


def compute(
    region: Region, *, chunk_rows: int | None = None, progress: Progress = silent
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Compute a region's year and return its result tables and the facts of the manifest; writes nothing.

    The tables do not depend on ``chunk_rows`` or the number of threads.
    """
    clock = Clock(progress)
    policy = region.policy
    clock.start("read region", 0.0)
    setting = make_setting(region, chunk_rows)
    grassroots = setting.catalog.groups["grassroots"]
    history = read_history(setting, clock)
    clock.start("measure weights", 0.40)
    weights = weigh(
        history.stays.select("group_idx", "year", "fixmedins_code", "cost_fen"),
        setting.catalog,
        policy,
        region.hospitals,
    )
    opening = _opening(region, history, weights, grassroots)
    inputs = _year_inputs(region, history)
    counts = history.counts
    del history
    clock.start("read records", 0.50)
    read = read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    )
    clock.start("group", 0.62)
    compiled = setting.compiled
    if COST_CRITERIA & set(policy.grouping.precedence):
        compiled = compile_catalog(setting.catalog, policy.grouping, weights.groups)
    grouped = group_coded(read.stays, setting, compiled)
    stays = _outcomes(read.stays, grouped.frame, region)
    clock.start("score", 0.70)
    is_paid = pl.col("outcome").is_in(PAID)
    paid = stays.filter(is_paid)
    paid = paid.with_columns(_flag(paid["group_idx"], grassroots))
    scored = score(paid, weights, policy, grassroots, opening)
    weightless = pl.col("reason") == "no_weight"
    status = pl.when(weightless).then(pl.lit(STATUS_UNGROUPED, STATUSES)).otherwise("status")
    scored = scored.with_columns(status.alias("status"))
    clock.start("price and settle", 0.78)
    pools = price(scored, region.budget, opening, policy.point_value)
    settled = settle(scored, pools, region.budget, policy, inputs)
    clock.start("collect tables", 0.85)
    low, high = _bands(policy)
    names = region.hospitals.select("fixmedins_code", "fixmedins_name", "level", "type")
    coefficients = weights.coefficients.select("fixmedins_code", "coefficient_e4")
    hospitals = settled.hospitals.join(names, on="fixmedins_code", how="left", maintain_order="left").join(
        coefficients, on="fixmedins_code", how="left", maintain_order="left"
    )
    titles = pl.DataFrame(
        {"pool": [pool.id for pool in region.pools], "title": [pool.title for pool in region.pools]}
    )
    tables = {
        "cases": _cases(settled.stays, stays.filter(~is_paid), read, policy.meta.scheme),
        "groups": _groups_table(setting.catalog, weights, settled.stays),
        "hospitals": shape(hospitals, "hospitals"),
        "months": shape(settled.months, "months"),
        "pools": shape(settled.pools.join(titles, on="pool", how="left", maintain_order="left"), "pools"),
        "ledger": shape(settled.ledger, "ledger"),
        "rejected": shape(pl.concat([read.rejected, read.warnings]).drop("row_idx"), "rejected"),
        "monitoring": shape(hospital_indices(settled.stays, low, high, policy.weights.scale), "monitoring"),
    }
    clock.stop()
    outcomes = tables["cases"].group_by("outcome").len().sort("outcome")
    facts = {
        "counts": {
            "rows": read.rows_in,
            **{f"outcome_{name}": n for name, n in outcomes.iter_rows()},
            **counts,
            "unknown_operations": int(grouped.unknown_operations["stays"].sum()),
        },
        "unknown_operations": grouped.unknown_operations.head(50).to_dicts(),
        "notices": [*read.notices, *unmapped_notices(read.stays, setting)],
        "quality": read.summary.to_dicts(),
        "mean_cost_fen": weights.mean_fen,
        "history_years": list(weights.years),
        "classes": weights.classes.to_dicts(),
        "catalog": {
            "id": setting.catalog.meta.id,
            "title": setting.catalog.meta.title,
            "version": setting.catalog.meta.version,
            "digest": setting.catalog.digest,
        },
        "timings_seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
        "balances": balances(settled.ledger).to_dicts(),
    }
    return tables, facts


def _flag(index: pl.Series, grassroots: pl.Series) -> pl.Series:
    return grassroots.gather(index.set(index < 0, None)).fill_null(False).alias("grassroots")
