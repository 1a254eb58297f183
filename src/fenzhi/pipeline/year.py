"""The year, start to end: the only place that knows the order of the stages. Asserts that nothing is lost."""

from __future__ import annotations

from typing import Any

import polars as pl

from fenzhi.budget import budget_table, direct_amounts, opening_values, price, require_all_given
from fenzhi.catalogs import DipCatalog, DrgCatalog
from fenzhi.errors import ConservationError
from fenzhi.grouping import compile_catalog
from fenzhi.grouping.add_ons import mark_add_ons
from fenzhi.grouping.dip import OUTCOMES, STATUS_UNGROUPED
from fenzhi.monitoring import hospital_indices
from fenzhi.pipeline.auxiliary import auxiliary_table, with_types
from fenzhi.pipeline.history import read_history
from fenzhi.pipeline.reviews import Reviewed, group_days, review_tables, review_year
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Clock,
    Progress,
    auxiliary_marks,
    group_coded,
    known_codes,
    make_setting,
    map_codes,
    overlay_coded,
    silent,
    unmapped_notices,
)
from fenzhi.pipeline.tcm import tcm_facts, tcm_notices, tcm_table, weighted_tcm
from fenzhi.points import PAID, base_points, readmitted_days, score
from fenzhi.policy import Policy
from fenzhi.records import StaysRead, read_stays
from fenzhi.region import Region
from fenzhi.region.load import several_rules
from fenzhi.region.scope import cost_of, exclusion_of, is_bed_day, pool_of, track_of
from fenzhi.results import TABLES, shape
from fenzhi.settlement import YearInputs, balances, settle
from fenzhi.weights import Weights, weigh
from fenzhi.weights.years import year_weights

_GROUP_COLUMNS = ("layer", "group_id", "mdc", "adrg", "drg", "status")


def _outcomes(stays: pl.DataFrame, grouped: pl.DataFrame, region: Region) -> pl.DataFrame:
    """Join groups to stays and give every accepted stay its outcome, pool, month and cost."""
    scope, bed_day = region.policy.scope, region.policy.bed_day
    both = stays.with_columns(
        pool_of(stays, region.pools, region.meta.area).alias("pool"),
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        cost_of(stays, scope).alias("cost_fen"),
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        *grouped.drop("row_idx", "setl_id").get_columns(),
    )
    track = track_of(stays, scope, bed_day)
    excluded = exclusion_of(stays, region.pools, scope, region.meta.year, bed_day)
    by_days = is_bed_day(stays, bed_day)
    # A bed-day stay belongs to no group, whatever grouping found.
    grouped_as = [pl.when(~by_days).then(name).alias(name) for name in _GROUP_COLUMNS if name in both.columns]
    return both.with_columns(
        pl.when(track.is_not_null())
        .then(pl.lit("other_track", OUTCOMES))
        .when(excluded.is_not_null())
        .then(pl.lit("excluded", OUTCOMES))
        .when(by_days)
        .then(pl.lit("bed_day", OUTCOMES))
        .otherwise("outcome")
        .alias("outcome"),
        pl.coalesce(track, excluded, pl.when(~by_days).then("reason")).alias("reason"),
        pl.when(by_days).then(pl.lit(-1, pl.Int32)).otherwise("group_idx").alias("group_idx"),
        *grouped_as,
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


def _further_tables(groups: pl.DataFrame, weights: Weights, form: str) -> dict[str, pl.DataFrame]:
    """Return the tables of coefficients that differ from group to group, where the policy has such."""
    found = {"cost": ("coefficients", weights.costs), "group": ("class_coefficients", weights.by_class)}
    if form not in found:
        return {}
    name, table = found[form]
    table = table.with_columns(groups["group_id"].gather(table["group_idx"]))
    return {name: shape(table.drop("group_idx"), name)}


def _groups_table(groups: pl.DataFrame, weights: Weights, paid: pl.DataFrame) -> pl.DataFrame:
    year = (
        paid.filter((pl.col("group_idx") >= 0) & (pl.col("outcome") != "ungrouped"))
        .group_by("group_idx")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("cost_fen", "points_e4", "payable_fen", "booked_fen").sum(),
        )
    )
    table = (
        groups.select("group_id", "name", "layer", "grassroots")
        .with_columns(weights.groups.get_columns())
        .join(year, on="group_idx", how="left", maintain_order="left")
        .with_columns(pl.col("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen").fill_null(0))
        .drop("last_mean_fen", "low_fen", "high_fen")
        .drop("group_idx")
    )
    return shape(table, "groups")


def _bands(policy: Policy) -> tuple[list[str], list[str]]:
    """Return the names of bands below and above the normal one."""
    low: dict[str, None] = {}
    high: dict[str, None] = {}
    for tier in policy.deviation.all_tiers():
        names = [band.name for band in tier.bands]
        normal = next((i for i, band in enumerate(tier.bands) if band.points == "normal"), len(names))
        low.update(dict.fromkeys(names[:normal]))
        high.update(dict.fromkeys(names[normal + 1 :]))
    if policy.deviation.top_share is not None:
        high[policy.deviation.top_share.name] = None
    return list(low), list(high)


def _year_inputs(region: Region, past: pl.DataFrame) -> YearInputs:
    pools = pl.DataFrame({"pool": [pool.id for pool in region.pools]})
    last = past.filter((pl.col("year") == past["year"].max()) & pl.col("pool").is_not_null())
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


def _opening(region: Region, past: pl.DataFrame, weights: Weights, grassroots: pl.Series) -> pl.DataFrame:
    policy = region.policy
    based = base_points(past, weights, policy, grassroots)
    if policy.ungrouped.rule == "fee_for_service":
        # Such stays earn no points, so their cost is none that points pay.
        based = based.filter(pl.col("outcome") != "ungrouped")
    stated = {
        pool.id: None if pool.opening_value is None else int(pool.opening_value * 10_000)
        for pool in region.pools
    }
    return opening_values(based, year_weights(policy.weights, weights.years), stated, policy.point_value)


def compute(
    region: Region, *, chunk_rows: int | None = None, progress: Progress = silent
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Compute a region's year and return its result tables and the facts of the manifest; writes nothing.

    The tables do not depend on ``chunk_rows`` or the number of threads. Raises POLICY_SEVERAL if the region
    has packs of different rules in one year.
    """
    if (error := several_rules(region)) is not None:
        raise error
    clock = Clock(progress)
    policy = region.policy
    clock.start("read region", 0.0)
    setting = make_setting(region, chunk_rows)
    groups = setting.groups
    grassroots = groups["grassroots"]
    history = read_history(setting, clock)
    clock.start("measure weights", 0.40)
    weights = weigh(
        history.measured, setting.catalog, policy, region.hospitals, region.weight_overrides, region.bonuses
    )
    weights = with_types(weights, history.measured, groups, region)
    # A year with nothing but bed-day stays has no weight among the years.
    past = history.stays.filter(pl.col("year").is_in(weights.years))
    opening = _opening(region, past, weights, grassroots)
    inputs = _year_inputs(region, past)
    days = group_days(past) if policy.special_review is not None else None
    counts = history.counts
    del history, past
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
    laid = overlay_coded(read.stays, grouped, setting, weighted_tcm(weights.groups, setting))
    if laid is not None:
        grouped = laid.grouped
    stays = _outcomes(read.stays, grouped.frame, region).with_columns(auxiliary_marks(read.stays, setting))
    if policy.readmission is not None:
        stays = stays.with_columns(readmitted_days(stays, policy.readmission))
    if policy.add_ons is not None:
        stays = stays.with_columns(mark_add_ons(map_codes(read.stays, setting), policy.add_ons))
    clock.start("score", 0.70)
    is_paid = pl.col("outcome").is_in(PAID)
    paid = stays.filter(is_paid)
    paid = paid.with_columns(_flag(paid["group_idx"], grassroots))
    scored = score(paid, weights, policy, grassroots, opening)
    weightless = pl.col("reason") == "no_weight"
    none = pl.lit(STATUS_UNGROUPED, scored.schema["status"])
    scored = scored.with_columns(pl.when(weightless).then(none).otherwise("status").alias("status"))
    reviewed: Reviewed | None = None
    if days is not None:
        reviewed = review_year(scored, region, opening, days)
        scored = reviewed.scored
    clock.start("price and settle", 0.78)
    scored = direct_amounts(scored, policy.ungrouped.factor)
    pools = price(scored, region.budget, opening, policy.point_value)
    settled = settle(scored, pools, region.budget, policy, inputs)
    budget = budget_table(region.budget, pools["pool"].to_list())
    require_all_given(budget, pools)
    clock.start("collect tables", 0.85)
    low, high = _bands(policy)
    in_groups = settled.stays.filter(pl.col("outcome") != "bed_day")
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
        "groups": _groups_table(groups, weights, settled.stays),
        "hospitals": shape(hospitals, "hospitals"),
        "months": shape(settled.months, "months"),
        "pools": shape(settled.pools.join(titles, on="pool", how="left", maintain_order="left"), "pools"),
        "budget": shape(budget, "budget"),
        "ledger": shape(settled.ledger, "ledger"),
        "rejected": shape(pl.concat([read.rejected, read.warnings]).drop("row_idx"), "rejected"),
        "monitoring": shape(hospital_indices(in_groups, low, high, policy.weights.scale), "monitoring"),
    }
    tables |= _further_tables(groups, weights, policy.coefficients.form)
    if policy.auxiliary is not None:
        tables["auxiliary"] = auxiliary_table(groups, weights)
    if laid is not None:
        tables["tcm"] = tcm_table(laid.report, settled.stays)
    if reviewed is not None:
        tables |= review_tables(reviewed, settled.stays, region)
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
        "notices": [
            *read.notices,
            *unmapped_notices(read.stays, setting),
            *_missing(read.stays, policy),
            *tcm_notices(read.stays, setting),
        ],
        "quality": read.summary.to_dicts(),
        "mean_cost_fen": weights.mean_fen,
        "history_years": list(weights.years),
        "classes": weights.classes.to_dicts(),
        "negotiated": _negotiated(weights),
        **tcm_facts(setting),
        "catalog": {
            "id": setting.catalog.meta.id,
            "title": setting.catalog.meta.title,
            "version": setting.catalog.meta.version,
            "digest": setting.catalog.digest,
            **_chapters(setting.catalog),
        },
        "timings_seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
        "balances": balances(settled.ledger).to_dicts(),
    }
    return tables, facts


def _missing(stays: pl.DataFrame, policy: Policy) -> list[str]:
    """Say which rules find nobody because the records lack a column."""
    needed = {}
    if policy.readmission is not None:
        needed["psn_no"] = "nobody counts as readmitted"
    if policy.incomplete is not None and policy.incomplete.ways:
        needed["dscg_way"] = "no stay counts as incomplete by its way of discharge"
    return [
        f"the records have no {name}: {what}"
        for name, what in needed.items()
        if name not in stays.columns or stays[name].null_count() == stays.height > 0
    ]


def _negotiated(weights: Weights) -> dict[str, Any] | None:
    """Return what negotiated weights did, for the manifest; None without any."""
    found = weights.negotiated
    if found is None:
        return None
    return {
        "groups": found.groups,
        "factor": str(found.factor),
        "total_e4": found.total_e4,
        "left_e4": found.left_e4,
    }


def _flag(index: pl.Series, grassroots: pl.Series) -> pl.Series:
    return grassroots.gather(index.set(index < 0, None)).fill_null(False).alias("grassroots")


def _chapters(catalog: DipCatalog | DrgCatalog) -> dict[str, dict[str, str]]:
    """Return the names of a DRG catalogue's chapters for the manifest; the reports show them."""
    if not isinstance(catalog, DrgCatalog):
        return {}
    return {"chapters": dict(catalog.tables["mdc"].select("mdc", "name").iter_rows())}
