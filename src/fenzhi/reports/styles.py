"""How the pages of a DRG region speak. Everything is written once in the words of DIP; this is what differs.

A style first replaces whole texts, then terms inside every text: so a new text needs no second wording, and one
that would read badly gets its own here. The replaced texts are written in the words of DIP too, because the terms
of rates (权重, 费率) and of points (点数, 点值) are put in afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

DIP, RATE, POINTS = "dip", "drg-rate", "drg-points"
STYLES = (DIP, RATE, POINTS)

Pair = tuple[str, str]

#: Terms of DIP -> terms of the style, per language (Chinese, English).
TERMS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    DIP: ({}, {}),
    RATE: (
        {
            "单病种": "单病种",
            "不按病种付费": "不按 DRG 付费",
            "按病种付费": "DRG 付费",
            "按病种基金": "DRG 基金",
            "病种目录": "分组方案",
            "病种": "病组",
            "计分": "计算权重",
            "每一分值": "每一权重",
            "分值": "权重",
            "点值": "费率",
            "元/分": "元/权重",
        },
        {
            "By-disease": "DRG",
            "by-disease": "DRG",
            "payment by disease": "payment by DRG",
            "Point value": "Rate",
            "Point values": "Rates",
            "point value": "rate",
            "point values": "rates",
            "Points": "Weight",
            "points": "weight",
            "point": "unit of weight",
            "opening value": "opening rate",
            "settlement value": "settlement rate",
            "all points": "all weight",
        },
    ),
    POINTS: (
        {
            "单病种": "单病种",
            "不按病种付费": "不按 DRG 付费",
            "按病种付费": "DRG 付费",
            "按病种基金": "DRG 基金",
            "病种目录": "分组方案",
            "病种分值(RW)": "基准点数",
            "病种分值": "基准点数",
            "病种": "病组",
            "计分": "计算点数",
            "每一分值": "每个点数",
            "基层病种分值": "基层病组点数",
            "综合病种分值": "综合病组点数",
            "分值": "点数",
            "元/分": "元/点",
        },
        {"By-disease": "DRG", "by-disease": "DRG", "payment by disease": "payment by DRG"},
    ),
}

#: Texts and names of codes that a DRG region says otherwise: key -> (Chinese, English).
DRG_TEXTS: Mapping[str, Pair] = {
    "catalog": ("分组方案", "Grouper"),
    "no_group": ("未入组病例", "Ungrouped stays"),
    "deviation": ("费用偏差与特殊病例", "Cost deviation and special stays"),
    "deviation_note": (
        "费用与参照相差过大、住院过程不完整、病组不稳定的病例另行计分；未判断的多为未入组和床日病例。",
        "Stays far from the reference, incomplete ones and those of unstable groups get points by rules of their "
        "own. Not tested: mostly ungrouped and bed-day stays.",
    ),
    "how_residual": (
        "固定点值或取整留下的差额，按政策分摊或转入储备",
        "left by a fixed or rounded point value, apportioned or moved to the reserve",
    ),
    "outcome.grouped": ("入组", "grouped"),
    "section.weights": ("病种分值", "weights"),
}

#: Titles of columns that a DRG region says otherwise: column -> (Chinese, English), in every table that has it.
DRG_TITLES: Mapping[str, Pair] = {
    "rw_e4": ("病种分值(RW)", "weight of the group (RW)"),
    "grouped_cases": ("入组病例数", "grouped stays"),
    "points_core_e4": ("入组病例分值", "points of grouped stays"),
    "points_grassroots_e4": ("基层病种分值", "points of grassroots groups"),
    "points_ungrouped_e4": ("未入组病例分值", "points of ungrouped stays"),
    "core_share": ("入组占比", "share of grouped stays"),
    "layer": ("病种类型", "type of group"),
}

#: The glossary of a DRG statement: (Chinese term of the DIP glossary that it replaces or follows, entry).
#: ``+`` in front: added after that entry.
DRG_GLOSSARY: tuple[tuple[str, tuple[Pair, Pair]], ...] = (
    (
        "病种",
        (
            ("病种(DRG)", "Group (DRG)"),
            (
                "按主要诊断、手术操作、年龄、合并症与并发症等逐级分出的一类病例，临床过程相近、费用相当。",
                "Stays that are alike in diagnosis, operations, age and complications, and cost about the same.",
            ),
        ),
    ),
    (
        "+病种",
        (
            ("主要诊断大类(MDC)", "Chapter (MDC)"),
            (
                "分组的第一级，由主要诊断确定，大致对应人体系统；其下先分核心病种(ADRG)，再分病种。",
                "The first step of grouping, by the principal diagnosis: about a system of the body. Below it "
                "come ADRGs, then groups.",
            ),
        ),
    ),
    (
        "+病种",
        (
            ("入组率", "Grouping rate"),
            (
                "进入病种的病例占付费病例（不含床日病例）的比例。",
                "Grouped stays against all paid stays without bed-day stays.",
            ),
        ),
    ),
    (
        "病例组合指数(CMI)",
        (
            ("病例组合指数(CMI)", "Case mix index (CMI)"),
            (
                "入组病例病种分值的平均数（以全部病例平均为 1）；越高说明收治的病例越复杂。",
                "The mean weight of the grouped stays, where the mean of all stays is 1; a higher one means more "
                "complex stays.",
            ),
        ),
    ),
    (
        "基层病种",
        (
            ("基层病种", "Grassroots group"),
            (
                "基层常见、同病同价的病种，不乘机构调节系数。",
                "A common disease with the same price everywhere: no institution coefficient.",
            ),
        ),
    ),
    (
        "机构调节系数",
        (
            ("机构调节系数", "Institution coefficient"),
            (
                "医疗机构费用水平与全区之比，按政策以机构类别或逐个病种计算。",
                "The cost level of a hospital against the region: by class of hospital, or group by group, as the "
                "policy says.",
            ),
        ),
    ),
    (
        "结算分值",
        (
            ("结算分值", "Settled points"),
            (
                "病例最终得到的分值：病种分值 × 机构调节系数，再按费用偏差等规则调整。",
                "What a stay finally gets: weight × coefficient, adjusted by the rules on deviation and special "
                "stays.",
            ),
        ),
    ),
    (
        "病种分值",
        (
            ("病种分值", "Weight"),
            (
                "该病种历史例均费用与全部病例例均费用之比，按政策规定的基数换算，反映治疗所需的资源。",
                "The mean cost of the group against the mean of all stays, from history, times the policy's base.",
            ),
        ),
    ),
    (
        "费用偏差",
        (
            ("费用偏差", "Cost deviation"),
            (
                "病例费用与参照费用之比过低或过高，分值按规则折算或另行评议。",
                "The cost is far below or above the reference; what the stay gets is adjusted or reviewed.",
            ),
        ),
    ),
    (
        "点值",
        (
            ("点值", "Point value"),
            (
                "每一分值对应的支付金额。年初点值用于月度预付，结算点值由全年基金与总分值得出，或由政策固定。",
                "What one point is worth. The opening point value is for advances; the settlement point value is the "
                "year's fund over all points, unless the policy fixes it.",
            ),
        ),
    ),
    (
        "+费用偏差",
        (
            ("不稳定病种", "Unstable group"),
            (
                "费用离散程度大或病例数过少的病种，其病例按政策另行计分。",
                "A group whose costs vary widely or that has few stays; its stays get points by a rule of their own.",
            ),
        ),
    ),
)

_CJK = "\u4e00-\u9fff"


def style_of(schemes: pl.Series, policy: Mapping[str, Any]) -> str:
    """Return the style of a run: a DRG region whose weights lie around 1 speaks of rates.

    ``schemes``: the column ``scheme`` of the cases; ``policy``: the manifest's.
    """
    if "drg" not in schemes.unique():
        return DIP
    return RATE if policy.get("scale", 1) == 1 else POINTS


def said(text: Pair, style: str) -> Pair:
    """Return a text (Chinese, English) in the terms of a style; what stands in braces stays."""
    zh, en = TERMS[style]
    chinese = _replaced(text[0], zh, "(?:{})")
    return re.sub(f"(?<=[{_CJK}])(?=DRG)", " ", chinese), _replaced(text[1], en, r"(?<![{{\w])(?:{})(?!\w)")


def _replaced(text: str, terms: Mapping[str, str], pattern: str) -> str:
    if not terms:
        return text
    longest_first = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    return re.sub(pattern.format(longest_first), lambda found: terms[found[0]], text)


def glossary(entries: Sequence[tuple[Pair, Pair]], style: str) -> list[tuple[Pair, Pair]]:
    """Return the glossary of a style, made from that of DIP."""
    if style == DIP:
        return list(entries)
    instead = {key: entry for key, entry in DRG_GLOSSARY if not key.startswith("+")}
    out = []
    for entry in entries:
        out.append(instead.get(entry[0][0], entry))
        out += [more for key, more in DRG_GLOSSARY if key == f"+{entry[0][0]}"]
    return [(said(term, style), said(meaning, style)) for term, meaning in out]
