"""``fenzhi run``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fenzhi.cli.shared import FOLDER, lang_option, progress_bar, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.pipeline.store import Run

TEXTS: dict[str, dict[str, Any]] = {
    "zh": {
        "outcomes": "病例去向",
        "outcome": ("去向", "行数"),
        "pools": "基金池",
        "pool": "项目",
        "stays": "病例",
        "points": "总分值",
        "opening_value": "年初点值",
        "settlement_value": "结算点值",
        "fund": "按病种基金(元)",
        "payable": "应付(元)",
        "returned": "尾差与退回(元)",
        "shared": "结余留用与超支分担(元)",
        "reserve_left": "储备余额(元)",
        "limits": {
            "floor": "点值按下限,差额由储备支付",
            "ceiling": "点值按上限,多出部分转入储备",
            "reserve": "点值应按下限,储备不足,按基金与储备所能支付的最大值",
            "zero": "固定部分已用完基金,浮动点值为 0",
            "fixed": "全部分值按年初点值",
            "given": "点值为公布的数值,不是由全区病例算出",
            "short": "储备不足以分担全部超支,缺 {short} 元,按比例分担",
        },
        "clearing": "年度清算:应拨 {pays} 元,占全年支付 {share};应退回 {returns} 元;最迟 {due} 前完成,{days}",
        "days": ("还有 {n} 天", "已过 {n} 天"),
        "hospitals": "医疗机构(应付减记账最多与最少)",
        "hospital": ("机构", "病例", "CMI", "应付(元)", "与记账差额(元)", "清算应拨(元)"),
        "where": "结果",
        "balanced": "守恒:行数、分值、金额全部核对一致",
    },
    "en": {
        "outcomes": "outcomes",
        "outcome": ("outcome", "rows"),
        "pools": "pools",
        "pool": "item",
        "stays": "stays",
        "points": "points",
        "opening_value": "opening value",
        "settlement_value": "settlement value",
        "fund": "fund (yuan)",
        "payable": "payable (yuan)",
        "returned": "residual and returned (yuan)",
        "shared": "sharing (yuan)",
        "reserve_left": "left in reserve (yuan)",
        "limits": {
            "floor": "the value is at its floor, the reserve pays the difference",
            "ceiling": "the value is at its ceiling, the rest goes to the reserve",
            "reserve": "the reserve does not suffice for the floor: the value is what fund and reserve can pay",
            "zero": "the fixed points take all of the fund, the others are worth 0",
            "fixed": "all points have the opening value",
            "given": "the point value is the published one, not computed from all stays",
            "short": "the reserve cannot bear all overruns: {short} yuan are missing, it was split in proportion",
        },
        "clearing": "clearing: {pays} yuan to pay ({share} of the year), {returns} yuan to take back; by {due}, {days}",
        "days": ("{n} days left", "{n} days ago"),
        "hospitals": "hospitals (largest and smallest payable minus booked)",
        "hospital": ("hospital", "stays", "CMI", "payable (yuan)", "minus booked", "clearing"),
        "where": "results",
        "balanced": "conserved: rows, points and fen all agree",
    },
}
OUTCOMES = {
    "grouped": "核心病种",
    "comprehensive": "综合病种",
    "ungrouped": "未入组",
    "excluded": "不按病种付费",
    "other_track": "其他付费方式",
    "rejected": "质控拒绝",
    "bed_day": "床日付费",
}
SHOWN = 5


def _clearing(run: Run, text: dict[str, Any]) -> None:
    """Say what limited the point values, whether the reserve sufficed, and when the clearing is due."""
    from fenzhi.money import format_fen

    for pool in run.tables["pools"].iter_rows(named=True):
        said = [text["limits"][limit] for limit in (pool["value_limit"] or "").split("|") if limit]
        if pool["short_fen"]:
            said.append(text["limits"]["short"].format(short=format_fen(pool["short_fen"])))
        for line in said:
            say(f"{pool['title'] or pool['pool']}: {line}")
    facts = run.manifest["clearing"]
    left = (date.fromisoformat(facts["due_date"]) - date.today()).days
    say(
        text["clearing"].format(
            pays=format_fen(facts["pays_fen"]),
            returns=format_fen(facts["returns_fen"]),
            share="-" if facts["share"] is None else f"{facts['share']:.1%}",
            due=facts["due_date"],
            days=text["days"][left < 0].format(n=abs(left)),
        )
    )


def _summary(run: Run, lang: str) -> None:
    import polars as pl

    from fenzhi.money import format_e4, format_fen
    from fenzhi.reports.styles import DIP, said, style_of

    def value(value: int | None) -> str:
        return "-" if value is None else format_e4(value)

    text, style = TEXTS[lang], style_of(run.tables["cases"]["scheme"], run.manifest["policy"])

    def words(text: object) -> str:
        return said((str(text), str(text)), style)[lang == "en"]

    names = OUTCOMES if style == DIP else OUTCOMES | {"grouped": "入组"}
    meta = run.manifest["region"]
    rules = run.manifest.get("rules", [])
    held = [f"{entry['policy']['title']} · {entry['catalog']['title']}" for entry in rules or [run.manifest]]
    if not rules:
        say(f"\n{meta['name']} {meta['year']}  {held[0]}")
    else:
        say(f"\n{meta['name']} {meta['year']}")
        for entry, title in zip(rules, held, strict=True):
            say(f"  {entry['first']} – {entry['last']}: {title}, {entry['stays']:,} {text['stays']}")
    outcomes = run.tables["cases"].group_by("outcome").len().sort("len", "outcome", descending=[True, False])
    show_table(
        str(text["outcomes"]),
        text["outcome"],
        [(words(names[name]) if lang == "zh" else name, f"{n:,}") for name, n in outcomes.iter_rows()],
    )
    pools = list(run.tables["pools"].iter_rows(named=True))
    items = {
        "stays": [f"{pool['cases']:,}" for pool in pools],
        "points": [format_e4(pool["points_e4"], 0) for pool in pools],
        "opening_value": [value(pool["opening_value_e4"]) for pool in pools],
        "settlement_value": [value(pool["settlement_value_e4"]) for pool in pools],
        "fund": [format_fen(pool["fund_fen"]) for pool in pools],
        "payable": [format_fen(pool["payable_fen"]) for pool in pools],
        "returned": [format_fen(pool["residual_fen"] + pool["returned_fen"]) for pool in pools],
        "shared": [format_fen(pool["shared_fen"]) for pool in pools],
        "reserve_left": [format_fen(pool["reserve_left_fen"]) for pool in pools],
    }
    titles = [str(text["pool"]), *(pool["title"] or pool["pool"] for pool in pools)]
    show_table(str(text["pools"]), titles, [(words(text[item]), *figures) for item, figures in items.items()])
    hospitals = (
        run.tables["hospitals"]
        .group_by("fixmedins_code", "fixmedins_name")
        .agg(
            pl.col("cases").sum(),
            (pl.col("cmi_e4") * pl.col("cases")).sum() // pl.col("cases").sum().clip(lower_bound=1),
            pl.col("payable_fen", "balance_fen", "clearing_fen").sum(),
        )
        .sort("balance_fen", "fixmedins_code", descending=[True, False])
    )
    ends = (
        hospitals
        if hospitals.height <= 2 * SHOWN
        else pl.concat([hospitals.head(SHOWN), hospitals.tail(SHOWN)])
    )
    rows = [
        (name or code, f"{n:,}", format_e4(cmi or 0, 2), *(format_fen(amount) for amount in amounts))
        for code, name, n, cmi, *amounts in ends.iter_rows()
    ]
    show_table(str(text["hospitals"]), text["hospital"], rows)
    _clearing(run, text)
    say(words(text["balanced"]))
    say(f"{text['where']}: {run.folder}")
    for name in ("region.html", "region.xlsx", "statements"):
        if (run.folder / name).exists():
            say(f"  {run.folder / name}")


@click.command("run", epilog="例 / example:  fenzhi run my-region --lang zh")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--no-reports", is_flag=True, help="只写结果表 / write the result tables only")
@click.option(
    "--chunk-rows",
    type=click.IntRange(1),
    help="每次分组的行数,不影响结果 / rows grouped at a time; does not change the result",
)
@click.option(
    "--restates",
    type=FOLDER,
    metavar="RUN",
    help="本次更正的运算(迟到数据、申诉),原运算不变 / the run that this one restates; it stays as it is",
)
@click.option(
    "--last-year",
    type=FOLDER,
    metavar="RUN",
    help="上年的运算,结算单与之比较 / a run of the year before, to compare with",
)
@click.option("--strict", is_flag=True, help="有被拒绝的行时返回 1 / exit with 1 if rows were rejected")
@lang_option
def command(folder: Path, no_reports: bool, strict: bool, lang: str, **options: Any) -> int:
    """计算统筹区全年:质控、分组、权重、分值、点值、月度预付、年度清算、台账与结算单,写入 DIR/runs/ 的新文件夹。

    Compute a region's year from its records to hospital statements, into a new folder under DIR/runs/.
    """
    from fenzhi.pipeline import run

    with progress_bar(lang) as progress:
        done = run(folder, reports=not no_reports, lang=lang, progress=progress, **options)
    _summary(done, lang)
    return 1 if strict and done.manifest["counts"].get("outcome_rejected") else 0
