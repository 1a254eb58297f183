"""A hospital's departments in a finished run: point income against cost, why, quotas, watch lists. Reads and writes.

Doctors are persons: without a key file nobody reads their codes, with one they come out as pseudonyms.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from fenzhi.attribution.departments import (
    benchmark,
    department_tables,
    history_quotas,
    with_quotas,
)
from fenzhi.catalogs import compares_exactly
from fenzhi.errors import ConservationError, InputError
from fenzhi.files import new_dir, new_file, require_new_file
from fenzhi.money import to_e4, yuan_to_fen
from fenzhi.pipeline.explain import require_inputs
from fenzhi.pipeline.setting import columns_for, known_codes
from fenzhi.pipeline.store import read_manifest, read_table, write_csv, write_table
from fenzhi.points import PAID
from fenzhi.policy.base import Fee, Limit, Model
from fenzhi.records import StaysRead, load_columns, read_stays
from fenzhi.records.audit import audit, read_checks
from fenzhi.records.schema import nearest
from fenzhi.region import Region, load_region
from fenzhi.region.load import read_model
from fenzhi.region.scope import cost_of
from fenzhi.region.tables import AMOUNT, read_cells, require_once
from fenzhi.reports.departments import department_book, department_page
from fenzhi.shipped import shipped_dir

_KEY_BYTES = 16
_PAGE, _BOOK = "departments.html", "departments.xlsx"


class Watch(Model):
    """``above_quota``: cost above so many times the quota; ``below_yuan``: cost below so many yuan."""

    above_quota: Limit
    below_yuan: Annotated[int, Field(ge=0, le=10**9)]


class Costs(Model):
    """Which fees are drugs, and which are consumables."""

    drugs: tuple[Fee, ...]
    consumables: tuple[Fee, ...]


class DepartmentSettings(Model):
    """The settings of departments; those of fenzhi lie in ``catalogs/departments/settings.toml``."""

    watch: Watch
    costs: Costs


@dataclass(frozen=True)
class Departments:
    """A hospital's departments.

    ``tables``: see :data:`fenzhi.attribution.department_columns.DEPARTMENT_TABLES`. ``summary``: hospital, run and
    settings, for pages.
    """

    tables: dict[str, pl.DataFrame]
    summary: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the user sets: files of ``settings`` and ``quotas``, the ``doctors`` key file, one ``department`` only."""

    settings: Path | None = None
    quotas: Path | None = None
    doctors: Path | None = None
    department: str | None = None


def read_settings(path: Path | None = None) -> DepartmentSettings:
    """Read settings, those of fenzhi without ``path``; an unknown key is answered with the nearest one."""
    file = path or shipped_dir() / "departments" / "settings.toml"
    found: DepartmentSettings = read_model(DepartmentSettings, file, "REPORT_SETTINGS")
    return found


def departments_of(run: Path, hospital: str, wanted: Wanted | None = None) -> Departments:
    """Return the departments of one hospital of a finished run (``runs/<id>`` inside the region's folder).

    The region's records are read again for fees, departments and doctors; the stays of the whole region are what those
    of the hospital are compared with. Raises :class:`InputError` for an unknown hospital or department, a hospital
    without paid stays, changed inputs, faulty settings or quotas.
    """
    wanted = wanted or Wanted()
    settings, manifest = read_settings(wanted.settings), read_manifest(run)
    key = None if wanted.doctors is None else _key(wanted.doctors)
    region = load_region(run.resolve().parents[1])
    require_inputs(region, manifest)
    hospitals = read_table(run, "hospitals")
    name = _hospital_name(hospitals, hospital, run)
    read = read_stays(
        region.path(region.meta.records),
        columns=_columns(region),
        quality=region.quality,
        known=known_codes(region),
    )
    everybody = _paid(read_table(run, "cases"), read, settings.costs)
    mine = everybody.filter(pl.col("fixmedins_code") == hospital)
    counted = hospitals.filter(pl.col("fixmedins_code") == hospital)["cases"].sum()
    if mine.height != counted:
        raise ConservationError(
            "the run counts other stays of the hospital", field="cases", value=(counted, mine.height)
        )
    mine = _looked_at(_with_doctors(mine, key, hospital), read)
    if mine.is_empty():
        raise InputError(
            "no stay of this hospital is paid by points, so there is nothing to show",
            code="REPORT_DEPARTMENT_EMPTY",
            file=run / "cases.parquet",
            field="fixmedins_code",
            value=hospital,
            remedy="choose another hospital of the table hospitals",
        )
    mine = with_quotas(mine, _quotas(region, hospital, wanted.quotas, mine["dscg_caty"]))
    if wanted.department is not None:
        mine = mine.filter(
            pl.col("dscg_caty") == _known(wanted.department, mine["dscg_caty"], run / "cases.parquet")
        )
    names = (
        read_table(run, "groups")
        .select("group_id", "name")
        .unique("group_id", keep="first", maintain_order=True)
    )
    mine = mine.join(names, on="group_id", how="left", maintain_order="left")
    tables = department_tables(
        mine,
        benchmark(everybody),
        above_e4=to_e4(settings.watch.above_quota),
        below_fen=yuan_to_fen(settings.watch.below_yuan),
    )
    summary = {
        "hospital": {"fixmedins_code": hospital, "name": name},
        "run_id": manifest["run_id"],
        "created": manifest["created"],
        "region": manifest["region"],
        "policy": manifest["policy"]["title"],
        "scheme": str(mine["scheme"][0]),
        "scale": manifest["policy"]["scale"],
        "fenzhi": manifest["versions"]["fenzhi"],
        "settings": settings.model_dump(mode="json"),
        "has_costs": bool((everybody["drug_fen"] != 0).any() or (everybody["consumable_fen"] != 0).any()),
        "doctors": tables["doctors"].height > 0,
        "one_hospital": everybody["fixmedins_code"].n_unique() == 1,
    }
    return Departments(tables, summary)


def write_departments(found: Departments, target: Path, lang: str = "zh") -> list[Path]:
    """Write departments as one ``.html`` or ``.xlsx``, or all of it with every table as CSV into a new folder."""
    if target.suffix:
        require_new_file(target, (".html", ".xlsx"))
        with new_file(target) as aside:
            if target.suffix.lower() == ".xlsx":
                department_book(aside, found.summary, found.tables, lang)
            else:
                aside.write_text(department_page(found.summary, found.tables, lang), encoding="utf-8")
        return [target]
    with new_dir(target) as aside:
        names = [_PAGE, _BOOK]
        (aside / _PAGE).write_text(department_page(found.summary, found.tables, lang), encoding="utf-8")
        department_book(aside / _BOOK, found.summary, found.tables, lang)
        for name, frame in found.tables.items():
            write_table(frame, aside / f"{name}.parquet")
            write_csv(frame, aside / f"{name}.csv")
            names += [f"{name}.parquet", f"{name}.csv"]
    return [target / name for name in names]


def _columns(region: Region) -> Any:
    name = region.meta.columns
    cmap = None if name is None else load_columns(region.path(name))
    return columns_for(cmap, compares_exactly(region.catalog, region.folder))


def _hospital_name(hospitals: pl.DataFrame, code: str, run: Path) -> str:
    mine = hospitals.filter(pl.col("fixmedins_code") == code)
    if mine.is_empty():
        near = nearest(code, hospitals["fixmedins_code"].unique())
        raise InputError(
            "the run has no hospital with this code" + (f"; nearest is {near!r}" if near else ""),
            code="REPORT_HOSPITAL_UNKNOWN",
            file=run / "hospitals.parquet",
            field="fixmedins_code",
            value=code,
            remedy="give a code of the table hospitals",
        )
    return str(mine["fixmedins_name"][0] or code)


def _known(department: str, of: pl.Series, file: Path, row: int | None = None) -> str:
    """Return a department that stays have. Raises :class:`InputError` for any other."""
    names = of.drop_nulls().unique().sort().to_list()
    if department not in names:
        near = nearest(department, names)
        raise InputError(
            "the hospital has no paid stay in this department" + (f"; nearest is {near!r}" if near else ""),
            code="REPORT_DEPARTMENT_UNKNOWN",
            file=file,
            row=row,
            field="dscg_caty",
            value=department,
            remedy=f"use one of: {', '.join(names)}" if names else "fill in dscg_caty in the records",
        )
    return department


def _paid(cases: pl.DataFrame, read: StaysRead, costs: Costs) -> pl.DataFrame:
    """Return the stays that points pay, with what the records alone say of them."""
    paid = cases.filter(
        pl.col("pool").is_not_null() & pl.col("points_e4").is_not_null() & pl.col("outcome").is_in(PAID)
    )
    have = read.stays.columns

    def added(fees: tuple[str, ...]) -> pl.Expr:
        names = [f"{fee}_fen" for fee in fees if f"{fee}_fen" in have]
        return pl.sum_horizontal(pl.lit(0, pl.Int64), *(pl.col(name).fill_null(0) for name in names))

    doctor = pl.col("chfpdr_code") if "chfpdr_code" in have else pl.lit(None, pl.String)
    records = read.stays.select(
        "setl_id",
        added(costs.drugs).alias("drug_fen"),
        added(costs.consumables).alias("consumable_fen"),
        doctor.alias("doctor"),
    )
    both = paid.join(records, on="setl_id", how="inner", maintain_order="left")
    if both.height != paid.height:
        raise ConservationError("stays of the run are not in its records", field="setl_id", value=both.height)
    return both


def _key(path: Path) -> bytes:
    """Return the secret that doctors' pseudonyms are made with."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise InputError(
            f"the key cannot be read: {error.strerror or error}",
            code="REPORT_DOCTOR_KEY",
            file=path,
            remedy="give a file that holds a secret of the hospital",
        ) from error
    if len(key) < _KEY_BYTES:
        raise InputError(
            f"the key has {len(key)} characters, too few to keep doctors' codes hidden",
            code="REPORT_DOCTOR_KEY",
            file=path,
            remedy=f"write at least {_KEY_BYTES} characters that nobody can guess",
        )
    return key


def _with_doctors(stays: pl.DataFrame, key: bytes | None, hospital: str) -> pl.DataFrame:
    """Replace each doctor's code by a pseudonym: HMAC-SHA-256 of hospital and code; without key, by nothing."""
    codes = stays["doctor"].drop_nulls().unique().sort()
    if key is None or codes.is_empty():
        return stays.with_columns(pl.lit(None, pl.String).alias("doctor"))
    made = [
        "D" + hmac.new(key, f"{hospital}|{code}".encode(), hashlib.sha256).hexdigest()[:12].upper()
        for code in codes
    ]
    if len(set(made)) != len(made):
        raise ConservationError("two doctors would have one pseudonym", remedy="use another key")
    hidden = pl.col("doctor").replace_strict(codes, made, default=None, return_dtype=pl.String)
    return stays.with_columns(hidden.alias("doctor"))


def _looked_at(stays: pl.DataFrame, read: StaysRead) -> pl.DataFrame:
    """Add ``flagged``: whether the checks of a record (quality control, filling in, hints) found anything."""
    mine = read.stays.join(stays.select("setl_id"), on="setl_id", how="semi")
    found = pl.concat([audit(mine, read_checks())["setl_id"], read.warnings["setl_id"]]).unique()
    return stays.with_columns(pl.col("setl_id").is_in(found.implode()).alias("flagged"))


def _quotas(region: Region, hospital: str, file: Path | None, departments: pl.Series) -> pl.DataFrame:
    """Return dscg_caty, quota_fen, quota_source: set by a file, else the mean cost of the newest history year."""
    schema = {"dscg_caty": pl.String, "quota_fen": pl.Int64, "quota_source": pl.String}
    given = pl.DataFrame(schema=schema) if file is None else _read_quotas(file, departments)
    if not region.meta.history:
        return given
    read = read_stays(
        region.path(region.meta.history[-1]),
        columns=_columns(region),
        quality=region.quality,
        known=known_codes(region),
        needs="weights",
    )
    past = read.stays.filter(pl.col("fixmedins_code") == hospital)
    if "dscg_caty" not in past.columns:
        return given
    past = past.select("dscg_caty", cost_of(past, region.policy.scope).alias("cost_fen"))
    measured = history_quotas(past).join(given.select("dscg_caty"), on="dscg_caty", how="anti")
    return pl.concat([given, measured.select(pl.col(name).cast(dtype) for name, dtype in schema.items())])


def _read_quotas(file: Path, departments: pl.Series) -> pl.DataFrame:
    """Read a file of quotas: dscg_caty, quota (yuan a stay)."""
    table = read_cells(file, ("dscg_caty", "quota"))
    require_once(table, file, "dscg_caty", "department")
    rows = []
    for row, (department, text) in enumerate(table.iter_rows(), start=1):
        _known(department or "", departments, file, row)
        if text is None or not AMOUNT.fullmatch(text) or yuan_to_fen(text) <= 0:
            raise InputError(
                "this is not a quota",
                code="REPORT_QUOTA",
                file=file,
                row=row,
                field="quota",
                value=text,
                remedy="write yuan a stay above 0, with at most two decimals",
            )
        rows.append((department, yuan_to_fen(text), "set"))
    return pl.DataFrame(
        rows, schema={"dscg_caty": pl.String, "quota_fen": pl.Int64, "quota_source": pl.String}, orient="row"
    )
