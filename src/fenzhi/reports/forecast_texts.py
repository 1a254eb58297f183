"""Every text about a forecast in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from fenzhi.reports.styles import said
from fenzhi.reports.words import Words, language

TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("全年预测", "Forecast of the year"),
    "footer": (
        "由 fenzhi {version} 根据截至 {run} 的病例预测；完整的表见同一文件夹。",
        "Forecast by fenzhi {version} from the stays up to {run}; the whole tables lie beside this page.",
    ),
    "title": ("{year} 年预测：{name}", "{year} forecast: {name}"),
    "as_of": ("病例截至", "Stays up to"),
    "interval": ("{level} 区间", "{level} interval"),
    "level": ("区间水平", "Interval holds"),
    "made": ("模拟", "Simulation"),
    "made_how": ("{draws} 次，种子 {seed}", "{draws} draws, seed {seed}"),
    "history": ("历史年度", "Years of history"),
    "value_given": (
        "本文件夹只有一家机构：结算点值按年初点值的 {low} 至 {high} 倍给定，支付比例用本机构的。",
        "One hospital's folder: the settlement value is given as {low} to {high} times the opening value; the payment "
        "ratio is the hospital's own.",
    ),
    "honest": (
        "预测由历史月份与本年已发生的病例推算，区间表示这些数据的波动；政策、目录或预算的改变不在其中。其他付费方式按预算列支。",
        "Computed from the months of the years before and the stays so far. The interval is the spread of these data; "
        "changes of policy, catalogue or budget are not in it. Other tracks are taken as spent as planned.",
    ),
    "done": ("已发生", "So far"),
    "expected": ("全年预计", "Expected"),
    "low": ("区间下限", "Lower end"),
    "high": ("区间上限", "Upper end"),
    "measure": ("指标", "Measure"),
    "hospital": ("医疗机构", "Hospital"),
    "pool": ("基金池", "Pool"),
    "all_pools": ("全部基金池", "All pools"),
    "region": ("全区", "Region"),
    "unit_yuan": ("金额单位：元", "amounts in yuan"),
    "m.cases": ("结算病例数", "Stays"),
    "m.points_e4": ("总分值", "Points"),
    "m.cmi_e4": ("病例组合指数(CMI)", "Case mix index"),
    "m.cost_fen": ("付费口径费用", "Cost priced by points"),
    "m.booked_fen": ("基金记账金额", "Booked fund amount"),
    "m.gross_fen": ("基金应付(考核前)", "Payable before assessment"),
    "m.payable_fen": ("基金应付", "Payable"),
    "m.balance_fen": ("结余(+)或超支(−)，分担前", "Surplus (+) or overrun (−) before sharing"),
    "m.shared_fen": ("结余留用与超支分担", "Sharing"),
    "m.final_fen": ("分担后应付", "Payable after sharing"),
    "m.result_fen": ("结余(+)或超支(−)，分担后", "Surplus (+) or overrun (−) after sharing"),
    "m.advance_fen": ("全年预付", "Advances of the year"),
    "m.clearing_fen": ("年度清算应拨", "Annual clearing"),
    "m.settlement_value_e4": ("结算点值", "Settlement point value"),
    "m.payment_ratio_e4": ("支付比例", "Payment ratio"),
    "values": ("点值", "Point values"),
    "values_note": (
        "点值 = 基金 ÷ 支付比例 ÷ 总分值，因此其区间来自全区分值与费用的波动。",
        "Value = fund / payment ratio / points, so its interval follows from the points and costs of the region.",
    ),
    "accounts": ("各项指标", "Measures"),
    "hospitals": ("各医疗机构", "Hospitals"),
    "months": ("各月病例、分值与到账", "Stays, points and cash by month"),
    "months_note": (
        "到账 = 周转金（年初）、预付与季度清算（各月）、年度清算与返还保证金（清算时）。",
        "Cash: working capital (start), advances and quarterly clearing (months), annual clearing and released "
        "deposit (close).",
    ),
    "month": ("月份", "Month"),
    "start": ("年初", "Start"),
    "close": ("清算", "Clearing"),
    "start_short": ("年初", "Jan 1"),
    "close_short": ("清算", "End"),
    "due": ("月度应付", "Due"),
    "advance": ("预付", "Advance"),
    "deposit": ("预留保证金", "Deposit"),
    "quarter": ("季度清算", "Quarterly clearing"),
    "cash": ("到账", "Cash"),
    "drivers": ("波动的来源", "What makes the spread"),
    "drivers_note": (
        "各因素占区间波动的比例，合计 100%；负数表示该因素抵消其他因素的波动。",
        "Shares of the spread that add up to 100 %; a negative one evens out the others.",
    ),
    "d.volume": ("病例数", "Stays"),
    "d.mix": ("例均分值", "Points of a stay"),
    "d.value": ("点值", "Point value"),
    "d.ratio": ("支付比例", "Payment ratio"),
    "d.rest": ("其他", "Other"),
    "of_value": ("点值", "Point value"),
    "of_amount": ("基金应付(考核前)", "Payable before assessment"),
    "coverage": ("回测：区间是否包含实际值", "Back-test: does the interval hold the truth"),
    "coverage_note": (
        "以 {as_of} 以前的病例预测全年，与全年实际结算比较；{level} 区间应包含约 {level} 的机构。",
        "The year forecast from the stays up to {as_of}, beside its real settlement; a {level} interval should hold "
        "the truth of about {level} of the hospitals.",
    ),
    "covered": ("包含实际值", "Truth inside"),
    "of_hospitals": ("机构数", "Hospitals"),
    "share": ("覆盖率", "Share"),
    "truth": ("实际", "Truth"),
    "inside_yes": ("是", "yes"),
    "inside_no": ("否", "no"),
    "chart_months": ("各月病例数", "Stays by month"),
    "chart_cash": ("各月到账", "Cash by month"),
    "chart_values": ("各基金池点值与区间", "Point value of each pool with its interval"),
    "chart_results": ("各机构分担后结余或超支", "Surplus or overrun after sharing, by hospital"),
    "axis_stays": ("例", "stays"),
    "legend_done": ("已发生", "so far"),
    "legend_expected": ("预计", "expected"),
    "legend_interval": ("区间", "interval"),
    "more_hospitals": (
        "仅列病例最多的 {n} 家，共 {all} 家，其余见 accounts.csv。",
        "The {n} hospitals with most stays of {all}; the others are in accounts.csv.",
    ),
    "files": ("文件", "files"),
}


class ForecastWords(Words):
    """The words of every page, and those of a forecast."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return said(TEXTS[key], self.style)[language(self.lang)].format(**values)
