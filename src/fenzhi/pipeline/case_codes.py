"""What the region's tables and the catalogue say of a case's codes: translated, dropped, unknown, not allowed first."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from fenzhi.grouping import Trace
from fenzhi.grouping.explain_dip import GroupingTrace
from fenzhi.pipeline.case_basis import Basis
from fenzhi.records.audit import AUDIT

_TEXTS = {
    "translated": ("按映射表换成医保版编码", "translated by the mapping table"),
    "unmapped": (
        "映射表没有这个编码,原样使用",
        "the mapping table does not have this code; it stays as it is",
    ),
    "not_in_book": ("本版编码表没有这个编码", "the code book of this version does not have this code"),
    "operation_unlisted": (
        "目录的手术操作表没有这个编码,类型未知",
        "the catalogue's operation table does not have this code: its kind is not known",
    ),
    "excluded_diagnosis": (
        "目录规定这个诊断不能作主要诊断",
        "the catalogue says that this diagnosis cannot be the principal one",
    ),
    "cannot_be_main": (
        "目录规定这个手术操作不能作主要手术操作,由下一个代替",
        "the catalogue says that this operation cannot be the main one; the next one takes its place",
    ),
    "not_in_grouper": ("分组方案中没有这个编码", "the grouper does not know this code"),
}
Finding = tuple[str, str, str, str]


def _mapped(stay: pl.DataFrame, basis: Basis) -> Iterator[Finding]:
    """Give what the mapping tables 国临 -> 医保 did with each code: check, field, value, source."""
    setting = basis.setting
    if setting is None:
        return
    for field, table in (("diag_codes", setting.diagnosis_map), ("oprn_codes", setting.operation_map)):
        if table is None:
            continue
        codes = stay[field].explode(empty_as_null=False, keep_nulls=False).drop_nulls()
        targets, unmapped = table.apply(codes)
        for code, target, unknown in zip(codes, targets, unmapped, strict=True):
            source = "" if table.path is None else table.path.name
            if unknown:
                yield "unmapped", field, code, source
            elif target != code:
                yield "translated", field, f"{code} -> {target}", source


def _in_books(coded: pl.DataFrame, basis: Basis) -> Iterator[Finding]:
    """Give the codes that the version's books, or the catalogue's operation table, lack."""
    listed = set(basis.kinds)
    books = {"diag_codes": basis.known.diagnoses, "oprn_codes": basis.known.operations}
    for field, book in books.items():
        for code in coded[field].explode(empty_as_null=False, keep_nulls=False).drop_nulls():
            if book is not None and code not in book:
                yield "not_in_book", field, code, "region.toml [codes]"
            if field == "oprn_codes" and listed and code not in listed:
                yield "operation_unlisted", field, code, basis.catalog.meta.id


def _by_catalog(trace: Trace, basis: Basis) -> Iterator[Finding]:
    """Give what the catalogue itself refuses."""
    source = basis.catalog.meta.id
    if isinstance(trace, GroupingTrace):
        if trace.reason == "excluded_diagnosis":
            yield "excluded_diagnosis", "diag_codes", trace.principal or "", source
        for code in trace.cannot_be_main:
            if code == trace.operations[0]:
                yield "cannot_be_main", "oprn_codes", code, source
    elif trace.reason == "unknown_diagnosis":
        yield "not_in_grouper", "diag_codes", trace.principal or "", source
    elif trace.reason in ("unknown_operation", "operation_not_valid") and trace.operations:
        yield "not_in_grouper", "oprn_codes", trace.operations[0], source


def code_findings(stay: pl.DataFrame, coded: pl.DataFrame, basis: Basis, trace: Trace) -> pl.DataFrame:
    """Return what is to be said of the codes of a case; ``coded``: the stay with its codes translated."""
    found = [*_mapped(stay, basis), *_in_books(coded, basis), *_by_catalog(trace, basis)]
    setl_id = str(stay["setl_id"][0])
    rows = [
        (setl_id, "code", check, field, value, *_TEXTS[check], source)
        for check, field, value, source in found
    ]
    return pl.DataFrame(rows, schema=AUDIT, orient="row")
