"""Grouping for notebooks: a frame, a catalogue, a policy; everything else has a sensible default."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog, find_catalog, load_catalog
from fenzhi.errors import InputError
from fenzhi.grouping import Compiled, CompiledDrg, Grouped, compile_catalog, group_frame
from fenzhi.pipeline.setting import columns_for
from fenzhi.policy import Policy, load_policy
from fenzhi.policy.models import Grouping
from fenzhi.records import StaysRead, read_stays

# What grouping looks at besides the codes; a frame may lack any of it.
OPTIONAL: dict[str, pl.DataType] = {
    "oprn_codes": pl.List(pl.String()),
    "gend": pl.Int8(),
    "age": pl.Int16(),
    "nwb_age": pl.Int32(),
    "nwb_bir_wt": pl.Int32(),
}


def _require_types(stays: pl.DataFrame) -> None:
    """Raise :class:`InputError` for a frame of lists that lacks its key or has a column of another type."""
    if "setl_id" not in stays.columns:
        raise InputError(
            "the frame has no column setl_id",
            code="RECORDS_COLUMN_MISSING",
            field="setl_id",
            remedy="add the settlement id of each stay, for example with with_row_index('setl_id')",
        )
    for name, dtype in stays.schema.items():
        if name in ("diag_codes", "oprn_codes"):
            fits = isinstance(dtype, pl.List) and dtype.inner in (pl.String, pl.Null)
            needed = "lists of text; read_stays splits joined text"
        elif name in ("gend", "age", "nwb_age", "nwb_bir_wt", "act_ipt_days", "dscg_way", "icu_hours"):
            fits, needed = dtype.is_numeric() or dtype == pl.Null, "numbers"
        else:
            continue
        if not fits:
            raise InputError(
                f"the column {name} has the type {dtype}; grouping needs {needed}",
                code="RECORDS_COLUMN_TYPE",
                field=name,
                remedy="write the column in that type, or let read_stays read the frame",
            )


def _frame(stays: pl.DataFrame | StaysRead, exact: bool) -> pl.DataFrame:
    if isinstance(stays, StaysRead):
        return stays.stays
    if not isinstance(stays.schema.get("diag_codes"), pl.List):
        return read_stays(stays, columns=columns_for(None, exact), needs="grouping").stays
    _require_types(stays)
    missing = [
        pl.lit(None, dtype).alias(name) for name, dtype in OPTIONAL.items() if name not in stays.columns
    ]
    return stays.with_columns(missing)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of change of every file, so that a changed catalogue is read again."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return tuple((path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _compiled_folder(folder: Path, _files: tuple[tuple[str, int, int], ...], rules: str) -> Compiled:
    """Return a catalogue compiled; a notebook that groups again and again by name reads it once."""
    return compile_catalog(load_catalog(folder), Grouping.model_validate_json(rules))


def group(
    stays: pl.DataFrame | StaysRead,
    catalog: Compiled | DipCatalog | DrgCatalog | str | Path,
    policy: Policy | str | Path = "national-dip-3.0",
) -> Grouped:
    """Group stays; see docs/rules.md, section 2.

    Parameters
    ----------
    stays: what :func:`fenzhi.read_stays` returned, or a frame with setl_id and diag_codes as lists (one row out
        per row in), or a frame in any shape that read_stays takes (then one row out per accepted row).
    catalog: a compiled catalogue (quickest for many calls), a catalogue, its folder or its shipped name; DIP or DRG.
    policy: a policy, its file or its shipped name; not used with a compiled catalogue or for DRG.

    Returns :class:`Grouped`: ``frame`` with setl_id, outcome, scheme, layer, group_id, status, reason, mdc, adrg, drg,
    group_idx.
    """
    if isinstance(catalog, str | Path | DipCatalog | DrgCatalog):
        rules = (policy if isinstance(policy, Policy) else load_policy(policy)).grouping
        if isinstance(catalog, str | Path):
            folder = find_catalog(catalog)
            catalog = _compiled_folder(folder.resolve(), _stamp(folder), rules.model_dump_json())
        else:
            catalog = compile_catalog(catalog, rules)
    exact = isinstance(catalog, CompiledDrg) and catalog.catalog.meta.code_match == "exact"
    return group_frame(_frame(stays, exact), catalog)
