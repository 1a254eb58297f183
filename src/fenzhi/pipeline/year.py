"""The year, start to end: the only place that knows the order of the stages. Asserts that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from fenzhi.budget import (
    budget_table,
    direct_amounts,
    fixed_points,
    opening_values,
    pool_sums,
    require_all_given,
)
from fenzhi.errors import ConservationError
from fenzhi.monitoring import hospital_indices
from fenzhi.pipeline.ahead import ahead
from fenzhi.pipeline.history import history_reads, read_histories
from fenzhi.pipeline.parts import (
    Part,
    divided,
    group_part,
    measure_part,
    score_part,
    together,
    unpaid,
    with_readmissions,
)
from fenzhi.pipeline.published import price_year, published_notices, published_year, ratios_of
from fenzhi.pipeline.reviews import review_tables, review_year
from fenzhi.pipeline.rule_tables import (
    band_kinds,
    hospital_coefficients,
    missing_columns,
    named,
    part_facts,
    rule_tables,
    rules_facts,
)
from fenzhi.pipeline.setting import (
    Clock,
    Progress,
    Setting,
    known_codes,
    make_settings,
    marked,
    silent,
    unmapped_notices,
)
from fenzhi.pipeline.tcm import tcm_notices, tcm_table
from fenzhi.pipeline.tracks import pay_beside, track_notices, with_track_amounts
from fenzhi.points import base_points
from fenzhi.policy.values import is_plain
from fenzhi.records import StaysRead, read_stays
from fenzhi.region import Region
from fenzhi.results import TABLES, columns_of, shape
from fenzhi.settlement import YearInputs, balances, clearing_facts, settle
from fenzhi.weights.years import year_weights


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
    # In one piece, sorting takes half the time.
    together = pl.concat(parts, rechunk=True).sort("row_idx")
    if together.height != read.rows_in or together["row_idx"].n_unique() != read.rows_in:
        raise ConservationError(f"{read.rows_in} rows were read but {together.height} have an outcome")
    return together.drop("row_idx")


def year_inputs(region: Region, past: pl.DataFrame) -> YearInputs:
    """Return what settlement takes from the region; ``past``: the stays of its history."""
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


def _last_points(based: pl.DataFrame) -> pl.DataFrame:
    """Return last_points_e4 per hospital and pool: points before deviation of the newest history year."""
    last = based.filter((pl.col("year") == based["year"].max()) & pl.col("pool").is_not_null())
    points = pl.col("points_base_e4").sum().alias("last_points_e4")
    return last.group_by("fixmedins_code", "pool").agg(points)


def opening_of(region: Region, past: pl.DataFrame, part: Part) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return opening values and last year's points by the rules of the part that holds on the first day of the year."""
    policy, weights = part.policy, part.weights
    based = base_points(past, weights, policy, part.groups["grassroots"])
    last = _last_points(based)
    if policy.ungrouped.rule == "fee_for_service":
        # Such stays earn no points, so their cost is none that points pay.
        based = based.filter(pl.col("outcome") != "ungrouped")
    stated = {
        pool.id: None if pool.opening_value is None else int(pool.opening_value * 10_000)
        for pool in region.pools
    }
    opening = opening_values(based, year_weights(policy.weights, weights.years), stated, policy.point_value)
    return opening, last


def read_year(region: Region, setting: Setting) -> StaysRead:
    """Read the records of the year."""
    return read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    )


def measure_year(
    settings: Sequence[Setting], clock: Clock, reads: Iterator[StaysRead]
) -> tuple[list[Part], pl.DataFrame, pl.DataFrame, YearInputs, dict[str, int]]:
    """Return all that does not follow from the year's own stays: parts, opening values, last year's points, inputs.

    Last the counts of the history. ``reads``: its stays (:func:`history_reads`); a hospital alone has none.
    """
    region = settings[0].region
    if region.published is not None:
        return *published_year(settings), {}
    histories = read_histories(settings, clock, reads)
    clock.start("measure weights", 0.40)
    measured = [measure_part(one, history) for one, history in zip(settings, histories, strict=True)]
    parts, past = [part for part, _ in measured], measured[0][1]
    opening, last_points = opening_of(region, past, parts[0])
    return parts, opening, last_points, year_inputs(region, past), histories[0].counts


def compute(
    region: Region, *, chunk_rows: int | None = None, progress: Progress = silent
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Compute a region's year and return its result tables and the facts of the manifest; writes nothing.

    Every stay follows the pack and the catalogue that hold on its day of discharge; the fund of the year is one, and
    so are its rules, those of the first day. The tables do not depend on ``chunk_rows`` or the number of threads.
    """
    clock = Clock(progress)
    clock.start("read region", 0.0)
    settings = make_settings(region, chunk_rows)
    # The next records are read while those before are worked on: the year's own while weights are measured.
    past_reads = [] if region.published is not None else history_reads(settings)
    reads = ahead([*past_reads, lambda: marked(read_year(region, settings[0]), settings)])
    parts, opening, last_points, inputs, counts = measure_year(settings, clock, reads)
    policy = parts[0].policy
    clock.start("read records", 0.50)
    read = next(reads)
    clock.start("group", 0.62)
    days = divided(read.stays, [one.period for one in settings])
    taken = [group_part(part, stays) for part, stays in zip(parts, days, strict=True)]
    taken = with_readmissions(taken)
    del days
    clock.start("score", 0.70)
    scored = together([score_part(one, opening) for one in taken])
    reviewed = review_year(scored, region, opening, parts)
    if reviewed is not None:
        scored = reviewed.scored
    clock.start("price and settle", 0.78)
    factors = [part.policy.ungrouped.factor for part in parts]
    scored = direct_amounts(scored, factors, None if region.published is None else ratios_of(region, scored))
    others = together([unpaid(one) for one in taken])
    beside = pay_beside(others, scored, region)
    scored = fixed_points(scored, policy.point_value, last_points)
    region, prices = price_year(region, pool_sums(scored, policy.point_value), opening, beside.handed)
    settled = settle(scored, prices, region.budget, policy, replace(inputs, tracks=beside.ledger))
    budget = budget_table(region.budget, settled.pools["pool"].to_list())
    require_all_given(budget, settled.pools)
    clock.start("collect tables", 0.85)
    in_groups = settled.stays.filter(pl.col("outcome") != "bed_day")
    names = region.hospitals.select("fixmedins_code", "fixmedins_name", "level", "type")
    hospitals = settled.hospitals.join(names, on="fixmedins_code", how="left", maintain_order="left").join(
        hospital_coefficients(parts), on="fixmedins_code", how="left", maintain_order="left"
    )
    titles = pl.DataFrame(
        {"pool": [pool.id for pool in region.pools], "title": [pool.title for pool in region.pools]}
    )
    others = with_track_amounts(others, beside)
    made = rule_tables(parts, settled.stays)
    tables = {
        "cases": _cases(named(settled.stays, parts), named(others, parts), read, policy.meta.scheme),
        "groups": made.pop("groups"),
        "hospitals": shape(hospitals, "hospitals"),
        "months": shape(settled.months, "months"),
        "pools": shape(settled.pools.join(titles, on="pool", how="left", maintain_order="left"), "pools"),
        "budget": shape(budget, "budget"),
        "ledger": shape(settled.ledger, "ledger"),
        "rejected": shape(pl.concat([read.rejected, read.warnings]).drop("row_idx"), "rejected"),
        "monitoring": shape(
            hospital_indices(in_groups, *band_kinds(parts), policy.weights.scale), "monitoring"
        ),
    }
    tables |= made | beside.tables
    if not is_plain(policy.point_value):
        tables["values"] = shape(prices.select(column.name for column in columns_of("values")), "values")
    reports = [one.report for one in taken if one.report is not None]
    if reports:
        tables["tcm"] = tcm_table(pl.concat(reports), settled.stays)
    if reviewed is not None:
        tables |= review_tables(reviewed, settled.stays, region)
    clock.stop()
    outcomes = tables["cases"].group_by("outcome").len().sort("outcome")
    unknown = _unknown_operations([one.unknown_operations for one in taken])
    facts = {
        "counts": {
            "rows": read.rows_in,
            **{f"outcome_{name}": n for name, n in outcomes.iter_rows()},
            **counts,
            "unknown_operations": int(unknown["stays"].sum()),
        },
        "unknown_operations": unknown.head(50).to_dicts(),
        "notices": [
            *read.notices,
            *unmapped_notices(read.stays, settings[0]),
            *dict.fromkeys(text for part in parts for text in missing_columns(read.stays, part.policy)),
            *dict.fromkeys(text for one in settings for text in tcm_notices(read.stays, one)),
            *track_notices(beside.tables),
            *published_notices(region, tables["pools"]),
        ],
        "quality": read.summary.to_dicts(),
        **part_facts(parts[0]),
        **rules_facts(parts, tables["cases"]),
        "clearing": clearing_facts(tables["hospitals"], policy.settlement, region.meta.year),
        "timings_seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
        "balances": balances(settled.ledger).to_dicts(),
    }
    return tables, facts


def _unknown_operations(found: list[pl.DataFrame]) -> pl.DataFrame:
    """Return code, stays: the operations that the tables of types do not list, over all parts."""
    if len(found) == 1:
        return found[0]
    sums = pl.concat(found).group_by("code").agg(pl.col("stays").sum())
    return sums.sort("stays", "code", descending=[True, False])
