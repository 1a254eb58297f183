"""A year up to its scored stays, for whoever prices and settles it more than once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from fenzhi.budget import direct_amounts, fixed_points
from fenzhi.pipeline.ahead import ahead
from fenzhi.pipeline.history import history_reads, read_histories
from fenzhi.pipeline.parts import (
    PART,
    Part,
    PartStays,
    divided,
    group_part,
    measure_part,
    of_part,
    score_part,
    together,
    with_readmissions,
)
from fenzhi.pipeline.published import ratios_of
from fenzhi.pipeline.reviews import applied_facts, decided, discharged, ranked_applications
from fenzhi.pipeline.setting import Clock, Progress, make_settings, silent
from fenzhi.pipeline.year import measure_year, opening_of, read_year, year_inputs
from fenzhi.region import Region
from fenzhi.settlement import YearInputs

#: The row of an accepted stay in :attr:`Prepared.stays`; null for a stay that is not there.
AT = "stay_at"
_NO_CODES = pl.DataFrame(schema={"code": pl.String, "stays": pl.Int64})


@dataclass(frozen=True)
class Frozen:
    """What a year takes from its history and its files, whatever its stays are.

    ``opening``: pool, opening_value_e4. ``last_points``: of the newest history year. ``inputs``: for settlement,
    without the entries of other tracks.
    """

    region: Region
    parts: tuple[Part, ...]
    opening: pl.DataFrame
    last_points: pl.DataFrame
    inputs: YearInputs


@dataclass(frozen=True)
class Prepared:
    """A year scored: every accepted stay with its outcome, those that points pay with their points.

    ``stays`` has :data:`AT` and ``part``, ``scored`` too. ``facts``, ``discharges``: what special review asks for, None
    without it (:func:`fenzhi.pipeline.reviews.ranked_applications`).
    """

    frozen: Frozen
    stays: pl.DataFrame
    scored: pl.DataFrame
    facts: dict[int, pl.DataFrame] | None
    discharges: pl.DataFrame | None


def freeze(region: Region, progress: Progress = silent) -> Frozen:
    """Read the history of a region and measure everything that its own year does not change."""
    clock = Clock(progress)
    clock.start("read region", 0.0)
    settings = make_settings(region)
    reads = ahead([] if region.published is not None else history_reads(settings))
    parts, opening, last_points, inputs, _ = measure_year(settings, clock, reads)
    return Frozen(region, tuple(parts), opening, last_points, inputs)


def freeze_with_history(region: Region, progress: Progress = silent) -> tuple[Frozen, pl.DataFrame]:
    """Return what :func:`freeze` does, and the stays of the history that count under the rules of the first day."""
    clock = Clock(progress)
    clock.start("read region", 0.0)
    settings = make_settings(region)
    histories = read_histories(settings, clock, ahead(history_reads(settings)))
    clock.start("measure weights", 0.40)
    measured = [measure_part(one, history) for one, history in zip(settings, histories, strict=True)]
    parts, past = tuple(part for part, _ in measured), measured[0][1]
    opening, last_points = opening_of(region, past, parts[0])
    return Frozen(region, parts, opening, last_points, year_inputs(region, past)), past


def read_records(frozen: Frozen) -> pl.DataFrame:
    """Return the accepted stays of the year."""
    return read_year(frozen.region, frozen.parts[0].setting).stays


def group_records(frozen: Frozen, records: pl.DataFrame) -> pl.DataFrame:
    """Return accepted stays with groups and outcomes, each by the rules of its day, and their ``part``.

    Readmissions are not looked for: they need the other stays of a person.
    """
    days = divided(records, [part.setting.period for part in frozen.parts])
    taken = [
        group_part(part, stays).stays.with_columns(pl.lit(at, pl.UInt32).alias(PART))
        for at, (part, stays) in enumerate(zip(frozen.parts, days, strict=True))
    ]
    return together(taken)


def readmissions(frozen: Frozen, stays: pl.DataFrame) -> pl.DataFrame:
    """Return the stays with readmitted_days where a policy asks for it; all stays of their persons must be there."""
    taken = with_readmissions(_taken(frozen, stays))
    return together([one.stays for one in taken])


def score_records(frozen: Frozen, stays: pl.DataFrame) -> pl.DataFrame:
    """Return those of the stays that points pay, scored, before special review."""
    return together([score_part(one, frozen.opening) for one in _taken(frozen, stays)])


def _taken(frozen: Frozen, stays: pl.DataFrame) -> list[PartStays]:
    return [PartStays(part, of_part(stays, at), _NO_CODES, None) for at, part in enumerate(frozen.parts)]


def paid_amounts(frozen: Frozen, scored: pl.DataFrame) -> pl.DataFrame:
    """Return all stays of the year that points pay, scored and reviewed, with direct_fen and their fixed points."""
    factors = [part.policy.ungrouped.factor for part in frozen.parts]
    value = frozen.parts[0].policy.point_value
    ratios = None if frozen.region.published is None else ratios_of(frozen.region, scored)
    return fixed_points(direct_amounts(scored, factors, ratios), value, frozen.last_points)


def prepare(frozen: Frozen, records: pl.DataFrame) -> Prepared:
    """Group and score the year's accepted stays."""
    region, parts = frozen.region, frozen.parts
    stays = readmissions(frozen, group_records(frozen, records)).with_row_index(AT)
    scored = score_records(frozen, stays)
    facts = counts = None
    if region.review_rules is not None:
        facts = applied_facts(scored, region, frozen.opening, parts)
        counts = discharged(scored, region, parts)
        ranked_applications(facts, counts, region, parts)
        scored = decided(scored, region, frozen.opening, parts)
    return Prepared(frozen, stays, paid_amounts(frozen, scored), facts, counts)


def with_region(frozen: Frozen, region: Region) -> Frozen:
    """Return what is frozen with a region that differs in its budget, reviews, hospitals or settlement only."""
    policy = region.policy
    parts = []
    for part in frozen.parts:
        own = part.policy.model_copy(update={"settlement": policy.settlement, "sharing": policy.sharing})
        period = part.setting.period
        mine = replace(
            period.region,
            hospitals=region.hospitals,
            budget=region.budget,
            reviews=region.reviews,
            policy=own,
            policies=(own,),
        )
        parts.append(replace(part, setting=replace(part.setting, period=replace(period, region=mine))))
    return replace(frozen, region=region, parts=tuple(parts))
