"""Every text about two runs beside each other in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.styles import said
from fenzhi.reports.words import Words, language

TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("两次运算比较", "Comparison of two runs"),
    "title": ("基金支付差异及其原因", "What is paid differently, and why"),
    "footer": (
        "由 fenzhi {version} 比较两次运算（{run}）的结果表生成；完整的表见同一文件夹。",
        "Made by fenzhi {version} from the result tables of two runs ({run}); the whole tables lie beside this page.",
    ),
    "before": ("前次", "Before"),
    "after": ("本次", "After"),
    "difference": ("差额", "Difference"),
    "gaining": ("增加的机构", "Hospitals that gain"),
    "losing": ("减少的机构", "Hospitals that lose"),
    "way_stays": (
        "两次运算有共同的病例，逐例比较；每一数字均为各病例之和。",
        "The runs share stays, which are compared one by one; every figure is a sum of stays.",
    ),
    "way_sums": (
        "两次运算没有共同的病例，按医疗机构与基金池的合计数比较。",
        "The runs share no stays; the sums of each hospital and pool are compared.",
    ),
    "sentence_more": ("本次较前次共增加 {amount} 元：", "The fund pays {amount} yuan more than before: "),
    "sentence_less": ("本次较前次共减少 {amount} 元：", "The fund pays {amount} yuan less than before: "),
    "sentence_same": ("本次与前次合计相等：", "The fund pays the same in total: "),
    "sentence_sides": (
        "{gaining} 家机构增加，{losing} 家机构减少。",
        "{gaining} hospitals gain, {losing} lose.",
    ),
    "sentence_stays": (
        "共同病例 {both} 例，新增 {added} 例，减少 {removed} 例，由入组变为未入组 {ungrouped} 例。",
        "{both} stays are in both runs, {added} are new, {removed} are gone, {ungrouped} lost their group.",
    ),
    "warning.other_region": ("注意：两次运算不是同一统筹区。", "Note: the runs are of different regions."),
    "warning.other_year": ("两次运算的年度不同。", "The runs are of different years."),
    "warning.other_scheme": (
        "注意：一次按 DIP，一次按 DRG 付费。",
        "Note: one run pays by DIP, the other by DRG.",
    ),
    "cause.volume": ("病例数", "Volume"),
    "cause.case_mix": ("病例组合", "Case mix"),
    "cause.coefficient": ("系数", "Coefficients"),
    "cause.deviation": ("偏差、特例与加成", "Deviation, review, add-ons"),
    "cause.price": ("点值与支付比例", "Price of points"),
    "cause.patients": ("患者及其他方支付", "Paid by patients and others"),
    "cause.direct": ("基金直接支付", "Paid directly by the fund"),
    "cause.assessment": ("考核", "Assessment"),
    "cause.deduction": ("审核扣款", "Audit deductions"),
    "cause.sharing": ("分担、留用及其他", "Sharing and all else"),
    "how.volume": ("按分值付费的病例数", "number of stays that points pay"),
    "how.case_mix": ("例均病种分值（入组与分值变化）", "mean weight of a stay: groups and their weights"),
    "how.coefficient": ("机构系数、辅助分型系数", "institution and auxiliary coefficients"),
    "how.deviation": (
        "结算分值与偏差前分值之比",
        "points as a share of points before deviation",
    ),
    "how.price": (
        "每一分值的基金支付，元（点值乘支付比例）",
        "what the fund pays for a point, in yuan (value times payment ratio)",
    ),
    "how.patients": ("由支付标准中扣除", "subtracted from the payment standard"),
    "how.direct": ("不计分、按费用支付", "paid by cost, without points"),
    "how.assessment": ("考核扣减的变化", "what assessment withholds"),
    "how.deduction": ("审核扣款的变化", "what audits deduct"),
    "how.sharing": ("考核、扣款之后的其他变化", "whatever else changes after assessment and deductions"),
    "causes": ("差额的原因", "What made the difference"),
    "causes_note": (
        "各原因之和等于差额，精确到分；依次替换病例数、病例组合、系数、偏差、点值，其余不变。小字为前次与本次的数值。",
        "The causes add up to the difference to the fen: volume, case mix, coefficients, deviation and price are "
        "replaced one after another. Small figures: before and after.",
    ),
    "amount_before": ("前次金额", "Amount before"),
    "amount_after": ("本次金额", "Amount after"),
    "pools": ("基金池", "Pools"),
    "levels": ("按医疗机构级别", "By level of hospital"),
    "hospitals": ("按医疗机构", "By hospital"),
    "hospitals_note": ("按差额由多到少排列。", "Sorted by the difference, largest gain first."),
    "groups": ("按病种", "By group"),
    "groups_note_stays": (
        "考核前金额；病例归入前次所在的病种。",
        "Amounts before assessment; a stay counts in the group it had before.",
    ),
    "groups_note_sums": (
        "考核前金额；以全区该病种的合计数比较。",
        "Amounts before assessment, from the sums of each group in the region.",
    ),
    "groups_gain": ("增加最多的病种", "Groups that gain most"),
    "groups_loss": ("减少最多的病种", "Groups that lose most"),
    "flows": ("病种之间的变动", "Flows between groups"),
    "flows_note": (
        "两次都付费、但病种不同的病例，病例最多的在前。",
        "Stays that both runs pay, in different groups; the largest flows first.",
    ),
    "ungrouped": ("由入组变为未入组的病例", "Stays that lost their group"),
    "ungrouped_note": ("减少最多的在前。", "The largest losses first."),
    "more": (
        "仅列前 {n} 行，共 {all} 行，其余见 {file}。",
        " The first {n} of {all} rows; the others are in {file}.",
    ),
    "files": ("文件", "Files"),
    "file": ("文件", "File"),
    "file_rows": ("行数", "Rows"),
    "hospital": ("医疗机构", "Hospital"),
    "group": ("病种", "Group"),
    "item": ("项目", "Item"),
    "stays": ("病例数", "Stays"),
    "moved": ("改入其他病种", "moved"),
    "from": ("前次病种", "Group before"),
    "to": ("本次病种", "Group now"),
    "setl_id": ("结算ID", "Settlement id"),
    "of_before": ("增减", "Change"),
    "chart_causes": ("差额的原因", "What made the difference"),
    "chart_levels": ("按级别", "By level"),
    "chart_hospital_gain": ("增加最多的机构", "Hospitals that gain most"),
    "chart_hospital_loss": ("减少最多的机构", "Hospitals that lose most"),
    "chart_group_gain": ("增加最多的病种", "Groups that gain most"),
    "chart_group_loss": ("减少最多的病种", "Groups that lose most"),
    "sheet_about": ("说明", "About"),
    "sheet.accounts": ("机构与基金池", "accounts"),
    "sheet.hospitals": ("医疗机构", "hospitals"),
    "sheet.levels": ("级别", "levels"),
    "sheet.groups": ("病种", "groups"),
    "sheet.flows": ("病种变动", "flows"),
    "sheet.ungrouped": ("变为未入组", "ungrouped"),
    "sheet.pools": ("基金池", "pools"),
    "sheet.stays": ("逐例", "stays"),
    "restatement": ("与上次结算的差异", "Difference from the settlement before"),
    "restatement_note": (
        "本次更正批次 {run}；新增 {added} 例，减少 {removed} 例，变更 {changed} 例。"
        "上次清算视为已付，差额另行补拨或退回。",
        "This run restates {run}: {added} stays added, {removed} removed, {changed} changed. What that run cleared "
        "counts as paid; the difference is still to be paid or taken back.",
    ),
    "clearing_before": ("上次年度清算", "Clearing of the run before"),
    "clearing_after": ("本次年度清算", "Clearing of this run"),
    "clearing_pays": ("尚应补拨", "Still to be paid"),
    "clearing_returns": ("应退回", "To be taken back"),
    "clearing_none": ("无须补拨或退回", "Nothing to be paid or taken back"),
    "changes": ("与上年相比", "Compared with the year before"),
    "changes_note": ("比较 {year} 年批次 {run}。", "Compared with run {run} of {year}. "),
    "last_amount": ("上年金额", "Amount of the year before"),
    "this_amount": ("本年金额", "Amount of this year"),
}


class CompareWords(Words):
    """The words of every page, and those of two runs beside each other."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return said(TEXTS[key], self.style)[language(self.lang)].format(**values)
