"""What to look at again in a record: rules of filling in, and hints that its own data give. Nothing here pays.

The table ``catalogs/checks/record-checks.csv`` holds the checks (its form: ``catalogs/checks/SOURCES.md``); what needs
more than a list of codes stands below it: codes given twice, and which operation comes first. A finding is a reason to
read the record again. What a group would be paid plays no part in any of them. docs/rules.md, "One case".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from fenzhi.codes import read_table, require_columns
from fenzhi.errors import InputError
from fenzhi.shipped import shipped_dir

#: One row per stay and finding. ``kind``: quality, filling, hint or code.
AUDIT = {
    "setl_id": pl.String(),
    "kind": pl.String(),
    "check": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
    "zh": pl.String(),
    "en": pl.String(),
    "source": pl.String(),
}
KINDS = ("filling", "hint")
_LISTS = ("principal", "others", "no_others", "diagnoses", "no_diagnoses", "operations", "no_operations")
_COLUMNS = ("id", "kind", *_LISTS, "figure", "above", "upto", "missing", "zh", "en", "source")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")
_NONE = "-"
# The kinds of operations that treat; a main operation should be one of them where there is one.
_TREATS = ("surgery", "interventional", "therapeutic")
_SOURCE = "settlement list, our wording"


def shipped_checks() -> Path:
    """Return where the checks that come with fenzhi lie."""
    return shipped_dir() / "checks" / "record-checks.csv"


def read_checks(path: Path | None = None) -> pl.DataFrame:
    """Read a table of checks, that of fenzhi without ``path``. Every cell is text or null.

    Raises :class:`InputError` naming the row for an unknown kind, a number that is none, or a row without condition.
    """
    path = path or shipped_checks()
    table = read_table(path, InputError)
    require_columns(table, _COLUMNS, path, InputError)
    for row, cells in enumerate(table.select(_COLUMNS).iter_rows(named=True), start=1):
        fault = _fault(cells)
        if fault is not None:
            field, message = fault
            raise InputError(
                message,
                code="CASE_CHECKS",
                file=path,
                row=row,
                field=field,
                value=cells[field],
                remedy="see catalogs/checks/SOURCES.md for the form of this table",
            )
    return table.select(_COLUMNS)


def _fault(cells: dict[str, str | None]) -> tuple[str, str] | None:
    """Return field and message of what is wrong with a row; None if nothing is."""
    for name in ("id", "zh", "en"):
        if cells[name] is None:
            return name, "this cell is empty"
    if cells["kind"] not in KINDS:
        return "kind", f"this kind of check is unknown; there are {' and '.join(KINDS)}"
    for name in ("above", "upto"):
        given = cells[name]
        if given is not None and not _NUMBER.fullmatch(given):
            return name, "this is not a number"
        if given is not None and cells["figure"] is None:
            return name, "a limit needs the column that it limits"
    if not any(cells[name] for name in (*_LISTS, "figure", "missing")):
        return "id", "this check states no condition"
    return None


def _begins(codes: pl.Expr, prefixes: str) -> pl.Expr:
    """Tell whether any code of a list begins with one of the prefixes; ``-`` stands for any code at all."""
    if prefixes == _NONE:
        return codes.list.len() > 0
    pattern = f"^(?:{'|'.join(re.escape(one.strip()) for one in prefixes.split('|'))})"
    return codes.list.eval(pl.element().str.contains(pattern)).list.any().fill_null(False)


def _holds(cells: dict[str, str | None], have: list[str]) -> pl.Expr:
    """Return where all conditions of a check hold. A figure that the source lacks makes one fail."""
    diagnoses, operations = pl.col("diag_codes"), pl.col("oprn_codes")
    lists = {"principal": diagnoses.list.head(1), "others": diagnoses.list.slice(1)}
    lists |= {"diagnoses": diagnoses, "operations": operations}
    found = pl.lit(True)
    for name, codes in lists.items():
        wanted, refused = cells[name], cells.get(f"no_{name}")
        if wanted is not None:
            found = found & _begins(codes, wanted)
        if refused is not None:
            found = found & ~_begins(codes, refused)
    figure, missing = cells["figure"], cells["missing"]
    if figure is not None:
        value = pl.col(figure) if figure in have else pl.lit(None, pl.Int64)
        found = found & value.is_not_null()
        if cells["above"] is not None:
            found = found & (value > float(cells["above"]))
        if cells["upto"] is not None:
            found = found & (value <= float(cells["upto"]))
    if missing is not None and missing in have:
        found = found & pl.col(missing).is_null()
    return found.fill_null(False)


def _shown(cells: dict[str, str | None], have: list[str]) -> tuple[str, pl.Expr]:
    """Return the field of a finding and the value to show."""
    figure = cells["figure"]
    if figure is not None and figure in have:
        return figure, pl.col(figure).cast(pl.String)
    if cells["operations"] is not None:
        return "oprn_codes", pl.col("oprn_codes").list.join("|")
    return "diag_codes", pl.col("diag_codes").list.first()


def audit(stays: pl.DataFrame, checks: pl.DataFrame, kinds: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return the findings (:data:`AUDIT`) on stays: those of the table, then codes given twice and the main operation.

    ``stays``: setl_id, diag_codes, oprn_codes, and whatever else checks ask for; a column that is not there has no
    value. ``checks``: see :func:`read_checks`. ``kinds``: operation -> its kind, as far as a catalogue's operation
    table tells. The order of the stays does not matter to any finding.
    """
    have = stays.columns
    out = [pl.DataFrame(schema=AUDIT)]
    for cells in checks.iter_rows(named=True):
        field, value = _shown(cells, have)
        names = (cells["kind"], cells["id"], field)
        texts = (cells["zh"], cells["en"], cells["source"])
        out.append(_found(stays.filter(_holds(cells, have)), names, value, texts))
    out += _twice(stays)
    out += _main_operation(stays, kinds or {})
    return pl.concat(out)


def _found(
    rows: pl.DataFrame, names: tuple[str, ...], value: pl.Expr, texts: tuple[str | None, ...]
) -> pl.DataFrame:
    """Return one finding per row; ``names``: kind, check, field; ``texts``: zh, en, source."""
    kind, check, field = (pl.lit(name, pl.String) for name in names)
    zh, en, source = (pl.lit(text, pl.String) for text in texts)
    shown = rows.select(
        pl.col("setl_id").cast(pl.String),
        kind.alias("kind"),
        check.alias("check"),
        field.alias("field"),
        value.cast(pl.String).alias("value"),
        zh.alias("zh"),
        en.alias("en"),
        source.alias("source"),
    )
    return shown.select(pl.col(name).cast(dtype) for name, dtype in AUDIT.items())


def _twice(stays: pl.DataFrame) -> list[pl.DataFrame]:
    """Return codes that stand twice in a record."""
    texts = {
        "diag_codes": ("diagnosis_twice", "诊断编码重复", "a diagnosis is given twice"),
        "oprn_codes": ("operation_twice", "手术操作编码重复", "an operation is given twice"),
    }
    out = []
    for field, (check, zh, en) in texts.items():
        repeated = pl.element().filter(pl.element().is_duplicated()).unique(maintain_order=True)
        value = pl.col(field).list.eval(repeated).list.join("|")
        rows = stays.filter(pl.col(field).list.n_unique() < pl.col(field).list.len())
        out.append(_found(rows, ("filling", check, field), value, (zh, en, _SOURCE)))
    return out


def _main_operation(stays: pl.DataFrame, kinds: Mapping[str, str]) -> list[pl.DataFrame]:
    """Return stays whose main operation only finds out while another treats, or costs less than another."""
    operations = pl.col("oprn_codes")

    def among(*wanted: str) -> pl.Expr:
        codes = sorted(code for code, kind in kinds.items() if kind in wanted)
        return pl.element().is_in(pl.lit(pl.Series(codes, dtype=pl.String).implode()))

    finds_out = operations.list.head(1).list.eval(among("diagnostic")).list.any()
    treating = operations.list.slice(1).list.eval(pl.element().filter(among(*_TREATS)))
    rows = stays.filter(finds_out.fill_null(False) & (treating.list.len() > 0))
    texts = (
        "主要手术操作是诊断性操作而另有治疗性的手术操作:治疗性的应在前",
        "the main operation only finds out while another treats: what treats comes first",
    )
    out = [
        _found(
            rows, ("filling", "diagnostic_first", "oprn_codes"), treating.list.join("|"), (*texts, _SOURCE)
        )
    ]
    if "oprn_fees_fen" in stays.columns:
        fees = pl.col("oprn_fees_fen")
        dearer = fees.list.slice(1).list.max() > fees.list.first()
        texts = (
            "另有手术操作的费用高于主要手术操作:请核对哪一项风险最大、难度最高",
            "another operation cost more than the main one: check which one had the most risk and effort",
        )
        rows = stays.filter(dearer.fill_null(False))
        shown = fees.list.eval((pl.element() // 100).cast(pl.String)).list.join("|")
        out.append(_found(rows, ("filling", "dearer_operation", "oprn_fees"), shown, (*texts, _SOURCE)))
    return out
