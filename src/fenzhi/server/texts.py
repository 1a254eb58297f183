"""Every text of the local page in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.styles import said
from fenzhi.reports.words import Words, language

TEXTS: dict[str, tuple[str, str]] = {
    "page": ("医保结算模拟", "Payment of the year"),
    "nav": ("栏目", "Parts of this page"),
    "skip": ("跳到内容", "Skip to content"),
    "nav.overview": ("总览", "Overview"),
    "nav.forecast": ("年终预测", "Forecast"),
    "nav.scenario": ("情景模拟", "Scenarios"),
    "nav.departments": ("科室与病种", "Departments"),
    "nav.case": ("单病例", "One case"),
    "nav.export": ("导出", "Export"),
    "choose": ("医疗机构", "Hospital"),
    "choose_all": ("整个统筹区", "The whole region"),
    "choose_go": ("查看", "Show"),
    "choose_first": (
        "本栏目按医疗机构查看，请先在上方选择一家机构。",
        "This part is about one hospital: choose one above.",
    ),
    "local": (
        "本页只在本机打开，不连接网络；数据不离开本机。",
        "This page is open on this machine only and asks nothing of the network; no data leave the machine.",
    ),
    "take": ("导出", "Take away"),
    "levels_table": ("按级别与费用偏差类型", "By level and deviation band"),
    "error": ("无法给出结果", "There is no answer"),
    "error_where": ("位置", "Where"),
    "error_do": ("处理办法", "What to do"),
    "lost": (
        "没有收到回答，请看运行 fenzhi serve 的终端。",
        "No answer came: look at the terminal that runs fenzhi serve.",
    ),
    "busy": ("正在计算……", "Working it out …"),
    "answered": ("用时 {seconds} 秒", "answered in {seconds} s"),
    "answered_full": (
        "这一改变要重新计算全年，用时 {seconds} 秒",
        "the whole year was computed anew, in {seconds} s",
    ),
    # Forecast.
    "forecast_lead": (
        "由已发生的月份预测全年：病例、分值、点值、应付、盈亏与各月到账，均给出区间。可选择一个较早的日子，看当时会怎样预测。",
        "The year's end from the months done: stays, points, point value, amounts and cash, each with its interval. An "
        "earlier day shows what would have been said then.",
    ),
    "forecast_day": ("病例完整至", "Records complete up to"),
    "forecast.low": ("点值下限（年初点值的倍数）", "Point value, low end, in opening values"),
    "forecast.high": ("点值上限（年初点值的倍数）", "Point value, high end, in opening values"),
    # Scenarios.
    "scenario_lead": (
        "移动滑块，看{name}全年应付怎样变化。点值随全统筹区分值总量变动；每次都按同一套规则重新计算，与正式运算一致到分。",
        "Move a slider and see what becomes of the year of {name}. The point value follows the points of the whole "
        "region; every answer is computed by the rules of the year, and agrees with a full run to the fen.",
    ),
    "scenario_alone": (
        "移动滑块，看{name}全年应付怎样变化。这里只有本机构的病例，点值按给定弹性变动。",
        "Move a slider and see what becomes of the year of {name}. Only its own stays are known here: the point value "
        "follows a stated elasticity.",
    ),
    "about_own": ("本机构的变化", "What changes at the hospital"),
    "about_rest": ("其他机构、规则与预算", "Other hospitals, rules and budget"),
    "applies": ("适用范围", "Applies to"),
    "pick_department": ("科室", "Department"),
    "pick_group": ("病种", "Group"),
    "pick_all": ("全部", "all"),
    "stays_of": ("{n} 例", "{n} stays"),
    "lever.volume": ("病例数", "Number of stays"),
    "lever.cost": ("例均费用", "Cost of a stay"),
    "lever.los_days": ("住院天数", "Length of stay"),
    "lever.move": ("改按“{name}”结算", "Moved to {name}"),
    "lever.to_hospital": ("转到其他机构", "Moved to another hospital"),
    "lever.mix": ("改为其他病种", "Give way to another group"),
    "lever.coefficient": ("机构调节系数", "Institution coefficient"),
    "lever.others": ("其他机构病例数", "Stays of the other hospitals"),
    "lever.budget": ("预算：{name}", "Budget: {name}"),
    "lever.elasticity": ("点值弹性", "Elasticity of the point value"),
    "to_hospital": ("转到", "Moved to"),
    "to_group": ("改为病种", "New group"),
    "unit_days": ("天", "days"),
    "reset": ("全部复位", "Reset"),
    "keep": ("保留此方案，并列比较", "Keep beside others"),
    "kept": ("保留的方案", "Scenarios side by side"),
    "kept_note": ("只保留在本页打开期间。", "Kept while this page is open."),
    "kept_name": ("方案", "Scenario"),
    "drop": ("删除", "Drop"),
    "as_file": ("情景文件（TOML），可直接修改", "The scenario as a file (TOML); may be edited"),
    "as_file_note": (
        "滑块之外的全部选项见 docs/reference/scenario.md；同一文件可用于 fenzhi simulate。",
        "All keys, beyond the sliders, are in docs/reference/scenario.md; fenzhi simulate takes the same file.",
    ),
    "ask_file": ("按此文件计算", "Answer this file"),
    "before_after": ("前后对比", "Before and after"),
    "before": ("现在", "Now"),
    "after": ("情景", "Scenario"),
    "difference": ("差额", "Difference"),
    "quantity": ("项目", "Item"),
    "causes": ("差额的原因", "What made the difference"),
    "causes_scenario": ("各项之和等于差额。", "The causes add up to the difference."),
    "value_of": ("结算点值（{name}）", "Settlement point value ({name})"),
    "scenario_sentence_more": ("应付增加 {amount} 元", "{amount} yuan more are payable"),
    "scenario_sentence_less": ("应付减少 {amount} 元", "{amount} yuan less are payable"),
    "scenario_sentence_same": ("应付不变", "the amount payable stays the same"),
    "scenario_sentence": ("{change}：{before} → {after} 元。", "{change}: {before} → {after} yuan."),
    "scenario_margin": ("应付减记账", "Payable minus booked"),
    "part.none": ("不变", "no change"),
    "part.volume": ("病例数", "stays"),
    "part.mix": ("病种结构", "mix"),
    "part.cost": ("费用与住院天数", "cost and days"),
    "part.move": ("转出", "moved stays"),
    "part.coding": ("编码", "coding"),
    "part.others": ("其他机构", "other hospitals"),
    "part.coefficient": ("系数", "coefficient"),
    "part.review": ("特例单议", "special review"),
    "part.budget": ("预算", "budget"),
    "part.policy": ("规则", "policy"),
    "part.catalog": ("目录", "catalogue"),
    "part.point_value": ("点值", "point value"),
    "groups_changed": ("变化最大的病种", "Groups that change most"),
    "groups_changed_note": (
        "考核前基金应付，变化最大的 {n} 个病种。",
        "Amounts before assessment; the {n} groups that change most.",
    ),
    "pools_changed": ("基金池前后", "The pools before and after"),
    "fund": ("按病种基金", "By-disease fund"),
    # One case.
    "case_known": ("本机构的一个病例", "A stay of this hospital"),
    "case_id": ("结算ID", "Settlement id"),
    "case_typed": ("录入一份清单（也可在院）", "A record typed in, also of a patient still in hospital"),
    "case_ask": ("解释并核对", "Explain and audit"),
    "case_male": ("男", "male"),
    "case_female": ("女", "female"),
    "case.diag": ("诊断，主要诊断在前，以 | 分隔", "Diagnoses, principal first, joined by |"),
    "case.oprn": ("手术操作，主要手术在前", "Operations, main first"),
    "case.sex": ("性别", "Sex"),
    "case.age": ("年龄（岁）", "Age in years"),
    "case.age_days": ("日龄（不满一岁）", "Age in days, below one year"),
    "case.days": ("住院天数", "Length of stay, days"),
    "case.cost": ("目前费用（元）", "Cost so far, yuan"),
    "case.booked": ("统筹基金记账（元）", "Booked to the pooled fund, yuan"),
    "case.insurance": ("险种", "Insurance kind"),
    "case.department": ("出院科别", "Department"),
    "case.icu": ("重症监护时长（天/时/分）", "Intensive care, days/hours/minutes"),
    # Export.
    "export_lead": (
        "各栏目的表可导出为 CSV 和 Excel，图可导出为 SVG 和 PNG；完整结果如下。",
        "Every table of this page comes as CSV and Excel, every picture as SVG and PNG; the whole results are these.",
    ),
    "export_whole": ("完整结果", "Whole results"),
    "export_parts": ("各栏目的表与图", "Tables and pictures of the parts"),
    "export_part": ("栏目", "Part"),
    "export_what": ("内容", "What"),
    "export_as": ("格式", "As"),
    "export_workbook": ("工作簿：全部表", "Workbook with all tables"),
    "export_year": ("年度清算单", "Statement of the year"),
    "export_months": ("分月结算单", "Statement by month"),
    "export_confirm": ("确认单", "Page to be signed"),
    "export_cases": ("逐例结果", "Results stay by stay"),
    "picture": ("图", "picture"),
    "table": ("表", "table"),
}


class ServeWords(Words):
    """The words of every page, and those of the local page."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        found = said(TEXTS[key], self.style)[language(self.lang)]
        return found.format(**values) if values else found
