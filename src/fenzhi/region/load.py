"""The region's year on disk: region.toml, hospitals.csv, budget.toml, yearly inputs, checked as they are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fenzhi.budget import Budget
from fenzhi.codes import read_table, require_columns
from fenzhi.errors import PolicyError, RegionError
from fenzhi.money import to_e4, yuan_to_fen
from fenzhi.policy import Policy, load_policy, read_toml
from fenzhi.records import QualityRules

# An assessment coefficient above this is a slip of the decimal point.
MOST_ASSESSMENT_E4 = 20_000


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RegionMeta(Model):
    """The ``[region]`` table: who, which year, and where the files lie (relative to the folder).

    ``history``: folders or files of the years before, oldest first. ``history_years``: the years of
    discharge that count
    (default: the years just before ``year``, one per folder).
    """

    id: str
    name: str
    area: str | None = None
    year: int = Field(ge=1990, le=2200)
    synthetic: bool = False
    policy: str
    catalog: str
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


class Pool(Model):
    """A pool: which insurance kinds and insured areas it takes; ``opening_value`` replaces the computed one."""

    id: str = Field(pattern=r"^[A-Za-z0-9_\-]+$")
    title: str
    insutype: tuple[str, ...] = Field(min_length=1)
    areas: Literal["local", "other", "any"] = "local"
    opening_value: Decimal | None = Field(default=None, gt=0, lt=1_000_000, decimal_places=4)


class CodesConfig(Model):
    """Mapping tables 国临 -> 医保, one switch per kind of code; code books (first column: code) to check against."""

    diagnosis_map: str | None = None
    operation_map: str | None = None
    diagnosis_book: str | None = None
    operation_book: str | None = None


class RegionFile(Model):
    """The whole region.toml. ``quality``: severities and tolerances of quality control."""

    region: RegionMeta
    pool: tuple[Pool, ...] = Field(min_length=1)
    codes: CodesConfig = CodesConfig()
    quality: QualityRules = QualityRules()


@dataclass(frozen=True)
class Region:
    """A region's year, read: settings, policy, hospitals (frame), budget and yearly inputs (frames)."""

    folder: Path
    meta: RegionMeta
    pools: tuple[Pool, ...]
    codes: CodesConfig
    quality: QualityRules
    policy: Policy
    hospitals: pl.DataFrame
    budget: Budget
    assessment: pl.DataFrame
    deductions: pl.DataFrame
    advances: pl.DataFrame | None

    def path(self, name: str) -> Path:
        """Return a file or folder named in region.toml."""
        return self.folder / name


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the table at ``place`` may have."""
    for part in (part for part in place if isinstance(part, str)):
        field = model.model_fields.get(part)
        inside = [] if field is None else [field.annotation, *get_args(field.annotation)]
        tables = [kind for kind in inside if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not tables:
            return []
        model = tables[0]
    return list(model.model_fields)


def _field(place: tuple[int | str, ...]) -> str:
    """Return a place as people count: ``pool.2.amount`` is the second pool."""
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)


def _model(model: type[BaseModel], file: Path, code: str) -> Any:
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
        remedy = "see docs/guide.md for the keys of this file"
        if first["type"] == "extra_forbidden":
            keys = _keys_at(model, place[:-1])
            near = get_close_matches(str(place[-1]), keys, 1)
            message = "this key is unknown" + (f"; nearest is {near[0]!r}" if near else "")
            remedy = f"use one of: {', '.join(keys)}" if keys else remedy
        elif first["type"] == "missing":
            message = "this key is missing"
        raise RegionError(
            message,
            code=code,
            file=file,
            field=_field(place) or None,
            value=None if isinstance(first["input"], dict | list) else first["input"],
            remedy=remedy,
        ) from error


def _table(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pl.DataFrame:
    """Read a small CSV as text; optional columns that it lacks are null, further ones are left out."""
    frame = read_table(path, RegionError)
    require_columns(frame, needed, path, RegionError)
    missing = [name for name in optional if name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing).select(
        *needed, *optional
    )


def _numbers(frame: pl.DataFrame, column: str, file: Path, convert: Any) -> pl.Series:
    """Convert a text column exactly; an unreadable value names its row."""
    out = []
    for row, text in enumerate(frame[column], start=1):
        try:
            out.append(convert(text))
        except (TypeError, ValueError) as error:
            raise RegionError(
                "this is not a number of the expected form",
                code="REGION_NUMBER",
                file=file,
                row=row,
                field=column,
                value=text,
                remedy="amounts have at most two decimals (a deduction is not negative), coefficients at most four "
                "(an assessment is at most 2), months are 1 to 12",
            ) from error
    return pl.Series(column, out, dtype=pl.Int64)


_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
_COEFFICIENT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")


def _exactly(pattern: re.Pattern[str], text: str | None) -> str:
    if text is None or not pattern.fullmatch(text):
        raise ValueError(text)
    return text


def _amount(text: str | None) -> int:
    return yuan_to_fen(_exactly(_AMOUNT, text))


def _coefficient(text: str | None) -> int:
    return to_e4(_exactly(_COEFFICIENT, text))


def _assessed(text: str | None) -> int:
    value = _coefficient(text)
    # 98.5 instead of 0.985 would pay a hospital a hundred times too much.
    if value > MOST_ASSESSMENT_E4:
        raise ValueError(text)
    return value


def _deduction(text: str | None) -> int:
    amount = _amount(text)
    if amount < 0:
        raise ValueError(text)
    return amount


def _once(frame: pl.DataFrame, path: Path) -> None:
    twice = frame.filter(pl.col("fixmedins_code").is_duplicated())
    if twice.height:
        raise RegionError(
            "a hospital is listed twice",
            code="REGION_KEY",
            file=path,
            field="fixmedins_code",
            value=twice["fixmedins_code"][0],
            remedy="keep one row per hospital",
        )


def _hospitals(path: Path) -> pl.DataFrame:
    needed = ("fixmedins_code", "fixmedins_name", "level", "type")
    frame = _table(path, needed, ("coefficient", "county", "community"))
    if frame.is_empty():
        raise RegionError(
            "the file lists no hospital", code="REGION_CSV", file=path, remedy="add the region's hospitals"
        )
    for row, code in enumerate(frame["fixmedins_code"], start=1):
        if code is None:
            raise RegionError(
                "a hospital has no code",
                code="REGION_KEY",
                file=path,
                row=row,
                field="fixmedins_code",
                remedy="add it",
            )
        # Codes become file names of statements and parts of account names.
        if not code.replace("-", "").replace("_", "").isalnum():
            raise RegionError(
                "a hospital code may hold letters, digits, - and _ only",
                code="REGION_KEY",
                file=path,
                row=row,
                field="fixmedins_code",
                value=code,
                remedy="correct the code",
            )
    _once(frame, path)
    # Rows keep their numbers, so the empty ones are looked at as well.
    _numbers(frame, "coefficient", path, lambda text: None if text is None else _coefficient(text))
    return frame.sort("fixmedins_code")


def _known_hospitals(frame: pl.DataFrame, hospitals: pl.DataFrame, path: Path) -> None:
    unknown = frame.filter(~pl.col("fixmedins_code").is_in(hospitals["fixmedins_code"].to_list()))
    if unknown.height:
        raise RegionError(
            "this hospital is not listed in hospitals.csv",
            code="REGION_KEY",
            file=path,
            field="fixmedins_code",
            value=unknown["fixmedins_code"][0],
            remedy="add it to hospitals.csv or correct the code",
        )


def _month(text: str, first: int = 1) -> int:
    month = int(text)
    if not first <= month <= 12:
        raise ValueError(text)
    return month


def _assessment(path: Path | None, hospitals: pl.DataFrame) -> pl.DataFrame:
    schema = {"fixmedins_code": pl.String, "assessment_e4": pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = _table(path, ("fixmedins_code", "coefficient"))
    _known_hospitals(frame, hospitals, path)
    _once(frame, path)
    values = _numbers(frame, "coefficient", path, _assessed)
    return frame.select("fixmedins_code", values.alias("assessment_e4"))


def _amounts(
    path: Path | None, hospitals: pl.DataFrame, pools: tuple[Pool, ...], name: str, first: int
) -> pl.DataFrame:
    schema = {"fixmedins_code": pl.String, "pool": pl.String, "month": pl.Int8, name: pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = _table(path, ("fixmedins_code", "pool", "month", "amount"), ("reason",))
    _known_hospitals(frame, hospitals, path)
    strange = frame.filter(~pl.col("pool").is_in([pool.id for pool in pools]).fill_null(False))
    if strange.height:
        raise RegionError(
            "this pool does not exist",
            code="REGION_KEY",
            file=path,
            field="pool",
            value=strange["pool"][0],
            remedy=f"the region's pools are {', '.join(pool.id for pool in pools)}",
        )
    return frame.select(
        "fixmedins_code",
        "pool",
        _numbers(frame, "month", path, lambda text: _month(text, first)).cast(pl.Int8),
        _numbers(frame, "amount", path, _deduction if name == "deduction_fen" else _amount).alias(name),
    )


def _budget(file: Path, year: int, pools: list[str]) -> Budget:
    """Read the budget: of this year, one entry per pool and none besides, amounts in fen."""
    if not file.is_file():
        raise RegionError(
            "this file is missing",
            code="REGION_FILE_MISSING",
            file=file,
            remedy="write the budget of every pool",
        )
    budget: Budget = _model(Budget, file, "BUDGET_VALUE")
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
        for line in entry.lines:
            if not _AMOUNT.fullmatch(f"{line.amount:f}"):
                raise RegionError(
                    "an amount is yuan with at most two decimals",
                    code="BUDGET_VALUE",
                    file=file,
                    field=f"pool {entry.id}, line {line.name}",
                    value=line.amount,
                    remedy="correct the amount",
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
    settings: RegionFile = _model(RegionFile, file, "REGION_VALUE")
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
    hospitals = _hospitals(folder / meta.hospitals)

    def optional(given: str | None, usual: str) -> Path | None:
        if given is not None:
            return folder / given
        return folder / usual if (folder / usual).is_file() else None

    advances = optional(meta.advances, "advances.csv")
    return Region(
        folder=folder,
        meta=meta,
        pools=settings.pool,
        codes=settings.codes,
        quality=settings.quality,
        policy=load_policy(meta.policy, near=folder),
        hospitals=hospitals,
        budget=_budget(folder / meta.budget, meta.year, ids),
        assessment=_assessment(optional(meta.assessment, "assessment.csv"), hospitals),
        deductions=_amounts(
            optional(meta.deductions, "deductions.csv"), hospitals, settings.pool, "deduction_fen", 1
        ),
        advances=None if advances is None else _amounts(advances, hospitals, settings.pool, "advance_fen", 0),
    )
