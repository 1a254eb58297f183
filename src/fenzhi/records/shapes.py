"""One shape inside: flat, wide and three-table records become flat typed tables."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records.children import Children, read_children
from fenzhi.records.columns import Plan, check_sources, plan_columns, wide_columns
from fenzhi.records.convert import PROBLEMS, clean_text, convert
from fenzhi.records.mapping import ColumnMap
from fenzhi.records.schema import REQUIRED, Needs, nearest, wanted
from fenzhi.records.sources import MAIN, Table, Unit, open_table

WIDE_DIAGNOSIS, WIDE_OPERATION = "wm_dise_code", "oprn_oprt_code"
_CODES = ("diag_codes", "oprn_codes", "tcm_diag_codes", WIDE_DIAGNOSIS, WIDE_OPERATION)


@dataclass(frozen=True)
class Piece:
    """One typed flat table: ``frame``, ``problems`` (row, field, value), notices, its shape and file."""

    frame: pl.DataFrame
    problems: pl.DataFrame
    notices: tuple[str, ...]
    shape: str
    file: str


def read_table(table: Table, cmap: ColumnMap, needs: Needs, also: frozenset[str] = frozenset()) -> Piece:
    """Read one flat or wide table; ``also``: names of columns besides what the reading needs."""
    check_sources(cmap, table.names, table.file)
    want = wanted(needs) | also | {WIDE_DIAGNOSIS, WIDE_OPERATION}
    plan = plan_columns(table.names, cmap, want, table.file)
    # Beside diag_codes, wm_dise_code is what the interface says: the diagnosis of the outpatient clinic.
    for codes, wide in (("diag_codes", WIDE_DIAGNOSIS), ("oprn_codes", WIDE_OPERATION)):
        if codes in plan.names:
            want = want - {wide}
            plan = plan_columns(table.names, cmap, want, table.file)
    diagnoses = wide_columns(plan.names, WIDE_DIAGNOSIS)
    operations = wide_columns(plan.names, WIDE_OPERATION)
    _require(plan, needs, table, {"diag_codes"} if diagnoses else set())
    raw = _load(table, plan)
    for name, several in (("diag_codes", diagnoses), ("oprn_codes", operations)):
        if several:
            joined = pl.concat_list([clean_text(pl.col(column)) for column in several])
            raw = raw.with_columns(joined.alias(name)).drop(several)
    return _typed(raw, plan, table, cmap, None)


def read_unit(unit: Unit, cmap: ColumnMap, needs: Needs, also: frozenset[str] = frozenset()) -> Piece:
    """Read one file, or the three tables of one folder.

    Raises :class:`InputError` for what is missing or has the wrong type.
    """
    if not unit.tables:
        return read_table(open_table(unit.path, unit.label), cmap, needs, also)
    tables = {stem: open_table(path, unit.label) for stem, path in unit.tables.items()}
    main = tables.pop(MAIN)
    check_sources(cmap, {n for table in (main, *tables.values()) for n in table.names}, str(unit.path))
    want = (wanted(needs) | also) - {"diag_codes", "oprn_codes", "tcm_diag_codes"}
    plan = plan_columns(main.names, cmap, want, main.file)
    have = {name.removesuffix("_fen") for name in _given(plan)}
    children = read_children(tables, cmap, needs, have)
    _require(plan, needs, main, {"diag_codes"} | {n.removesuffix("_fen") for n in children.frame.columns})
    raw = _load(main, plan).with_columns(clean_text(pl.col("setl_id")))
    raw = raw.join(children.frame, on="setl_id", how="left", maintain_order="left")
    return _typed(raw, plan, main, cmap, children)


def _given(plan: Plan) -> set[str]:
    return {name.split("|")[1] if name.startswith("__sum|") else name for name in plan.names}


def _require(plan: Plan, needs: Needs, table: Table, also: set[str]) -> None:
    have = {name.removesuffix("_fen") for name in _given(plan)} | also
    for name in REQUIRED[needs]:
        if name in have:
            continue
        near = nearest(name, plan.ignored)
        raise InputError(
            f"the column {name} is missing" + (f"; nearest is {near!r}" if near else ""),
            code="RECORDS_COLUMN_MISSING",
            file=table.file,
            field=name,
            remedy=f'rename it, or give a mapping file with: [columns] {name} = "{near or "YOUR_COLUMN"}"',
        )


def _load(table: Table, plan: Plan) -> pl.DataFrame:
    if table.check_codes is not None:
        stems = {name: name.rstrip("0123456789").rstrip("_") for name in plan.names}
        codes = [
            s for name in plan.names if name in _CODES or stems[name] in _CODES for s in plan.sources[name]
        ]
        table.check_codes(codes, plan.sources.get("setl_id", ()))
    raw = table.load(plan.needed)
    return raw.select(*plan.exprs, "__row")


def _typed(raw: pl.DataFrame, plan: Plan, table: Table, cmap: ColumnMap, children: Children | None) -> Piece:
    def names(standard: str) -> str:
        return " + ".join(plan.sources.get(standard, ())) or standard

    typed = convert(raw, cmap, table.file, names)
    notices = list(table.notices) + list(typed.notices)
    if plan.ignored:
        notices.append(f"{table.file}: columns not used: {', '.join(plan.ignored)}")
    problems = [typed.problems]
    shape = "wide" if "diag_codes" not in plan.names else "flat"
    if children is not None:
        shape = "three tables"
        where = typed.frame.select("setl_id").with_row_index("row").join(children.problems, on="setl_id")
        problems.append(where.sort("row", "field", "value").select("row", "field", "value"))
        missing = children.keys.filter(~children.keys.is_in(typed.frame["setl_id"].implode())).len()
        notices += children.notices
        if missing:
            notices.append(f"{table.file}: setl_id of the other tables without a row here: {missing}")
    frame = typed.frame.rename({"__row": "source_row"}).with_columns(
        pl.lit(table.label).cast(pl.Categorical).alias("source_file")
    )
    found = pl.concat([pl.DataFrame(schema=PROBLEMS), *problems])
    return Piece(frame, found, tuple(notices), shape, table.file)
