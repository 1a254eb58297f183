"""Every text of a simulation's page in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.styles import said
from fenzhi.reports.words import language

TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("模拟测算", "Simulation"),
    "title": ("如果这样做,点数与基金支付如何变化", "What would change, and why"),
    "footer": (
        "由 fenzhi {version} 模拟({run});与对变动后病例全量运算的结果逐分一致。",
        "Simulated by fenzhi {version} ({run}); to the fen what a full run on the changed records gives.",
    ),
    "sentence": (
        "各方案只改变所述内容,其余不变;金额为分担后应付,全区点值随之重新平衡。",
        "Each scenario changes what it says and nothing else; amounts are final amounts after sharing, and the "
        "region's point value follows.",
    ),
    "full": (
        "以下方案改变了政策、目录或系数口径,已全量重算:{names}。",
        "These scenarios change rules, so the whole year was computed anew: {names}.",
    ),
    "note.elasticity": (
        "只有本机构的病例:点值不由全区重新平衡得出,而是给定数值,按所述弹性随本机构分值变动。",
        "Only this hospital's stays are here: the point value is given, and follows its points by an elasticity.",
    ),
    "before": ("现状", "As it is"),
    "after": ("方案", "Scenario"),
    "amount_before": ("现状金额", "Amount as it is"),
    "amount_after": ("方案金额", "Amount in the scenario"),
    "scenario": ("方案", "Scenario"),
    "scenarios": ("方案对比", "Scenarios side by side"),
    "region_difference": ("全区差额", "All hospitals"),
    "region": ("统筹区", "Region"),
    "rules_of": ("政策与目录", "Policy and catalogue"),
    "parts": ("逐项变动的影响", "Part by part"),
    "part": ("变动", "Part"),
    "parts_note": (
        "按所列顺序逐项加入,各项之和等于差额。",
        "The parts are added in this order; what each adds makes up the difference.",
    ),
    "part.volume": ("病例数量", "volume"),
    "part.mix": ("病种结构", "mix"),
    "part.cost": ("费用与住院天数", "cost and length of stay"),
    "part.move": ("转为其他付费方式、机构或中医路径", "moved elsewhere"),
    "part.coding": ("编码变动后重新分组", "coding"),
    "part.others": ("其他机构增长", "other hospitals"),
    "part.coefficient": ("机构系数", "institution coefficient"),
    "part.review": ("特例单议", "special review"),
    "part.budget": ("预算", "budget"),
    "part.policy": ("政策", "policy"),
    "part.catalog": ("病种目录", "catalogue"),
    "part.point_value": ("点值", "point value"),
    "pool": ("基金池", "Pool"),
    "fund": ("按病种付费基金", "By-disease fund"),
    "points": ("总分值", "Points"),
    "value": ("结算点值", "Point value"),
    "amount": ("考核前金额", "Before assessment"),
    "groups_note": (
        "考核前金额,变动最大的在前。",
        "Amounts before assessment, the largest change first.",
    ),
}


class SimulateWords(CompareWords):
    """The words of every page, those of a comparison, and those of a simulation."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return said(TEXTS[key], self.style)[language(self.lang)].format(**values)
