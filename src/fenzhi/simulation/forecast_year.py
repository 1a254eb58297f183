"""A year so far: its stays up to a day, scored, beside the history, ready to be forecast."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.pipeline.prepared import (
    AT,
    Frozen,
    freeze_with_history,
    group_records,
    paid_amounts,
    read_records,
    readmissions,
    score_records,
)
from fenzhi.pipeline.reviews import decided
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.points import base_points
from fenzhi.region import Region
from fenzhi.simulation.forecast_cells import Cells, cells_of


@dataclass(frozen=True)
class YearSoFar:
    """``scored``: the stays up to ``as_of`` that points pay; ``cells``: they and the history by account and month."""

    frozen: Frozen
    as_of: date
    scored: pl.DataFrame
    cells: Cells

    @property
    def months_done(self) -> int:
        """Return how many months are over."""
        return int((self.cells.done >= 1).sum())


@dataclass(frozen=True)
class History:
    """What is read once: what the year takes from its history, and its stays with their points before deviation."""

    frozen: Frozen
    stays: pl.DataFrame
    years: tuple[int, ...]
    records: pl.DataFrame


def _faulty(message: str, field: str, value: object, remedy: str) -> RegionError:
    return RegionError(message, code="FORECAST_INPUT", field=field, value=value, remedy=remedy)


def read_history(region: Region, progress: Progress = silent) -> History:
    """Read the history and the records of a region. Raises :class:`RegionError` if there is no history."""
    if region.published is not None:
        raise _faulty(
            "a folder with published weights has no history, so there are no months to go by",
            "published",
            None,
            "forecast from a region's folder with the hospital's stays and history, and --value-range",
        )
    frozen, past = freeze_with_history(region, progress)
    part = frozen.parts[0]
    based = base_points(past, part.weights, part.policy, part.groups["grassroots"])
    based = based.filter(pl.col("pool").is_not_null()).with_columns(
        pl.col("points_base_e4").alias("points_e4")
    )
    years = tuple(sorted(based["year"].unique().to_list()))
    if not years:
        raise RegionError(
            "the history has no stay that a pool pays, so there are no months to go by",
            code="FORECAST_HISTORY",
            file=region.folder / "region.toml",
            field="region.history",
            remedy="name the folders of the years before; see fenzhi check for what counts",
        )
    progress("read records", 0.5)
    records = read_records(frozen)
    mine = records.filter(pl.col("dscg_time").dt.year() == region.meta.year)
    return History(frozen, based, years, mine)


def last_day(history: History) -> date:
    """Return the day of the last discharge of the year; the records are taken as complete up to it."""
    latest = history.records["dscg_time"].max()
    if latest is None:
        raise _faulty(
            "no stay was discharged in the year, so there is nothing to go by",
            "records",
            history.frozen.region.meta.year,
            "put the records of the months that are over into the folder",
        )
    day: date = latest.date()  # type: ignore[union-attr]
    return day


def require_whole_year(history: History) -> None:
    """Raise :class:`RegionError` unless the records reach into December, so that there is a truth to compare with."""
    last = last_day(history)
    if last.month < 12:
        raise _faulty(
            f"the records end on {last}; only a finished year can be compared with its forecast",
            "--back-test",
            None,
            "give a region whose year is over, or leave --back-test away",
        )


def require_day(day: date, history: History, asked: bool) -> None:
    """Raise :class:`RegionError` unless a forecast can be made at the end of a day."""
    year, last = history.frozen.region.meta.year, last_day(history)
    if day.year != year:
        raise _faulty(
            f"the day lies outside the year {year} that is forecast",
            "--as-of",
            day,
            f"give a day between {year}-01-31 and {year}-12-30",
        )
    if day == date(year, 12, 31):
        why = "" if asked else "the records reach to the end of the year; "
        raise _faulty(
            f"{why}after {day} there is nothing left to forecast",
            "--as-of",
            day,
            "give an earlier day with --as-of, or settle the year with fenzhi run",
        )
    if day < date(year, 1, 31):
        raise _faulty(
            "less than a month is over, which says nothing about the year",
            "--as-of",
            day,
            f"wait for the end of January, {year}-01-31",
        )
    if day > last and (day - last).days > calendar.monthrange(last.year, last.month)[1]:
        raise _faulty(
            f"the last discharge in the records is on {last}; more than a month of records is missing",
            "--as-of",
            day,
            f"add the records, or give {last}",
        )


def scored_stays(frozen: Frozen, records: pl.DataFrame) -> pl.DataFrame:
    """Return the stays of some months that points pay, scored.

    Decisions of special review hold as they are: their quota is one of the whole year.
    """
    stays = readmissions(frozen, group_records(frozen, records)).with_row_index(AT)
    scored, region = score_records(frozen, stays), frozen.region
    if region.review_rules is not None:
        scored = decided(scored, region, frozen.opening, frozen.parts)
    return paid_amounts(frozen, scored)


def so_far(history: History, as_of: date) -> YearSoFar:
    """Return the year up to the end of a day; later records, deductions and advances are as if they were not there."""
    frozen = _known_by(history.frozen, as_of)
    upto = history.records.filter(pl.col("dscg_time").dt.date() <= as_of)
    scored = scored_stays(frozen, upto)
    if scored.is_empty():
        raise _faulty(
            "no stay up to this day is paid by points",
            "--as-of",
            as_of,
            "give a later day, or see fenzhi check for what became of the records",
        )
    cells = cells_of(history.stays, history.years, scored, frozen.inputs.accounts, as_of)
    return YearSoFar(frozen, as_of, scored, cells)


def _known_by(frozen: Frozen, as_of: date) -> Frozen:
    """Return what is frozen without deductions and advances of months that are not over, and without later records."""
    over = as_of.month if (as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]) else as_of.month - 1
    inputs = frozen.inputs
    advances = inputs.advances
    return replace(
        frozen,
        inputs=replace(
            inputs,
            deductions=inputs.deductions.filter(pl.col("month") <= over),
            advances=None if advances is None else advances.filter(pl.col("month") <= over),
        ),
    )


def hospitals_with_stays(year: YearSoFar) -> Sequence[str]:
    """Return the hospitals that have stays in the year so far, sorted."""
    return sorted(year.scored["fixmedins_code"].unique())
