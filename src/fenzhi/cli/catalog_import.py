"""``fenzhi catalog import --kind dip``: what is said on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fenzhi.cli.shared import say, show_table

if TYPE_CHECKING:
    from fenzhi.catalogs.dip import Entry, SheetCount

ROLES = {
    "pregroup": ("先期分组", "pre-groups"),
    "merged": ("并项规则", "merged"),
    "burn": ("烧伤", "burns"),
    "tumour": ("肿瘤", "tumours"),
    "tuberculosis": ("结核", "tuberculosis"),
    "assisted": ("诊断辅助细分", "assisted"),
    "basic": ("基本规则", "basic"),
    "core": ("核心病种", "core"),
    "comprehensive": ("综合病种", "comprehensive"),
    "excluded_diagnoses": ("不纳入分组的诊断", "excluded diagnoses"),
    "excluded_operations": ("不纳入分组的手术操作", "excluded operations"),
    "grassroots": ("基层病种", "grassroots"),
    "resistance": ("耐药诊断", "resistance"),
    "operations": ("手术操作类型", "operation types"),
    "diagnosis_names": ("诊断编码库", "diagnosis names"),
    "operation_names": ("手术操作编码库", "operation names"),
    "diagnosis_map": ("诊断对照", "diagnosis mapping"),
    "operation_map": ("手术操作对照", "operation mapping"),
    "meta": ("目录", "keys"),
    "sets": ("编码集", "code sets"),
    "tcm_groups": ("中医优势病种", "TCM groups"),
    "tcm_operations": ("中医操作类别", "TCM operations"),
    "tcm_lists": ("中医清单", "TCM lists"),
}
TITLES = (
    ("工作表", "sheet"),
    ("内容", "what it is"),
    ("行", "rows"),
    ("标题", "headings"),
    ("读入", "understood"),
    ("重复", "repeated"),
    ("未读懂", "not understood"),
    ("未读", "not read"),
)
SEVERITIES = {"error": "错误", "warning": "警告"}


def _say_sheets(sheets: Sequence[SheetCount], at: int) -> None:
    rows = []
    for one in sheets:
        figures = (one.rows, one.headings, one.understood, one.repeated, one.reported, one.not_read)
        rows.append(
            (one.place.sheet, ROLES.get(one.role, ("—", "-"))[at], *(f"{figure:,}" for figure in figures))
        )
    show_table("读入的工作表" if at == 0 else "sheets", [title[at] for title in TITLES], rows)


def _say_entries(entries: Sequence[Entry], lang: str) -> None:
    """Print what was found by reason: how often, and the first as an example."""
    kinds: dict[tuple[str, str, str], list[Entry]] = {}
    for one in entries:
        row = one.row(lang)
        kinds.setdefault((one.severity, str(row[1]), one.reason), []).append(one)
    rows = []
    for (severity, code, _), same in sorted(kinds.items(), key=lambda item: item[0][0] != "error"):
        values = [str(value) for value in same[0].row(lang) if value is not None]
        where = " ".join(
            part for part in (same[0].place.sheet, values[6 if same[0].place.number else 5], "") if part
        )
        why, remedy = same[0].row(lang)[8:]
        name = SEVERITIES[severity] if lang == "zh" else severity
        rows.append(
            (name, code, f"{len(same):,}", where, f"{why}({remedy})" if lang == "zh" else f"{why} ({remedy})")
        )
    if rows:
        titles = (
            ("级别", "代码", "条数", "例如", "原因")
            if lang == "zh"
            else ("severity", "code", "rows", "first", "why")
        )
        show_table("导入报告" if lang == "zh" else "report", titles, rows)


def import_dip_book(
    sources: Sequence[Path],
    target: Path,
    given: dict[str, str],
    report: Path | None,
    lang: str,
    *,
    skip_bad: bool,
    layout: Path | None,
    **tables: Path | None,
) -> None:
    """Import a DIP scheme and say what became of every row."""
    from fenzhi.catalogs.show import heading, show_dip
    from fenzhi.cli.catalog import say_findings
    from fenzhi.pipeline.import_dip import DipImport, import_dip

    files = {name: path for name, path in tables.items() if path is not None}
    job = DipImport(tuple(sources), files, layout, given, skip_bad)
    done = import_dip(job, target, report, lang)
    at = 0 if lang == "zh" else 1
    say(heading(done.catalog))
    _say_sheets(done.sheets, at)
    _say_entries(done.entries, lang)
    for part in show_dip(done.catalog, None, lang):
        show_table(part.title, part.columns, part.rows)
    say_findings(done.findings, lang)
    left = sum(one.reported for one in done.sheets)
    if left:
        say(
            f"跳过未读懂的行: {left:,}"
            if at == 0
            else f"rows left out, because they were not understood: {left:,}"
        )
    for path in (report, target):
        if path is not None:
            say(str(path))
