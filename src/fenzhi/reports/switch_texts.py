"""Every text about a switch of catalogues in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.styles import said
from fenzhi.reports.words import language

SWITCH_TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("目录切换测算", "Moving to another catalogue"),
    "title": ("同一批病例在两个目录下的分组与支付", "The same stays under two catalogues"),
    "footer": (
        "由 fenzhi {version} 计算同一年度两次（{run}）并逐例比较；完整的表见同一文件夹。",
        "Made by fenzhi {version}, which computed one year twice ({run}); the whole tables lie beside this page.",
    ),
    "before": ("现行目录", "Before"),
    "after": ("新目录", "After"),
    "from": ("现行目录下", "Group before"),
    "to": ("新目录下", "Group after"),
    "way_stays": (
        "同一批病例在两个目录下各计算一次，逐例比较；每一数字均为各病例之和。",
        "The same stays were computed under both catalogues and compared one by one; every figure is a sum of stays.",
    ),
    "sentence_balance": (
        "按病种付费基金相差 {fund} 元；考核前各机构增减合计 {gross} 元，进出储备 {residual} 元，两者之和等于基金差额，"
        "精确到分。",
        "The by-disease fund differs by {fund} yuan. Before assessment the hospitals gain and lose {gross} yuan in "
        "sum, {residual} yuan go to the reserve: together the difference of the fund, to the fen. ",
    ),
    "sentence_moved": (
        "{moved} 例改入其他病种，{lost} 例由入组变为未入组或不再按病种付费。",
        "{moved} stays are in another group, {lost} lost their group or are no longer paid by disease. ",
    ),
    "moved_stays": ("改入其他病种的病例", "Stays in another group"),
    "lost_stays": ("不再入组的病例", "Stays that lost their group"),
    "cause.grouping": ("换组", "Other group"),
    "cause.ungrouped": ("入组与未入组", "Group lost or found"),
    "cause.weight": ("同组分值", "New weights"),
    "how.grouping": (
        "改入其他病种的病例，病种分值之差",
        "stays that are in another group: the weights differ",
    ),
    "how.ungrouped": ("由入组变为未入组，或相反", "stays that lost or found a group"),
    "how.weight": ("病种编码相同，分值重新测算", "same group code, weight measured anew"),
    "causes_note": (
        "各原因之和等于差额，精确到分；依次替换病例数、分组与分值、系数、偏差、点值，其余不变。"
        "基金不变时，分值总量的变化由点值抵回。",
        "The causes add up to the difference to the fen: volume, groups and weights, coefficients, deviation and price "
        "are replaced one after another. With the same fund, what all points change is taken back by the point value.",
    ),
    "measures": ("分组效果", "How well the groups fit"),
    "measures_note": (
        "RIV 为费用方差中由分组解释的部分；共同入组病例一行只看两个目录下都入组的病例，可直接比较。"
        "变异系数取自历史病例。",
        "RIV: the share of the variance of cost that the groups explain; the line of common stays looks at those that "
        "both catalogues group, so it can be compared. CVs are those of the history.",
    ),
    "measure.stays": ("按病种付费病例（不含床日）", "stays paid by disease (no bed-days)"),
    "measure.core": ("核心病种病例", "in core groups"),
    "measure.comprehensive": ("综合病种病例", "in comprehensive groups"),
    "measure.ungrouped": ("未入组病例", "ungrouped"),
    "measure.grouping_rate": ("入组率", "grouping rate"),
    "measure.groups": ("有分值的病种", "groups with a weight"),
    "measure.groups_used": ("本年有病例的病种", "groups with stays this year"),
    "measure.riv": ("RIV（各自入组病例）", "RIV, stays that each groups"),
    "measure.riv_common": ("RIV（共同入组病例）", "RIV, stays that both group"),
    "measure.stays_common": ("共同入组病例", "stays that both group"),
    "measure.cv_mean": ("变异系数（按病例加权）", "mean CV, weighted by stays"),
    "measure.cv_above_1": ("变异系数大于 1 的病种", "groups with CV above 1"),
    "balance": ("基金如何分到各机构", "From the fund to the hospitals"),
    "balance_note": (
        "考核前各机构合计加尾差等于按病种付费基金；考核、扣款与分担进出储备，因此各机构合计加进出储备仍等于基金。",
        "What the hospitals get before assessment, and what goes to the reserve, is the by-disease fund. Assessment, "
        "deductions and sharing go to and come from the reserve: in the end hospitals and reserve are the fund.",
    ),
    "balance.fund": ("按病种付费基金", "by-disease fund"),
    "balance.residual": ("尾差转入储备", "to the reserve, by rounded or limited values"),
    "balance.gross": ("各机构合计（考核前）", "all hospitals before assessment"),
    "balance.assessment": ("考核", "assessment"),
    "balance.deduction": ("审核扣款", "deductions"),
    "balance.sharing": ("分担、留用及其他", "sharing and all else"),
    "balance.final": ("各机构合计", "all hospitals in the end"),
    "balance.kept": (
        "进出储备等（基金减各机构合计）",
        "to the reserve and fines: the fund less all hospitals",
    ),
    "matrix": ("类别之间的流向（病例数）", "Flows between classes (stays)"),
    "matrix_note": (
        "行为现行目录的层次或主要诊断大类，列为新目录的。病种之间的交叉表见 group_matrix.csv。",
        "Rows: layer or chapter before; columns: after. The cross-table of groups is in group_matrix.csv.",
    ),
    "total": ("合计", "Total"),
    "others": ("其他", "others"),
    "most_moved": ("改动最多的病种", "Groups that move most"),
    "most_moved_note": (
        "改入其他病种的病例最多的在前。",
        "The groups that most stays leave, the largest first.",
    ),
    "to_group": ("主要改入", "Most of them to"),
    "groups_note_stays": (
        "考核前金额；病例归入其在现行目录下的病种。",
        "Amounts before assessment; a stay counts in the group it had before.",
    ),
    "flows_note": (
        "两个目录下都付费、但病种不同的病例，病例最多的在前。",
        "Stays that both pay, in different groups.",
    ),
    "ungrouped": ("不再入组的病例", "Stays that lost their group"),
    "ungrouped_note": (
        "减少最多的在前；原因为新目录下的原因。",
        "The largest losses first; the reason is that after. ",
    ),
    "reason": ("原因", "Reason"),
    "chart_flow": ("病例的流向", "Where the stays went"),
    "chart_group_flow": ("病种之间最大的流向", "The largest flows between groups"),
    "left_out.tracks": (
        "新政策没有其他付费方式，沿用现行政策的。",
        "The new policy has no other tracks; those of the region were kept.",
    ),
    "left_out.reviews": (
        "特例单议的决定针对现行病种作出，两边均不计入（{n} 行）。",
        "Special review was decided for the groups before, so it is left out of both sides ({n} rows).",
    ),
    "left_out.opening_values": (
        "分值基数不同，未采用给定的年初点值，改由历史测算。",
        "The scale of weights differs: stated opening values were left out and measured on the history.",
    ),
    "left_out.bonuses": ("新政策不用 bonuses.csv。", "The new policy does not read bonuses.csv."),
    "left_out.given_weights": (
        "新目录没有自带权重，由本地历史病例测算。",
        "The new catalogue brings no weights; they were measured on the region's history.",
    ),
    "left_out.weight_overrides": (
        "有 {n} 个谈判分值的病种不在新目录中，未采用。",
        "{n} negotiated weights are of groups that the new catalogue does not have; they were left out.",
    ),
    "left_out.auxiliary": (
        "auxiliary.csv 有 {n} 行的病种不在新目录中，未采用。",
        "{n} rows of auxiliary.csv are of groups that the new catalogue does not have; they were left out.",
    ),
    "sheet.measures": ("分组效果", "measures"),
    "sheet.balance": ("基金平衡", "balance"),
    "sheet.classes": ("类别流向", "classes"),
    "sheet.matrix": ("类别交叉表", "matrix"),
    "sheet.group_matrix": ("病种交叉表", "group matrix"),
    "sheet.ungrouped": ("不再入组", "ungrouped"),
    "class.pregroup": ("先期分组", "pre-groups"),
    "class.merged": ("并项病种", "merged"),
    "class.assisted": ("诊断辅助细分", "diagnosis-assisted"),
    "class.basic": ("基本病种", "basic"),
    "class.comprehensive": ("综合病种", "comprehensive"),
}


class SwitchWords(CompareWords):
    """The words of a comparison, and those of a switch of catalogues."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in SWITCH_TEXTS:
            return super().__call__(key, **values)
        return said(SWITCH_TEXTS[key], self.style)[language(self.lang)].format(**values)

    def place(self, code: str | None, chapters: dict[str, str]) -> str:
        """Return the name of a class: layer, chapter or outcome."""
        if code is None:
            return self("not_known")
        if f"class.{code}" in SWITCH_TEXTS:
            return self(f"class.{code}")
        if code in chapters:
            return f"{code} {chapters[code] or ''}".strip()
        return self.known("layer", code) or self.known("outcome", code) or code
