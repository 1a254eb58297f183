"""``fenzhi simulate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table


def _signed(fen: int) -> str:
    from fenzhi.money import format_fen

    return ("+" if fen > 0 else "") + format_fen(fen)


def _shown(summary: dict[str, Any], tables: dict[str, Any], lang: str) -> None:
    from fenzhi.money import format_e4, format_fen
    from fenzhi.reports.compare_causes import shown_causes
    from fenzhi.reports.simulate import words_of

    words = words_of(summary, lang)
    hospital = summary["hospital"]
    region = f"{summary['region']['name']} {summary['region']['year']}"
    say(f"{region}  {summary['policy']} · {summary['catalog']}")
    if hospital is not None:
        say(f"{words('hospital')}: {hospital['name'] or ''} {hospital['code']}")
    heads = [words(key) for key in ("scenario", "before", "after", "difference", "region_difference")]
    rows = [
        (
            one["name"],
            format_fen(one["before_fen"]),
            format_fen(one["after_fen"]),
            _signed(one["difference_fen"]),
            _signed(one["region_difference_fen"]),
        )
        for one in summary["scenarios"]
    ]
    show_table(words("scenarios"), heads, rows)
    causes = shown_causes(tables["accounts"])
    names = [one["name"] for one in summary["scenarios"]]
    show_table(
        words("causes"),
        [words("item"), *names],
        [
            (words(f"cause.{name}"), *(_signed(one["causes"][name]) for one in summary["scenarios"]))
            for name in causes
        ],
    )
    parts = [
        (row["scenario"], words(f"part.{row['part']}"), _signed(row["difference_fen"]))
        for row in tables["parts"].iter_rows(named=True)
    ]
    show_table(words("parts"), (words("scenario"), words("part"), words("difference")), parts)
    values = [
        (
            row["scenario"],
            row["title"] or row["pool"],
            *(
                "-"
                if row[f"settlement_value_{when}_e4"] is None
                else format_e4(row[f"settlement_value_{when}_e4"])
                for when in ("before", "after")
            ),
        )
        for row in tables["pools"].iter_rows(named=True)
    ]
    show_table(words("value"), [words(key) for key in ("scenario", "pool", "before", "after")], values)
    for one in summary["scenarios"]:
        if one["full"]:
            say(words("full", names=one["name"]))


@click.command(
    "simulate",
    epilog="例 / example:  fenzhi simulate my-region --scenario more.toml --scenario less.toml -o simulated",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--scenario",
    "scenarios",
    type=PATH,
    multiple=True,
    required=True,
    help="方案文件,可多个 / a scenario file; several are put side by side",
)
@click.option("-o", "--output", "target", type=FOLDER, help="新文件夹 / new folder for tables and page")
@click.option(
    "--write-region",
    "changed",
    type=FOLDER,
    help="把变动后的一年写成统筹区文件夹 / write the changed year as a new region folder",
)
@click.option("--fresh", is_flag=True, help="重新准备,不用已存的 / prepare the year anew")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
@lang_option
def command(
    folder: Path,
    scenarios: tuple[Path, ...],
    target: Path | None,
    changed: Path | None,
    fresh: bool,
    as_json: bool,
    lang: str,
) -> None:
    """模拟:如果病例数、病种结构、费用、编码、系数、特例、预算或政策变动,本机构与全区的点数和支付如何变化,
    差额按原因分解,精确到分;结果与对变动后病例全量运算逐分一致。

    Simulate what a change would do: stays, mix, costs, coding, coefficients, special review, budget, policy. Before,
    after and the difference split into causes, to the fen what a full run on the changed records gives.
    """
    from fenzhi.errors import OutputError
    from fenzhi.files import require_new_dir
    from fenzhi.simulation import load_simulation, read_scenario
    from fenzhi.simulation.report import summary_of, tables_of, write_outcomes

    for path in (target, changed):
        if path is not None:
            require_new_dir(path)
    if changed is not None and len(scenarios) > 1:
        raise OutputError(
            "one scenario makes one region",
            code="OUTPUT_SEVERAL",
            field="--write-region",
            remedy="give one --scenario",
        )
    read = [read_scenario(path) for path in scenarios]
    with progress_bar(lang) as show:
        simulation = load_simulation(folder, fresh=fresh, progress=show)
    outcomes = [simulation.run(one) for one in read]
    if changed is not None:
        simulation.write_region(read[0], changed)
    if target is not None:
        write_outcomes(simulation, outcomes, target, lang)
    summary = summary_of(simulation, outcomes)
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, indent=1))
        return
    _shown(summary, tables_of(simulation, outcomes), lang)
    for path in (target and target / "simulate.html", changed):
        if path:
            say(str(path))
