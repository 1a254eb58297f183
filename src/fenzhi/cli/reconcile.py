"""``fenzhi reconcile``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table

TEXTS = {
    "zh": {
        "kind": ("类型", "结算数"),
        "rate": "一致率 {rate}:双方都有 {compared:,} 次结算,一致 {agree:,},不一致 {differ:,}",
        "none": "双方没有共同的结算",
        "version": "注意:版本不同。官方结果 {theirs},本地目录 {ours}",
        "unknown": "注意:{cases:,} 次结算的官方编码({codes:,} 种)不在本地目录中",
        "left": "未参加比较的官方结果:作废 {void:,} 行,已被更新 {superseded:,} 行,无结算ID {without_key:,} 行",
        "pattern": ("次数", "类型", "官方", "本地", "最小病例", "改动后相同"),
        "patterns": "最常见的差异",
        "where": "结果",
    },
    "en": {
        "kind": ("kind", "settlements"),
        "rate": "agreement {rate}: {compared:,} settlements on both sides, {agree:,} agree, {differ:,} differ",
        "none": "no settlement is on both sides",
        "version": "note: the versions differ. Official results {theirs}, our catalogue {ours}",
        "unknown": "note: {cases:,} settlements have an official code ({codes:,} different) not in our catalogue",
        "left": "official rows left out: {void:,} void, {superseded:,} superseded, {without_key:,} without key",
        "pattern": ("cases", "kind", "official", "ours", "smallest record", "equal after"),
        "patterns": "most frequent differences",
        "where": "results",
    },
}
STAGES = {
    "read official results": "读取官方结果",
    "compare": "逐例比较",
    "reduce differences": "缩减差异病例",
}
SHOWN = 5


def _summary(done: Any, lang: str) -> None:
    from fenzhi.money import format_e4
    from fenzhi.reports.reconcile import ReconcileWords, change_text, record_text

    text: dict[str, Any] = TEXTS[lang]
    words, summary = ReconcileWords(lang), done.summary
    for line in summary["notices"]:
        say(f"· {line}")
    counts = [(words(f"kind.{kind}"), f"{n:,}") for kind, n in summary["counts"].items() if n]
    show_table(words(f"title_{summary['scheme']}"), text["kind"], counts)
    rows = [
        (
            f"{row['cases']:,}",
            words(f"kind.{row['kind']}"),
            row["theirs"] or "-",
            row["ours"] or "-",
            record_text(row, words) or "-",
            change_text(row, words) or "-",
        )
        for row in done.tables["patterns"].head(SHOWN).iter_rows(named=True)
    ]
    if rows:
        show_table(text["patterns"], text["pattern"], rows)
    official, unknown = summary["official"], summary["unknown_codes"]
    if summary["other_version"]:
        theirs = ", ".join(official["versions"])
        say(text["version"].format(theirs=theirs, ours=summary["catalog"]["version"]))
    if unknown["cases"]:
        say(text["unknown"].format(**unknown))
    if official["void"] + official["superseded"] + official["without_key"]:
        say(text["left"].format(**official))
    if summary["compared"]:
        rate = f"{format_e4(summary['agreement_e4'] * 100, 2)}%"
        say(text["rate"].format(rate=rate, **summary))
    else:
        say(text["none"])
    say(f"{text['where']}: {done.folder / 'reconcile.html'}")


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


@click.command(
    "reconcile",
    epilog="例 / example:  fenzhi reconcile stays.csv 3606.csv --catalog demonstration-3.0 -o compared",
)
@click.argument("source", metavar="STAYS|RUN", type=PATH)
@click.argument("official", metavar="OFFICIAL", type=PATH)
@click.option(
    "--catalog",
    help="目录文件夹或随附目录的名称;RUN 时不用 / catalogue: a folder or a shipped name; not with RUN",
)
@click.option(
    "--policy",
    default="national-dip-3.0",
    show_default=True,
    help="政策包文件或随附政策包的名称 / policy pack: a file or a shipped name",
)
@click.option("--columns", type=PATH, help="病例的列名映射文件 / mapping file of the stays")
@click.option(
    "--official-columns", type=PATH, help="官方结果的列名映射文件 / mapping file of the official results"
)
@click.option("-o", "--output", "target", required=True, type=FOLDER, help="新文件夹 / new folder")
@lang_option
def command(
    source: Path,
    official: Path,
    catalog: str | None,
    policy: str,
    columns: Path | None,
    official_columns: Path | None,
    target: Path,
    lang: str,
) -> None:
    """把病例重新分组,与官方分组结果(3605 DRG、3606 DIP)逐例比较;差异归类,并各缩减到最小病例。
    STAYS 是病例文件或文件夹,RUN 是一次运算的文件夹。

    Group stays (or a run's records) again and compare them with official results 3605 / 3606 one by one; each
    pattern of differences comes with the smallest record that shows it.
    """
    from fenzhi.pipeline.reconcile import ReconcileInputs, reconcile

    inputs = ReconcileInputs(source, official, catalog, policy, columns, official_columns)
    context = click.get_current_context()
    given = [f"--{name}" for name in ("catalog", "policy", "columns") if _is_given(context, name)]
    if inputs.is_run and given:
        raise click.UsageError(
            f"a RUN brings its own catalogue, policy and columns: leave out {', '.join(given)}"
        )
    if not inputs.is_run and not catalog:
        raise click.UsageError("--catalog is needed with STAYS (a RUN brings its own)")
    with progress_bar(lang) as show:

        def progress(stage: str, share: float) -> None:
            show(STAGES.get(stage, stage) if lang == "zh" else stage, share)

        done = reconcile(inputs, target, lang=lang, progress=progress)
    _summary(done, lang)
