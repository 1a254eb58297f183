"""Official grouping results (transactions 3605 DRG and 3606 DIP) from files: one counting row per settlement.

Only the columns of :data:`FIELDS` are read; persons' numbers and names never are. Source: national interface
XJ-K01-2021, transactions 3605 and 3606; docs/reference/official-results.md.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from fenzhi.errors import InputError
from fenzhi.records.columns import check_names
from fenzhi.records.convert import check_type, clean_text, local_time, parse_dates, to_fen
from fenzhi.records.schema import nearest
from fenzhi.records.sources import Table, find_units, open_table

Scheme = Literal["dip", "drg"]

# Columns with the group of a scheme; one of them must be there.
GROUP_COLUMNS: dict[Scheme, tuple[str, ...]] = {
    "drg": ("drg_codg", "place_drg_codg"),
    "dip": ("dip_dise_grp_code",),
}
FIELDS: dict[Scheme, tuple[str, ...]] = {
    "drg": (
        *("setl_id", "drg_codg", "drg_name", "place_drg_codg", "place_drg_name", "adrg_codg", "mdc_codg"),
        *("grp_rslt", "err_info", "grp_ver", "place_grp_ver", "grp_time", "vali_flag", "nuld_flag"),
    ),
    "dip": (
        *("setl_id", "dip_dise_grp_code", "dip_dise_grp_name", "grp_diag_code", "oprn_grp_code", "grp_stas"),
        *("grp_dise_sco", "grp_ver", "grp_time", "vali_flag", "nuld_flag"),
    ),
}
TRANSACTIONS: dict[Scheme, str] = {"drg": "3605", "dip": "3606"}
_CODES = {"drg_codg", "place_drg_codg", "adrg_codg", "mdc_codg", "dip_dise_grp_code", "grp_diag_code"} | {
    "oprn_grp_code"
}
# What a flag may hold: settled by the interface, 0 no and 1 yes.
_FLAGS = ("vali_flag", "nuld_flag", "grp_stas")


class OfficialMap(BaseModel):
    """Foreign names and values of an export: ``[columns]`` national name = name in the export,
    ``[values.<name>]`` old text = new text (``""`` = not known), ``[constants]`` the same text in every row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    constants: dict[str, str] = {}


@dataclass(frozen=True)
class Official:
    """Official results as read.

    ``results``: one row per settlement in the order of ``setl_id``, the columns of :data:`FIELDS` as text
    (null where the file has none) but ``grp_time`` (Datetime) and ``grp_dise_sco_e4`` (Int64, 1/10,000) in
    place of ``grp_dise_sco``; ``source_file``, ``source_row`` (from 1). ``void_rows``: left out as void;
    ``keyless_rows``: without ``setl_id``; ``superseded_rows``: older rows of a settlement that has a newer
    one. ``versions``: what the counting rows say about the grouper. ``rows_in`` is the sum of all of these.
    """

    scheme: Scheme
    results: pl.DataFrame
    void_rows: int
    keyless_rows: int
    superseded_rows: int
    versions: tuple[str, ...]
    notices: tuple[str, ...]
    rows_in: int


def read_official(path: Path | str, scheme: Scheme, columns: OfficialMap | None = None) -> Official:
    """Read official results from a Parquet, CSV or Excel file, or a folder of them.

    Of several rows of one settlement the last by ``grp_time`` counts (without a time, or with equal ones,
    the later row). Raises :class:`InputError` with the codes of reading records, and RECORDS_OFFICIAL_SCHEME
    (results of the other scheme) or RECORDS_OFFICIAL_FLAG (a flag that is neither 0 nor 1).
    """
    cmap = columns or OfficialMap()
    units, notices = find_units(Path(path))
    frames = []
    for unit in units:
        table = open_table(unit.path, unit.label)
        frame, said = _typed(_chosen(table, scheme, cmap), table, scheme)
        frames.append(frame)
        notices += [*table.notices, *said]
    rows = pl.concat(frames).with_row_index("_order")
    keyed = rows.filter(pl.col("setl_id").is_not_null())
    void = ((pl.col("nuld_flag") == "1") | (pl.col("vali_flag") == "0")).fill_null(False)
    valid = keyed.filter(~void)
    last = (
        valid.sort("grp_time", "_order", nulls_last=False)
        .unique("setl_id", keep="last", maintain_order=True)
        .sort("setl_id")
        .drop("_order")
    )
    return Official(
        scheme,
        last,
        keyed.height - valid.height,
        rows.height - keyed.height,
        valid.height - last.height,
        _versions(last),
        tuple(notices),
        rows.height,
    )


def load_official_columns(path: Path | str) -> OfficialMap:
    """Read a mapping file for official results.

    Raises :class:`InputError` MAPPING_MISSING, MAPPING_SYNTAX, MAPPING_UNKNOWN_KEY or MAPPING_VALUE.
    """
    path = Path(path)
    known = sorted({name for names in FIELDS.values() for name in names})
    try:
        found = OfficialMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise InputError(
            f"cannot read the mapping file: {error.strerror}",
            code="MAPPING_MISSING",
            file=path,
            remedy="check the path of the mapping file",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"this is not readable TOML: {error}",
            code="MAPPING_SYNTAX",
            file=path,
            remedy="save the file as UTF-8 and correct the line named",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        unknown = first["type"] == "extra_forbidden"
        raise InputError(
            "this key is unknown" if unknown else str(first["msg"]),
            code="MAPPING_UNKNOWN_KEY" if unknown else "MAPPING_VALUE",
            file=path,
            field=".".join(str(part) for part in first["loc"]),
            remedy="use the sections columns, values and constants; names and values are texts",
        ) from error
    for section in ("columns", "values", "constants"):
        for name in getattr(found, section):
            if name not in known:
                near = nearest(name, known)
                raise InputError(
                    f"{section}.{name}: there is no column {name!r}"
                    + (f"; nearest is {near!r}" if near else ""),
                    code="MAPPING_VALUE",
                    file=path,
                    field=f"{section}.{name}",
                    remedy=f"use one of: {', '.join(known)}",
                )
    return found


def _chosen(table: Table, scheme: Scheme, cmap: OfficialMap) -> pl.DataFrame:
    """Return the wanted columns of a table under their national names, with ``__row``."""
    check_names(table.names, table.file)
    for source in cmap.columns.values():
        if source not in table.names:
            near = nearest(source, table.names)
            raise InputError(
                "the mapping file names a column that the source does not have"
                + (f"; nearest is {near!r}" if near else ""),
                code="MAPPING_SOURCE_MISSING",
                file=table.file,
                field=source,
                remedy="correct the name in the mapping file",
            )
    by_name = {name.lower(): name for name in table.names} | cmap.columns
    sources = {name: by_name[name] for name in FIELDS[scheme] if name in by_name}
    _require({*sources, *cmap.constants}, set(by_name), table, scheme)
    if table.check_codes is not None:
        codes = [source for name, source in sources.items() if name in _CODES]
        table.check_codes(codes, [source for name, source in sources.items() if name == "setl_id"])
    raw = table.load(list(dict.fromkeys(sources.values())))
    for name, source in sources.items():
        kind = {"grp_time": "date", "grp_dise_sco": "money"}.get(name, "text")
        check_type(source, name, kind, raw.schema[source], table.file)
    frame = raw.select(*(pl.col(source).alias(name) for name, source in sources.items()), "__row")
    constants = {n: text for n, text in cmap.constants.items() if n in FIELDS[scheme] and n not in sources}
    frame = frame.with_columns(pl.lit(text).alias(name) for name, text in constants.items())
    return frame.with_columns(
        clean_text(pl.col(name)).replace(list(pairs), [new or None for new in pairs.values()])
        for name, pairs in cmap.values.items()
        if name in frame.columns
    )


def _require(have: set[str], names: set[str], table: Table, scheme: Scheme) -> None:
    groups = GROUP_COLUMNS[scheme]
    other: Scheme = "dip" if scheme == "drg" else "drg"
    if not have & set(groups) and names & set(GROUP_COLUMNS[other]):
        raise InputError(
            f"these are results of transaction {TRANSACTIONS[other]} ({other.upper()}), "
            f"the catalogue is one of {scheme.upper()}",
            code="RECORDS_OFFICIAL_SCHEME",
            file=table.file,
            remedy=f"give the results of {TRANSACTIONS[scheme]}, or a catalogue of {other.upper()}",
        )
    for needed in (("setl_id",), groups):
        if not have & set(needed):
            near = nearest(needed[0], table.names)
            raise InputError(
                f"the column {' or '.join(needed)} is missing" + (f"; nearest is {near!r}" if near else ""),
                code="RECORDS_COLUMN_MISSING",
                file=table.file,
                field=needed[0],
                remedy=f'rename it, or give a mapping file with: [columns] {needed[0]} = "{near or "YOUR_COLUMN"}"',
            )


def _typed(frame: pl.DataFrame, table: Table, scheme: Scheme) -> tuple[pl.DataFrame, list[str]]:
    """Return all columns of the scheme in their types, and what could not be read."""
    notices = []
    out = []
    for name in FIELDS[scheme]:
        given = frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, pl.String)
        if name == "grp_time":
            typed = (
                frame.select(local_time(pl.col(name), given.dtype)).to_series()
                if given.dtype.is_temporal()
                else parse_dates(given.to_frame().select(clean_text(pl.col(name))).to_series())
            )
        elif name == "grp_dise_sco":
            clean = given if given.dtype.is_numeric() else given.cast(pl.String).str.strip_chars()
            typed = clean.to_frame().select(to_fen(pl.col(name), clean.dtype, 4)).to_series()
        else:
            typed = given.to_frame().select(clean_text(pl.col(name))).to_series()
        filled = given.is_not_null() & (given.cast(pl.String).str.strip_chars() != "")
        unread = int((typed.is_null() & filled).sum())
        if unread:
            notices.append(f"{table.file}: {name} could not be read in {unread} rows and counts as not given")
        out.append(typed.alias("grp_dise_sco_e4" if name == "grp_dise_sco" else name))
    result = pl.DataFrame(out).with_columns(
        pl.lit(table.label).alias("source_file"), frame["__row"].alias("source_row")
    )
    for name in (n for n in _FLAGS if n in result.columns):
        wrong = result.filter(~pl.col(name).is_in(["0", "1"]))
        if wrong.height:
            raise InputError(
                "this flag is neither 0 nor 1",
                code="RECORDS_OFFICIAL_FLAG",
                file=table.file,
                row=wrong["source_row"][0],
                field=name,
                value=wrong[name][0],
                remedy=f'translate it in a mapping file: [values.{name}] "{wrong[name][0]}" = "1"',
            )
    return result, notices


def _versions(results: pl.DataFrame) -> tuple[str, ...]:
    """Return the distinct texts of the versions, most frequent first; the local one follows the national one."""
    names = [name for name in ("grp_ver", "place_grp_ver") if name in results.columns]
    text = pl.concat_str(names, separator=" / ", ignore_nulls=True)
    counted = (
        results.select(text.alias("version"))
        .filter(pl.col("version") != "")
        .group_by("version")
        .len()
        .sort("len", "version", descending=[True, False])
    )
    return tuple(counted["version"])
