"""``fenzhi catalog``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fenzhi.cli.catalog_build import build, quality
from fenzhi.cli.negotiate import negotiate
from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.catalogs import Finding

SIZES = {
    "chapters": "MDC",
    "adrgs": "ADRG",
    "adrg_alternatives": "ADRG 的其他分支",
    "conditions": "入组条件",
    "drgs": "DRG",
    "code_lists": "编码集",
    "listed_codes": "编码集中的编码",
    "chapter_diagnoses": "MDC 主要诊断编码",
    "mcc": "MCC",
    "cc": "CC",
    "exclusion_tables": "排除表",
    "exclusion_diagnoses": "排除表中的主要诊断",
    "valid_procedures": "参与分组的手术操作",
    "diagnosis_book": "诊断编码库",
    "operation_book": "手术操作编码库",
    "weights": "权重",
}
# What the differences of two catalogues are about.
WHATS = {
    "setting": "设置",
    "chapter": "MDC",
    "adrg": "ADRG",
    "drg": "DRG",
    "chapter_rule": "MDC 入组规则",
    "adrg_rule": "ADRG 入组条件",
    "drg_rule": "DRG 规则",
    "chapter_order": "MDC 顺序",
    "adrg_order": "ADRG 顺序",
    "drg_order": "DRG 顺序",
    "diagnosis_chapter": "诊断所属 MDC",
    "diagnosis_adrg": "诊断所属 ADRG",
    "operation_adrg": "手术操作所属 ADRG",
    "cc_level": "CC / MCC 级别",
    "cc_exclusion": "CC / MCC 的排除表",
    "main_exclusion": "主要诊断的排除表",
    "valid_operation": "参与分组的手术操作",
    "diagnosis_map": "诊断编码转换",
    "operation_map": "手术操作编码转换",
    "weight": "权重",
    "negotiated_weight": "谈判后的分值",
    "agreement": "谈判结果",
    "group": "病种",
    "layer": "层次",
    "main_diag": "主要诊断",
    "treatment": "治疗方式",
    "main_oprn": "主要手术操作",
    "related_oprn": "相关手术操作",
    "other_diag": "其他诊断",
    "any_diag": "任一诊断",
    "age_days_max": "天龄上限",
    "birth_weight_min_g": "出生体重下限",
    "birth_weight_max_g": "出生体重上限",
    "grassroots": "基层病种",
    "code_set": "编码集",
    "exclusion": "排除",
    "operation_type": "手术操作类型",
    "tcm_group": "中医优势病种",
    "tcm_condition": "中医优势病种入组条件",
    "tcm_weight": "中医优势病种分值",
    "tcm_order": "中医优势病种顺序",
    "tcm_list": "诊断所属中医清单",
    "tcm_operation": "中医操作类别",
}
CHANGES = {"added": "新增", "removed": "删除", "changed": "变动", "renamed": "改名"}
EXAMPLES, LONG = 3, 40
SEVERITIES = {"error": "错误", "warning": "警告", "note": "提示"}


@click.group("catalog")
def command() -> None:
    """目录:测算、评价、导入、导出、查看、比较、检查。

    Catalogues: build, judge, import, export, show, compare, check.
    """


command.add_command(build)
command.add_command(quality)


@command.command(
    "grassroots",
    epilog="例 / example:  fenzhi catalog grassroots my-region -o grassroots.csv --apply my-region/catalog-2",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("-o", "--output", "target", required=True, type=PATH, help="遴选报告 / report: a new CSV file")
@click.option("--candidates", type=PATH, help="候选病种表(列 group_id)/ candidates: CSV with group_id")
@click.option(
    "--on",
    "day",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="年内规则或目录有变时,按这一天的规则遴选,缺省为年末 / the day whose policy and catalogue hold, if they change "
    "within the year; its last day by default",
)
@click.option(
    "--apply",
    "applied",
    metavar="NEW_DIR",
    type=PATH,
    help="另存目录并标记入选病种 / new folder: the catalogue with the flags set",
)
@lang_option
def grassroots(
    folder: Path,
    target: Path,
    candidates: Path | None,
    day: datetime | None,
    applied: Path | None,
    lang: str,
) -> None:
    """由历史病例遴选基层病种:逐条列出每个候选病种的指标及是否达到。

    Choose grassroots groups from the history of a region by the policy's [grassroots]: core groups with enough stays,
    enough of them in primary institutions, and even costs. Without --apply nothing but the report is written.
    """
    from fenzhi.pipeline.grassroots import require_new, select_grassroots, write_selection

    require_new(target, applied)
    with progress_bar(lang) as progress:
        on = None if day is None else day.date()
        selection = select_grassroots(folder, candidates, day=on, progress=progress)
    write_selection(selection, target, applied)
    report, rules = selection.report, selection.rules
    levels = ", ".join(rules.primary_levels)
    lines = (
        ("候选病种", "candidates", report.height),
        ("在目录中", "in the catalogue", report["in_catalog"].sum()),
        ("核心病种", "core groups", report["core"].sum()),
        (f"病例数 >= {rules.min_cases}", f"stays >= {rules.min_cases}", report["cases_met"].sum()),
        (
            f"基层机构({levels})占比 >= {rules.share_min}",
            f"share of primary institutions ({levels}) >= {rules.share_min}",
            report["share_met"].sum(),
        ),
        (f"变异系数 <= {rules.cv_max}", f"CV <= {rules.cv_max}", report["cv_met"].sum()),
        ("入选", "chosen", report["selected"].sum()),
        ("原为基层病种", "flagged before", report["flagged"].sum()),
    )
    titles = ("项目", "病种数") if lang == "zh" else ("criterion", "groups")
    rows = [(zh if lang == "zh" else en, f"{n:,}") for zh, en, n in lines]
    show_table(str(target), titles, rows)
    if applied is not None:
        say(str(applied))


def say_findings(findings: Sequence[Finding], lang: str) -> None:
    """Print findings by kind: how many, and the first as an example."""
    from fenzhi.pipeline.catalogs import grouped_findings

    rows = [
        (SEVERITIES[severity] if lang == "zh" else severity, code, f"{n:,}", text)
        for severity, code, n, text in grouped_findings(findings)
    ]
    if not rows:
        say("未发现问题" if lang == "zh" else "nothing found")
        return
    titles = ("级别", "代码", "条数", "例如") if lang == "zh" else ("severity", "code", "rows", "for example")
    show_table("检查结果" if lang == "zh" else "findings", titles, rows)


@command.command(
    "import",
    epilog="例 / example:  fenzhi catalog import dip-3.0.xlsx comprehensive.xlsx -o my-dip --kind dip "
    "--operations operations.csv --report rows.csv",
)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", "target", required=True, type=PATH, help="新目录文件夹 / new folder")
@click.option(
    "--kind", required=True, type=click.Choice(["dip", "chs-drg"]), help="目录种类 / kind of catalogue"
)
@click.option("--id", "catalog_id", help="目录标识 / id: small letters, digits and . _ -")
@click.option("--title", help="目录名称 / title")
@click.option("--version", help="版本 / version")
@click.option(
    "--translate/--no-translate",
    default=None,
    help="DRG:分组前按编码库转换编码 / DRG: translate codes by the code books before grouping",
)
@click.option(
    "--report",
    type=PATH,
    help="把未读懂的行和检查结果写入 CSV / write rows not understood and findings to a CSV file",
)
@click.option(
    "--skip-bad",
    is_flag=True,
    help="DIP:跳过未读懂的行,保留其余 / DIP: keep the rest if rows are not understood",
)
@click.option(
    "--layout", type=PATH, help="DIP:本地版式的映射文件(TOML)/ DIP: mapping file for a local layout (TOML)"
)
@click.option("--operations", type=PATH, help="DIP:手术操作类型表 / DIP: table of operation types")
@click.option("--diagnosis-names", type=PATH, help="DIP:诊断编码库 / DIP: names of diagnoses")
@click.option("--operation-names", type=PATH, help="DIP:手术操作编码库 / DIP: names of operations")
@click.option("--diagnosis-map", type=PATH, help="DIP:诊断国临版→医保版对照 / DIP: mapping of diagnoses")
@click.option("--operation-map", type=PATH, help="DIP:手术操作国临版→医保版对照 / DIP: mapping of operations")
@lang_option
def import_(
    sources: tuple[Path, ...],
    target: Path,
    kind: str,
    catalog_id: str | None,
    title: str | None,
    version: str | None,
    translate: bool | None,
    report: Path | None,
    lang: str,
    skip_bad: bool,
    layout: Path | None,
    **tables: Path | None,
) -> None:
    """导入官方分组方案。DIP:官方版式的 Excel 工作簿(本地版式用 --layout)。DRG:表格文件夹或工作簿。

    Import an official scheme. DIP: workbooks (or a folder of them) in the official layout, or a local one by --layout.
    DRG: a folder of tables (CSV) or a workbook of the sheets MDC, ADRG, DRG, code sets, CC and exclusion. With rows
    that are not understood, or an error, nothing is written.
    """
    named = (("id", catalog_id), ("title", title), ("version", version))
    given = {key: value for key, value in named if value is not None}
    if kind == "dip":
        if translate is not None:
            raise click.UsageError("--translate is for --kind chs-drg")
        from fenzhi.cli.catalog_import import import_dip_book

        import_dip_book(sources, target, given, report, lang, skip_bad=skip_bad, layout=layout, **tables)
        return
    if len(sources) > 1 or skip_bad or layout or any(tables.values()):
        raise click.UsageError("--kind chs-drg takes one SRC and none of the options of DIP")
    from fenzhi.catalogs.show import heading
    from fenzhi.pipeline.catalogs import import_catalog

    done = import_catalog(sources[0], target, {**given, "translate_codes": translate}, report)
    titles = ("项目", "数量") if lang == "zh" else ("item", "number")
    rows = [
        (SIZES[name] if lang == "zh" else name.replace("_", " "), f"{n:,}")
        for name, n in done.summary.sizes.items()
    ]
    show_table(heading(done.catalog), titles, rows)
    say_findings(done.findings, lang)
    if done.left_out:
        left = "未采用" if lang == "zh" else "left out"
        say(f"{left}: {', '.join(done.left_out)}")
    if report is not None:
        say(str(report))
    say(str(target))


@command.command(
    "show", epilog="例 / example:  fenzhi catalog show my-drg      fenzhi catalog show my-drg K35.800"
)
@click.argument("catalog")
@click.argument("code", required=False)
@lang_option
def show(catalog: str, code: str | None, lang: str) -> None:
    """查看目录概况;给出编码时:一个 MDC、ADRG、DRG 或病种的规则,或一个诊断、手术操作编码的位置。

    Show a catalogue; with a code: the rules of a chapter (MDC), ADRG, DRG or DIP group in words, or where a diagnosis
    or operation stands.
    """
    from fenzhi.pipeline.catalogs import show as tables_of

    for part in tables_of(catalog, code, lang):
        if part.rows:
            show_table(part.title, part.columns, part.rows)
        else:
            say(part.title)


@command.command("diff", epilog="例 / example:  fenzhi catalog diff my-drg-1.1 my-drg-2.0 -o moved.csv")
@click.argument("before")
@click.argument("after")
@click.option(
    "-o", "--output", "target", type=PATH, help="把每处差异写入 CSV / write every difference to a CSV file"
)
@lang_option
def diff(before: str, after: str, target: Path | None, lang: str) -> None:
    """比较同一类型的两个目录:增删改名的组、变动的规则,以及每个编码的去向。

    Compare two catalogues of one scheme: groups added, removed, renamed, rules changed, and which codes moved where.
    """
    from fenzhi.pipeline.catalogs import diff as differences

    found = differences(before, after, target)
    zh = lang == "zh"
    if found.changes.is_empty():
        say("没有差异" if zh else "no differences")
    else:
        titles = ("种类", "变化", "数量", "例如") if zh else ("kind", "change", "rows", "for example")
        rows = []
        for what, change, n in found.counts.iter_rows():
            same = found.changes.filter(what=what, change=change)
            shown = [
                _example(*row) for row in same.head(EXAMPLES).select("item", "before", "after").iter_rows()
            ]
            kind, verb = (WHATS.get(what, what), CHANGES[change]) if zh else (what.replace("_", " "), change)
            rows.append((kind, verb, f"{n:,}", "; ".join(shown)))
        show_table(f"{before} → {after}", titles, rows)
    if target is not None:
        say(str(target))


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    end = start + LONG
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _example(item: str, before: str | None, after: str | None) -> str:
    """Return a difference in a few words."""
    # Long texts are shown from where they begin to differ.
    pairs = enumerate(zip(before or "", after or "", strict=False))
    same = next((at for at, (one, two) in pairs if one != two), min(len(before or ""), len(after or "")))
    start = max(0, same - LONG // 4) if max(len(before or ""), len(after or "")) > LONG else 0
    old, new = (_cut(text, start) for text in (before, after))
    return f"{item}: {old or '-'} → {new or '-'}"


@command.command("export", epilog="例 / example:  fenzhi catalog export my-drg -o my-drg.xlsx")
@click.argument("catalog")
@click.option("-o", "--output", "target", required=True, type=PATH, help="新的 .xlsx 文件 / new .xlsx file")
def export(catalog: str, target: Path) -> None:
    """把 DIP 或 DRG 目录写成官方版式的 Excel 工作簿,供审阅和修改;可用 import 原样读回。

    Write a DIP or DRG catalogue as an Excel workbook in the official layout; import reads it back as it was.
    """
    from fenzhi.catalogs.show import heading
    from fenzhi.pipeline.catalogs import export as write

    done = write(catalog, target)
    say(f"{heading(done)} → {target}")


@command.command("check", epilog="例 / example:  fenzhi catalog check demonstration-3.0")
@click.argument("catalog")
@lang_option
def check(catalog: str, lang: str) -> int:
    """检查 DIP 或 DRG 目录。 Check a DIP or DRG catalogue: a folder or the name of a shipped one."""
    from fenzhi.catalogs.show import heading
    from fenzhi.pipeline.catalogs import check as findings_of
    from fenzhi.pipeline.catalogs import show as tables_of

    loaded, findings = findings_of(catalog)
    for finding in findings:
        say(f"{finding.severity}: [{finding.code}] {finding.message}")
    if loaded.meta.scheme == "dip":
        for part in tables_of(catalog, None, lang):
            show_table(part.title, part.columns, part.rows)
    else:
        say(heading(loaded))
    return 0


command.add_command(negotiate)
