"""``fenzhi demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, lang_option, progress_bar, say


@click.command(
    "demo",
    epilog="例 / example:  fenzhi demo my-region --stays 20000 --hospitals 20 && fenzhi run my-region",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--stays", default=60_000, show_default=True, type=click.IntRange(1_000), help="每年病例数 / stays a year"
)
@click.option(
    "--hospitals", default=40, show_default=True, type=click.IntRange(10), help="医疗机构数 / hospitals"
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="随机种子 / seed: the same seed gives the same region",
)
@click.option(
    "--full",
    is_flag=True,
    help="地级市规模:319 家机构,每年约 77 万例 / the size of a prefecture: 319 hospitals, 770,000 stays a year",
)
@click.option(
    "--scheme",
    default="dip",
    show_default=True,
    type=click.Choice(["dip", "drg"]),
    help="付费方式 / how the region pays",
)
@click.option(
    "--method",
    type=click.Choice(["rate", "points"]),
    help="DRG 费率法(缺省)或点数法 / DRG by rates (the default) or by points",
)
@lang_option
def command(folder: Path, method: str | None, lang: str, **options: Any) -> None:
    """写一个合成的统筹区年度(三年历史 + 本年);DIP 由历史测算病种目录,DRG 采用随附的示范目录。全部数据都是编造的。

    Write a synthetic region's year (three years of history and the year itself). Under DIP its catalogue is built
    from the history, under DRG it is the shipped demonstration catalogue. All data are invented.
    """
    from fenzhi.pipeline.demo import make_demo

    scheme = options.pop("scheme")
    if scheme == "drg":
        scheme = f"drg-{method or 'rate'}"
    elif method:
        raise click.UsageError("--method 只用于 --scheme drg / --method goes with --scheme drg only")
    with progress_bar(lang) as progress:
        made = make_demo(folder, **options, scheme=scheme, progress=progress)
    rows, groups, hospitals = sum(made.summary.rows.values()), made.groups, made.summary.hospitals
    if lang == "zh":
        kind = "病种" if scheme == "dip" else "病组"
        say(f"已写入 {folder}:{hospitals} 家机构,{rows:,} 条病例(合成数据),{kind} {groups:,} 个")
        say(f"下一步:fenzhi run {folder}")
    else:
        say(f"wrote {folder}: {hospitals} hospitals, {rows:,} stays (synthetic), {groups:,} groups")
        say(f"next: fenzhi run {folder}")
