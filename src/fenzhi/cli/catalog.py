"""``fenzhi catalog``."""

from __future__ import annotations

from pathlib import Path

import click

from fenzhi.cli.shared import PATH, lang_option, progress_bar, say, show_table

LABELS = {
    "stays": "病例数",
    "combinations": "诊断与主要手术操作组合数",
    "combinations_at_threshold": "达到阈值的组合数",
    "threshold": "阈值(例)",
    "base_rows_kept": "保留的基础目录病种",
    "base_rows_dropped": "未达阈值的基础目录病种",
    "local_core_groups": "本地新增核心病种",
    "local_related_groups": "含相关手术操作的核心病种",
    "comprehensive_groups": "综合病种",
    "comprehensive_below_threshold": "低于阈值的综合病种",
    "groups": "病种总数",
    "stays_in_core_groups": "核心病种病例数",
    "coverage": "核心病种覆盖率",
}


@click.group("catalog")
def command() -> None:
    """病种目录:由历史数据测算、检查。 Catalogues: build from history, check."""


@command.command(
    "build",
    epilog="例 / example:  fenzhi catalog build history/2025 history/2026 --operations operations.csv -o catalog",
)
@click.argument("history", nargs=-1, required=True, type=PATH)
@click.option("-o", "--output", "target", required=True, type=PATH, help="新目录文件夹 / new folder")
@click.option("--base", help="国家目录(文件夹或随附名称)/ national catalogue to start from")
@click.option(
    "--policy",
    default="national-dip-3.0",
    show_default=True,
    help="政策包:阈值等 / policy pack: threshold and so on",
)
@click.option("--operations", type=PATH, help="手术操作类型表 code,name,type / table of operation types")
@click.option("--names", type=PATH, help="诊断名称表 code,name / names of diagnoses")
@click.option("--columns", type=PATH, help="列名映射文件 / mapping file for foreign column names")
@click.option("--title", default="本地病种目录", help="目录名称 / title")
@lang_option
def build(
    history: tuple[Path, ...],
    target: Path,
    base: str | None,
    policy: str,
    operations: Path | None,
    names: Path | None,
    columns: Path | None,
    title: str,
    lang: str,
) -> None:
    """由历史病例测算本地病种目录:达到阈值的成为核心病种,其余进入综合病种。

    Build a local catalogue from history: combinations that reach the threshold become core groups, the rest
    comprehensive groups.
    """
    from fenzhi.pipeline import BuildInputs, build_from_history, write_built

    inputs = BuildInputs(
        history=history,
        policy=policy,
        base=base,
        operations=operations,
        diagnoses=names,
        columns=columns,
        title=title,
    )
    with progress_bar(lang) as progress:
        built = build_from_history(inputs, progress=progress)
        write_built(built, target)
    rows = []
    for name, value in built.counts.items():
        figure = f"{value:.2%}" if isinstance(value, float) else f"{value:,}"
        rows.append((LABELS[name] if lang == "zh" else name.replace("_", " "), figure))
    show_table(str(target), ("项目", "数值") if lang == "zh" else ("item", "figure"), rows)


@command.command("check", epilog="例 / example:  fenzhi catalog check demonstration-3.0")
@click.argument("catalog")
def check(catalog: str) -> int:
    """检查病种目录。 Check a catalogue: a folder or the name of a shipped one."""
    from fenzhi.catalogs import check_catalog, load_catalog

    loaded = load_catalog(catalog)
    findings = check_catalog(loaded)
    for finding in findings:
        say(f"{finding.severity}: [{finding.code}] {finding.message}")
    layers = loaded.groups.group_by("layer", maintain_order=True).len()
    show_table(
        f"{loaded.meta.title} {loaded.meta.version}",
        ("layer", "groups"),
        [(a, f"{n:,}") for a, n in layers.iter_rows()],
    )
    return 0
