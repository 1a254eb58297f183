"""Every text about a hospital's departments in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.styles import said
from fenzhi.reports.words import Words, language

TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("科室盈亏", "Departments"),
    "title": ("{name}：{year} 年科室分值收入与费用", "{name}: point income and cost of departments, {year}"),
    "footer": (
        "由 fenzhi {version} 由运算 {run} 的结果表和病例文件生成；医师只以代号出现。仅供本机构内部使用。",
        "Made by fenzhi {version} from the result tables of run {run} and the records; doctors appear by pseudonym "
        "only. For use inside the hospital.",
    ),
    "sentence": (
        "{departments} 个科室、{cases} 例按分值付费病例，分值收入 {income} 元，费用 {cost} 元，盈亏 {balance} 元；"
        "{losing} 个科室亏损。",
        "{departments} departments and {cases} stays paid by points: point income {income} yuan, cost {cost} yuan, "
        "balance {balance} yuan; {losing} departments lose.",
    ),
    "departments": ("科室：分值收入与费用", "Departments: point income and cost"),
    "departments_note": (
        "盈亏 = 基金应付（考核前）- 记账 = 分值收入 - 费用。亏损最大的在前。",
        "Balance = fund amount before assessment - booked = point income - cost. The largest losses first.",
    ),
    "causes": ("盈亏的构成", "What the balance is made of"),
    "causes_note": (
        "各项之和等于盈亏。病种价格：按标准分值所得减全区该病种例均费用；住院天数、药品、耗材、其他费用："
        "与全区同病种例均相比少花（正）或多花（负）的费用。",
        "The parts add up to the balance. Price: what whole points pay minus the region's mean cost of the group; "
        "length, drugs, consumables, other cost: spent less (plus) or more (minus) than the region's mean.",
    ),
    "groups": ("亏损最大的病种及其原因", "Groups that lose most, and why"),
    "groups_note": ("前 {n} 行，其余见 groups.csv。", "The first {n} rows; all are in groups.csv."),
    "doctors": ("主诊医师（代号）", "Attending doctors (pseudonyms)"),
    "doctors_note": (
        "代号由机构自己的密钥生成，只有持密钥者能对应到人。",
        "Pseudonyms are made with the hospital's own key; only who holds it can tell the person.",
    ),
    "quotas": ("科室定额", "Quotas of departments"),
    "quotas_note": (
        "定额取上一年例均费用，或由文件给定。名单：费用超过定额 {above} 倍；费用低于 {below} 元。",
        "Quotas are the mean cost of the year before, or set by a file. Lists: cost above {above} times the quota; "
        "cost below {below} yuan.",
    ),
    "watch": ("需关注病例", "Stays to look at"),
    "watch_note": (
        "每个名单前 {n} 例，其余见 watch.csv。",
        "The first {n} of each list; all are in watch.csv.",
    ),
    "flagged_note": (
        "清单待核对病例（质控、填写规则、提示）的盈亏已含在合计内，不是构成的一项。",
        "The balance of stays whose record is to be looked at again (quality, filling in, hints) is inside the sums, "
        "and no part of the split.",
    ),
    "no_costs": (
        "病例文件没有药品和耗材费用，这两项为 0，全部计入其他费用。",
        "The records have no fees of drugs and consumables: both are 0, and all is other cost.",
    ),
    "one_hospital": (
        "本次运算只有这一家机构，没有全区可比：费用各项为 0。",
        "The run has this hospital only, so there is no region to compare with: the parts of the cost are 0.",
    ),
    "history": ("上年例均", "mean of last year"),
    "set": ("给定", "set"),
    "above_quota": ("超定额倍数", "above the quota"),
    "below": ("低费用", "low cost"),
    "department": ("科室", "Department"),
    "group": ("病种", "Group"),
    "chart_departments": ("各科室盈亏", "Balance of departments"),
    "chart_causes": ("盈亏的构成", "What the balance is made of"),
    # short titles for the terminal
    "head.cases": ("病例数", "stays"),
    "head.income_fen": ("分值收入", "income"),
    "head.cost_fen": ("费用", "cost"),
    "head.balance_fen": ("盈亏", "balance"),
    "head.quota_fen": ("例均定额", "quota"),
    "head.above_quota_cases": ("超定额", "above"),
    "head.below_cases": ("低费用", "low"),
    "head.by_price_fen": ("病种价格", "price"),
    "head.by_coefficient_fen": ("系数", "coefficient"),
    "head.by_deviation_fen": ("偏差", "deviation"),
    "head.by_settlement_fen": ("结算差", "settlement"),
    "head.by_length_fen": ("天数", "length"),
    "head.by_drugs_fen": ("药品", "drugs"),
    "head.by_consumables_fen": ("耗材", "consumables"),
    "head.by_other_cost_fen": ("其他费用", "other cost"),
    "head.dscg_caty": ("科室", "department"),
    "about": ("说明", "About"),
    "hospital": ("医疗机构", "Hospital"),
    "run": ("运算", "Run"),
    "policy": ("规则", "Policy"),
    "sheet.departments": ("科室", "Departments"),
    "sheet.groups": ("科室与病种", "Groups"),
    "sheet.doctors": ("医师", "Doctors"),
    "sheet.watch": ("需关注病例", "Watch lists"),
}


class DepartmentWords(Words):
    """The words of every page, and those of departments."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return said(TEXTS[key], self.style)[language(self.lang)].format(**values)
