"""``fenzhi catalog build`` and ``fenzhi catalog quality``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table


@click.command(
    "build",
    epilog="例 / example:  fenzhi catalog build my-region --base demonstration-3.0 -o built      "
    "fenzhi catalog build history/2025 history/2026 --operations operations.csv -o catalog",
)
@click.argument("history", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", "target", required=True, type=PATH, help="新目录文件夹 / new folder")
@click.option(
    "--base",
    help="国家目录(文件夹或随附名称),none 为不用;统筹区缺省用其 region.toml 的目录 / national catalogue to start from, "
    "or none; by default that of region.toml",
)
@click.option(
    "--policy",
    help="政策包:阈值等;统筹区用其自己的,否则缺省 national-dip-3.0 / policy pack: threshold and so on; a region has "
    "its own, else national-dip-3.0",
)
@click.option("--operations", type=PATH, help="手术操作类型表 code,name,type / table of operation types")
@click.option(
    "--hospitals", type=PATH, help="医疗机构表,测算机构系数与基层病种 / hospitals.csv: for coefficients"
)
@click.option("--names", type=PATH, help="诊断名称表 code,name / names of diagnoses")
@click.option("--columns", type=PATH, help="列名映射文件 / mapping file for foreign column names")
@click.option("--title", help="目录名称 / title")
@click.option(
    "--on",
    "day",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="统筹区年内规则有变时,按这一天的规则 / the day whose rules hold, if a region's change within the year",
)
@click.option("--no-report", is_flag=True, help="不写 report.html 与 build.xlsx / no page, no workbook")
@lang_option
def build(
    history: tuple[Path, ...],
    target: Path,
    base: str | None,
    policy: str | None,
    operations: Path | None,
    hospitals: Path | None,
    names: Path | None,
    columns: Path | None,
    title: str | None,
    day: datetime | None,
    no_report: bool,
    lang: str,
) -> None:
    """由历史病例测算本地病种目录、分值、药品耗材分值、机构系数、辅助分型、基层病种与质量指标,一次写成一个可审阅的文件夹。
    HISTORY 是统筹区文件夹(含 region.toml),或历史病例的文件与文件夹。

    Build a local catalogue with all that is measured for it, as one folder to review, change and use. HISTORY is a
    region's folder (with region.toml), or files and folders of history.
    """
    from fenzhi.files import require_new_dir
    from fenzhi.pipeline import BuildInputs
    from fenzhi.pipeline.local import build_local
    from fenzhi.pipeline.local_source import files_source, is_region, region_source
    from fenzhi.pipeline.local_write import write_local

    region = is_region(history[0])
    if region and (len(history) > 1 or policy or operations or hospitals or columns):
        raise click.UsageError(
            "a region's folder stands alone and brings its own policy, operations, hospitals and columns"
        )
    if not region and day is not None:
        raise click.UsageError("--on is for a region's folder")
    require_new_dir(target)
    inputs = BuildInputs(
        history=history,
        policy=policy or "national-dip-3.0",
        base=base,
        operations=operations,
        diagnoses=names,
        columns=columns,
        title=title or "",
    )
    with progress_bar(lang) as progress:
        if region:
            source = region_source(history[0], inputs, None if day is None else day.date())
        else:
            source = files_source(inputs, hospitals)
        local = build_local(source, progress=progress)
        progress("write", 0.95)
        write_local(local, target, lang=lang, report=not no_report)
    _show_figures(str(target), local.figures, lang)


def _show_figures(title: str, figures: Mapping[str, float | None], lang: str) -> None:
    """Print figures of building and quality, those that are known."""
    from fenzhi.reports.build_texts import BuildWords, measure_text, shown_measures

    words = BuildWords(lang)
    rows = [(words.measure(name), measure_text(name, figures[name])) for name in shown_measures(figures)]
    show_table(title, ("项目", "数值") if lang == "zh" else ("item", "figure"), rows)


@click.command("quality", epilog="例 / example:  fenzhi catalog quality my-region -o quality.xlsx --lang en")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--catalog",
    help="另一目录(文件夹或随附名称),缺省为统筹区自己的 / another catalogue; by default the region's own",
)
@click.option(
    "--on",
    "day",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="年内规则或目录有变时,按这一天的规则,缺省为年末 / the day whose policy and catalogue hold, if they change "
    "within the year; its last day by default",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    help="新的 .xlsx 文件,或放 CSV 的新文件夹 / new .xlsx file, or new folder for CSV files",
)
@lang_option
def quality(folder: Path, catalog: str | None, day: datetime | None, target: Path | None, lang: str) -> None:
    """在统筹区历史病例上评价目录(方差减少、变异系数、覆盖率、年度稳定性、轻重倒挂)与编码(不特指诊断、失效编码、映射收益)。

    Judge a region's catalogue on its history: reduction in variance, CV, coverage, stability between years, prices that
    contradict severity; and its coding: unspecific diagnoses, codes not in force, gains from mapping.
    """
    from fenzhi.pipeline.quality import judge_region, require_new_quality, write_quality

    if target is not None:
        require_new_quality(target)
    with progress_bar(lang) as progress:
        on = None if day is None else day.date()
        judged, setting = judge_region(folder, catalog, day=on, progress=progress)
    _show_figures(setting.catalog.meta.title, judged.figures, lang)
    if target is not None:
        write_quality(judged, setting, target, lang)
        say(str(target))
