"""``fenzhi review``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.pipeline.review import Effect, Listed

SHOWN = 30
TEXTS = {
    "zh": {
        "applications": "特例单议申请",
        "application": ("结算ID", "机构", "状态", "排序", "名额", "费用倍数", "符合的条件", "结果"),
        "published": "公示",
        "public": (
            "范围",
            "出院病例",
            "名额",
            "申请",
            "符合",
            "通过",
            "未通过",
            "超名额",
            "占比",
            "基金支付(元)",
        ),
        "pools": "点值变化",
        "pool": ("基金池", "原点值", "新点值", "原直接支付(元)", "新直接支付(元)"),
        "hospitals": "机构应付变化",
        "hospital": ("机构", "原应付(元)", "新应付(元)", "变化(元)"),
        "more": "另有 {:,} 条",
        "decided": "已记录决定:{}",
        "dry": "未记录:仅显示影响",
        "recorded": "已记录 {} 条",
    },
    "en": {
        "applications": "applications for special review",
        "application": ("stay", "hospital", "state", "rank", "quota", "cost multiple", "criteria", "outcome"),
        "published": "published",
        "public": (
            *("unit", "discharges", "quota", "applications", "eligible", "approved", "refused"),
            *("over quota", "share", "fund (yuan)"),
        ),
        "pools": "point values",
        "pool": ("pool", "value before", "value after", "direct before (yuan)", "direct after (yuan)"),
        "hospitals": "payable of hospitals",
        "hospital": ("hospital", "before (yuan)", "after (yuan)", "moved (yuan)"),
        "more": "{:,} more",
        "decided": "decisions recorded: {}",
        "dry": "nothing recorded: this is the effect only",
        "recorded": "{} rows recorded",
    },
}


# What the files call states and outcomes -> Chinese.
WORDS = {
    "eligible": "符合条件",
    "not_eligible": "不符合条件",
    "over_quota": "超出名额",
    "approved": "通过",
    "refused": "不予通过",
    "fee_for_service": "按项目付费",
    "adjusted_standard": "调整支付标准",
    "coefficient": "评议系数",
    "expert_points": "专家核定分值",
    "region": "全区",
}


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _show_listed(listed: Listed, text: dict[str, Any], words: dict[str, str]) -> None:
    from fenzhi.money import format_e4, format_fen

    rows = []
    for row in listed.applications.sort("unit", "rank", "setl_id", nulls_last=True).iter_rows(named=True):
        multiple = row["cost_multiple_e4"]
        first = ("setl_id", "fixmedins_code", "state", "rank", "quota")
        cells = [words.get(row[name], _text(row[name])) for name in first]
        cells += ["-" if multiple is None else format_e4(multiple), row["met"] or "-"]
        cells.append(words.get(row["review"], _text(row["review"])))
        rows.append(cells)
    show_table(text["applications"], text["application"], rows[:SHOWN])
    if len(rows) > SHOWN:
        say(text["more"].format(len(rows) - SHOWN))
    names = ("unit", "discharges", "quota", "applications", "eligible", "approved", "refused", "over_quota")
    public = [
        [
            *(words.get(row[name], _text(row[name])) for name in names),
            "-" if row["share"] is None else f"{row['share']:.4%}",
            format_fen(row["review_fen"]),
        ]
        for row in listed.published.iter_rows(named=True)
    ]
    show_table(text["published"], text["public"], public)


def _show_effect(effect: Effect, text: dict[str, Any]) -> None:
    from fenzhi.money import format_e4, format_fen

    def value(value: int | None) -> str:
        return "-" if value is None else format_e4(value)

    pools = [
        (
            row["title"] or row["pool"],
            value(row["value_before_e4"]),
            value(row["value_after_e4"]),
            format_fen(row["direct_before_fen"]),
            format_fen(row["direct_after_fen"]),
        )
        for row in effect.pools.iter_rows(named=True)
    ]
    show_table(text["pools"], text["pool"], pools)
    names = ("before_fen", "after_fen", "moved_fen")
    hospitals = [
        (row["fixmedins_name"] or row["fixmedins_code"], *(format_fen(row[name]) for name in names))
        for row in effect.hospitals.iter_rows(named=True)
    ]
    show_table(text["hospitals"], text["hospital"], hospitals)


@click.command("review", epilog="例 / example:  fenzhi review my-region --decide decisions.csv --effect")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--decide", "decisions", type=PATH, help="检查并记录决定 / check decisions and record them (CSV)"
)
@click.option(
    "--effect",
    is_flag=True,
    help="显示决定对点值和各机构的影响,不记录 / show what decisions move, and record nothing",
)
@click.option("--record", "states", type=PATH, help="记录申诉或结算 / record appeals or settlements (CSV)")
@click.option("-o", "--output", type=PATH, help="把申请清单写入 CSV / write the list of applications (CSV)")
@lang_option
def command(
    folder: Path, decisions: Path | None, effect: bool, states: Path | None, output: Path | None, lang: str
) -> None:
    """特例单议:列出申请、是否符合条件、排序与名额;记录决定;在生效前显示其影响。

    Special review: list applications with eligibility, rank and quota, record decisions, show what they move.
    """
    from fenzhi.files import new_file, require_new_file
    from fenzhi.pipeline.review import decide, list_reviews, record
    from fenzhi.pipeline.store import write_csv

    text = TEXTS[lang]
    if states is not None:
        if decisions is not None or effect or output is not None:
            raise click.UsageError("--record 单独使用 / --record goes alone")
        say(str(text["recorded"]).format(record(folder, states)))
        return
    if output is not None:
        require_new_file(output, (".csv",))
    with progress_bar(lang) as progress:
        if decisions is None:
            found = list_reviews(folder, effect=effect, progress=progress)
        else:
            found = decide(folder, decisions, effect=effect, progress=progress)
    _show_listed(found, text, WORDS if lang == "zh" else {})
    if found.effect is not None:
        _show_effect(found.effect, text)
    if decisions is not None:
        say(str(text["dry"]) if effect else str(text["decided"]).format(decisions))
    if output is not None:
        with new_file(output) as aside:
            write_csv(found.applications, aside)
        say(str(output))
