"""The region's year on disk: region.toml, hospitals.csv, budget.toml, yearly inputs, checked as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, Field, ValidationError, model_validator

from fenzhi.budget import Budget
from fenzhi.errors import PolicyError, RegionError
from fenzhi.policy import Policy, read_toml
from fenzhi.policy.base import Fault, FaultsError, Model
from fenzhi.policy.fields import dotted, keys_at, nearest
from fenzhi.policy.review import SpecialReview
from fenzhi.policy.validity import FIRST, LAST, Span
from fenzhi.records import QualityRules
from fenzhi.region.auxiliary import read_auxiliary
from fenzhi.region.bonuses import bonuses_of_packs, require_levels
from fenzhi.region.packs import load_packs
from fenzhi.region.pools import Pool, listed_twice
from fenzhi.region.published import Published, assumed_budget
from fenzhi.region.reviews import (
    APPLICATIONS,
    DECISIONS,
    HISTORY,
    read_applications,
    read_decisions,
    read_review_history,
)
from fenzhi.region.tables import (
    read_amounts,
    read_assessment,
    read_bonuses,
    read_deductions,
    read_hospitals,
    read_overrides,
)
from fenzhi.region.tracks import read_track_tables, require_places


class CatalogDays(Model):
    """A catalogue and the days of discharge on which it holds, both ends included; an open end is for ever."""

    catalog: str
    valid_from: date | None = None
    valid_to: date | None = None

    def span(self) -> Span:
        """Return the days on which it holds."""
        return Span(self.valid_from or FIRST, self.valid_to or LAST, self.catalog)


class RegionMeta(Model):
    """The ``[region]`` table: who, which year, and where the files lie (relative to the folder).

    ``history``: folders or files of the years before, oldest first. ``history_years``: the years of
    discharge that count
    (default: the years just before ``year``, one per folder). ``last_year``: a finished run of a year before, to
    compare with. ``policy``: the pack of the year; or
    ``policies``: those that follow each other in it, by date of discharge. ``catalog``: that of the year; or a list of
    those that follow each other in it, ``{catalog, valid_from, valid_to}``.
    """

    id: str
    name: str
    area: str | None = None
    year: int = Field(ge=1990, le=2200)
    synthetic: bool = False
    policy: str | None = None
    policies: tuple[str, ...] = ()
    catalog: str | Annotated[tuple[CatalogDays, ...], Field(min_length=1)]
    records: str = "records"
    history: tuple[str, ...] = ()
    history_years: tuple[int, ...] = ()
    hospitals: str = "hospitals.csv"
    budget: str = "budget.toml"
    columns: str | None = None
    operations: str | None = None
    assessment: str | None = None
    deductions: str | None = None
    advances: str | None = None
    weight_overrides: str | None = None
    bonuses: str | None = None
    auxiliary: str | None = None
    last_year: str | None = None

    @model_validator(mode="after")
    def _check(self) -> RegionMeta:
        if self.policy is not None and self.policies:
            raise FaultsError([Fault("give policy or policies, not both", ("policies",))])
        if self.policy is None and not self.policies:
            text = (
                "this key is missing: the pack of the year, or policies = those that follow each other in it"
            )
            raise FaultsError([Fault(text, ("policy",))])
        return self

    def packs(self) -> tuple[str, ...]:
        """Return the packs as region.toml names them."""
        return self.policies or tuple(name for name in [self.policy] if name is not None)

    def catalogs(self) -> tuple[CatalogDays, ...]:
        """Return the catalogues by their dates; the only one has none."""
        if isinstance(self.catalog, str):
            return (CatalogDays(catalog=self.catalog),)
        return tuple(sorted(self.catalog, key=CatalogDays.span))


class CodesConfig(Model):
    """Mapping tables 国临 -> 医保, one switch per kind of code; code books (first column: code) to check against."""

    diagnosis_map: str | None = None
    operation_map: str | None = None
    diagnosis_book: str | None = None
    operation_book: str | None = None


class RegionFile(Model):
    """The whole region.toml.

    ``quality``: severities and tolerances of quality control. ``published``: in the folder of a hospital alone.
    """

    region: RegionMeta
    pool: tuple[Pool, ...] = Field(min_length=1)
    codes: CodesConfig = CodesConfig()
    quality: QualityRules = QualityRules()
    published: Published | None = None


@dataclass(frozen=True)
class Reviews:
    """The files of special review: ``applications``, ``decisions`` (in order), ``history``; see region/reviews.py."""

    applications: pl.DataFrame
    decisions: pl.DataFrame
    history: pl.DataFrame


def read_reviews(folder: Path, policies: Sequence[Policy]) -> Reviews:
    """Read the files of special review; a year without the section must not meet any."""
    found = {name: folder / name for name in (APPLICATIONS, DECISIONS, HISTORY) if (folder / name).is_file()}
    if found and all(policy.special_review is None for policy in policies):
        raise RegionError(
            "the policy has no special review, so nothing would read this file",
            code="REVIEW_NO_RULES",
            file=next(iter(found.values())),
            remedy="add [special_review] to the policy, or take the file away",
        )
    return Reviews(
        read_applications(found.get(APPLICATIONS)),
        read_decisions(found.get(DECISIONS)),
        read_review_history(found.get(HISTORY)),
    )


@dataclass(frozen=True)
class Region:
    """A region's year, read: settings, policies, hospitals (frame), budget and yearly inputs (frames).

    ``policies`` stand in the order of their dates, ``pack_bonuses`` are what each of them asks of bonuses.csv;
    ``policy`` and ``bonuses`` are those of the first one. :func:`fenzhi.region.periods.periods` gives the rules of
    every day.
    """

    folder: Path
    meta: RegionMeta
    pools: tuple[Pool, ...]
    codes: CodesConfig
    quality: QualityRules
    policy: Policy
    policies: tuple[Policy, ...]
    hospitals: pl.DataFrame
    budget: Budget
    assessment: pl.DataFrame
    deductions: pl.DataFrame
    advances: pl.DataFrame | None
    weight_overrides: pl.DataFrame
    bonuses: pl.DataFrame
    auxiliary: pl.DataFrame
    reviews: Reviews
    tracks: dict[str, pl.DataFrame]
    pack_bonuses: tuple[pl.DataFrame, ...] = ()
    published: Published | None = None

    @property
    def review_rules(self) -> SpecialReview | None:
        """Return special review as the whole year has it (quota, ranking, outcomes); None without it."""
        return next((one.special_review for one in self.policies if one.special_review is not None), None)

    @property
    def catalog(self) -> str:
        """Return the catalogue, the first one if several follow each other."""
        return self.meta.catalogs()[0].catalog

    def path(self, name: str) -> Path:
        """Return a file or folder named in region.toml."""
        return self.folder / name


def read_model(model: type[BaseModel], file: Path, code: str) -> Any:
    """Read a TOML file into a model; an unknown key is answered with the nearest one there is."""
    try:
        data = read_toml(file)
    except PolicyError as error:
        raise RegionError(
            error.message, code="REGION_SYNTAX", file=file, remedy=error.remedy or "check the file"
        ) from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt key is missing and unknown at once; the unknown one says more.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place = first["loc"]
        message = first["msg"].removeprefix("Value error, ")
        raised = first.get("ctx", {}).get("error")
        if isinstance(raised, FaultsError):
            message, at = raised.faults[0]
            place = (*place, *at)
        remedy = "see docs/guide.md for the keys of this file"
        if first["type"] == "extra_forbidden":
            keys = keys_at(model, place[:-1])
            near = nearest(str(place[-1]), keys)
            message = "this key is unknown" + (f"; nearest is {near!r}" if near else "")
            remedy = f"use one of: {', '.join(keys)}" if keys else remedy
        elif first["type"] == "missing":
            message = "this key is missing"
        raise RegionError(
            message,
            code=code,
            file=file,
            field=dotted(place) or None,
            value=None if isinstance(first["input"], dict | list) else first["input"],
            remedy=remedy,
        ) from error


def _budget(file: Path, year: int, pools: list[str]) -> Budget:
    """Read the budget: of this year, one entry per pool and none besides, amounts in fen."""
    if not file.is_file():
        raise RegionError(
            "this file is missing",
            code="REGION_FILE_MISSING",
            file=file,
            remedy="write the budget of every pool",
        )
    budget: Budget = read_model(Budget, file, "BUDGET_VALUE")
    if budget.year != year:
        raise RegionError(
            f"the budget is for {budget.year}, the region's year is {year}",
            code="BUDGET_YEAR",
            file=file,
            field="year",
            value=budget.year,
            remedy="give the budget of the year that is settled",
        )
    for at, entry in enumerate(budget.pool, start=1):
        if entry.id not in pools or entry.id in {other.id for other in budget.pool[: at - 1]}:
            twice = entry.id in pools
            raise RegionError(
                "this pool has two budgets" if twice else "the region has no such pool",
                code="BUDGET_POOL",
                file=file,
                field=f"pool.{at}.id",
                value=entry.id,
                remedy="write all lines of a pool into one entry"
                if twice
                else f"use one of: {', '.join(pools)}",
            )
    for pool in pools:
        try:
            budget.of(pool)
        except RegionError as error:
            raise RegionError(
                error.message,
                code=error.code,
                file=file,
                field=error.field,
                value=error.value,
                remedy=error.remedy,
            ) from error
    return budget


def _require_published(published: Published, pools: list[str], file: Path) -> None:
    """Raise unless every pool of the region has a published value, once."""
    named = [pool.id for pool in published.pool]
    wrong = [pool for pool in named if pool not in pools or named.count(pool) > 1]
    missing = [pool for pool in pools if pool not in named]
    if wrong or missing:
        raise RegionError(
            "what is published names each pool of the region once",
            code="REGION_PUBLISHED",
            file=file,
            field="published.pool.id",
            value=(wrong or missing)[0],
            remedy=f"the pools are: {', '.join(pools)}",
        )


def load_region(folder: Path) -> Region:
    """Read and check a region's folder (not its records).

    Raises :class:`RegionError` or :class:`PolicyError` naming file, row, field, value and remedy.
    """
    file = folder / "region.toml"
    if not file.is_file():
        raise RegionError(
            "there is no region.toml in this folder" if folder.is_dir() else "there is no such folder",
            code="REGION_FILE_MISSING",
            file=folder,
            remedy="give the folder of a region's year; `fenzhi demo DIR` writes one to look at",
        )
    settings: RegionFile = read_model(RegionFile, file, "REGION_VALUE")
    meta = settings.region
    ids = [pool.id for pool in settings.pool]
    if len(set(ids)) != len(ids):
        raise RegionError(
            "two pools have the same id",
            code="REGION_VALUE",
            file=file,
            field="pool.id",
            remedy="give each its own",
        )
    for at, text in listed_twice(settings.pool):
        raise RegionError(
            text,
            code="REGION_POOLS",
            file=file,
            field=f"pool.{at + 1}.areas",
            remedy="take the area out of one of the two lists",
        )
    hospitals = read_hospitals(folder / meta.hospitals)

    def optional(given: str | None, usual: str) -> Path | None:
        if given is not None:
            return folder / given
        return folder / usual if (folder / usual).is_file() else None

    advances = optional(meta.advances, "advances.csv")
    meta, policies = load_packs(meta, folder)
    for policy in policies:
        require_levels(hospitals, policy.coefficients, folder / meta.hospitals)
    bonuses = optional(meta.bonuses, "bonuses.csv")
    pack_bonuses = bonuses_of_packs(
        read_bonuses(bonuses, hospitals),
        hospitals,
        [policy.coefficients for policy in policies],
        bonuses or folder / "bonuses.csv",
    )
    published = settings.published
    if published is not None:
        _require_published(published, ids, file)
    if published is not None and not (folder / meta.budget).is_file():
        budget = assumed_budget(dict.fromkeys(ids, (0, 0)), meta.year)
    else:
        budget = _budget(folder / meta.budget, meta.year, ids)
    require_places(policies[0], ids, budget, folder / meta.budget)
    return Region(
        folder=folder,
        meta=meta,
        pools=settings.pool,
        codes=settings.codes,
        quality=settings.quality,
        policy=policies[0],
        policies=policies,
        hospitals=hospitals,
        budget=budget,
        assessment=read_assessment(optional(meta.assessment, "assessment.csv"), hospitals),
        deductions=read_deductions(optional(meta.deductions, "deductions.csv"), hospitals, ids),
        advances=None if advances is None else read_amounts(advances, hospitals, ids, "advance_fen", 0),
        weight_overrides=read_overrides(optional(meta.weight_overrides, "weight_overrides.csv")),
        bonuses=pack_bonuses[0],
        pack_bonuses=pack_bonuses,
        auxiliary=read_auxiliary(optional(meta.auxiliary, "auxiliary.csv")),
        reviews=read_reviews(folder, policies),
        tracks=read_track_tables(folder, policies[0], hospitals, ids),
        published=published,
    )
