"""The result tables of a run: names, types, units and titles, in one place.

The pipeline writes exactly these columns, the reports read them, and the reference in ``docs/`` is made
from them. Names follow the national result records 3606 / 3605 where those have one.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.errors import ConservationError


@dataclass(frozen=True)
class Column:
    """One column: name, polars type, unit (``fen``, ``e4``, ``days``, ``share`` or empty), titles."""

    name: str
    dtype: pl.DataType
    unit: str
    zh: str
    en: str


def _c(name: str, dtype: type[pl.DataType] | pl.DataType, zh: str, en: str, unit: str = "") -> Column:
    if not unit:
        unit = (
            "fen"
            if name.endswith("_fen")
            else "e4"
            if name.endswith("_e4")
            else "days"
            if name.endswith("_days")
            else ""
        )
    return Column(name, dtype() if isinstance(dtype, type) else dtype, unit, zh, en)


# Which rules a row follows, where they change within the year.
RULES = (
    _c("policy", pl.String, "规则包", "policy pack"),
    _c("catalog", pl.String, "病种目录", "catalogue"),
)

CASES = (
    _c("setl_id", pl.String, "结算ID", "settlement id"),
    _c("source_file", pl.String, "来源文件", "source file"),
    _c("source_row", pl.Int64, "来源行", "source row"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("insutype", pl.String, "险种", "insurance kind"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("month", pl.Int8, "出院月份", "month of discharge"),
    _c("outcome", pl.String, "去向", "outcome"),
    _c("scheme", pl.String, "付费方式", "scheme"),
    *RULES,
    _c("layer", pl.String, "成组层次", "layer"),
    _c("group_id", pl.String, "病种编码", "group"),
    _c("mdc", pl.String, "主要诊断大类(MDC)", "major diagnostic category"),
    _c("adrg", pl.String, "核心疾病诊断相关组(ADRG)", "adjacent DRG"),
    _c("status", pl.String, "入组状态", "status"),
    _c("reason", pl.String, "原因", "reason"),
    _c("dscg_caty", pl.String, "出院科别", "department of discharge"),
    _c("track", pl.String, "其他付费方式", "other track"),
    _c("track_why", pl.String, "适用条件", "what put it on the track"),
    _c("track_fen", pl.Int64, "其他付费方式基金支付", "paid by the track before the close"),
    _c("act_ipt_days", pl.Int32, "住院天数", "length of stay", "days"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost priced by points"),
    _c("medfee_sumamt_fen", pl.Int64, "医疗费总额", "total cost"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("rw_e4", pl.Int64, "病种分值(RW)", "weight"),
    _c("coefficient_e4", pl.Int64, "机构调节系数", "institution coefficient"),
    _c("auxiliary_family", pl.String, "辅助分型", "auxiliary family"),
    _c("auxiliary_level", pl.String, "辅助分型等级", "auxiliary level"),
    _c("auxiliary_e4", pl.Int64, "辅助分型系数", "auxiliary coefficient"),
    _c("points_base_e4", pl.Int64, "偏差前分值", "points before deviation"),
    _c("auxiliary_points_e4", pl.Int64, "其中:辅助分型增减分值", "of which by auxiliary types"),
    _c("deviation", pl.String, "费用偏差类型", "deviation band"),
    _c("reference_fen", pl.Int64, "偏差参照费用", "reference of the deviation test"),
    _c("readmitted_days", pl.Int32, "距上次同组出院天数", "days since the stay before in the group"),
    _c("add_ons", pl.String, "加成项目", "add-ons earned"),
    _c("add_on_e4", pl.Int64, "加成分值", "points of add-ons, inside points"),
    _c("before_review_e4", pl.Int64, "特例单议前分值", "points before special review"),
    _c("review", pl.String, "特例单议结果", "outcome of special review"),
    _c("points_e4", pl.Int64, "结算分值", "points"),
    _c("fixed_points_e4", pl.Int64, "其中:固定点值分值", "of which at the opening value"),
    _c("point_value_e4", pl.Int64, "结算点值", "settlement point value"),
    _c("standard_fen", pl.Int64, "支付标准", "payment standard"),
    _c("direct_fen", pl.Int64, "基金直接支付", "paid directly by the fund"),
    _c("payable_fen", pl.Int64, "基金应付", "fund amount payable"),
)

GROUPS = (
    _c("group_id", pl.String, "病种编码", "group"),
    _c("name", pl.String, "病种名称", "name"),
    _c("layer", pl.String, "成组层次", "layer"),
    _c("grassroots", pl.Boolean, "基层病种", "grassroots group"),
    _c("history_cases", pl.Int64, "历史病例数", "stays in history"),
    _c("mean_cost_fen", pl.Int64, "历史例均费用", "mean cost in history"),
    _c("cv", pl.Float64, "变异系数", "coefficient of variation"),
    _c("trimmed_cases", pl.Int64, "裁剪病例数", "trimmed stays"),
    _c("stable", pl.Boolean, "稳定病组", "stable group"),
    _c("rw_e4", pl.Int64, "病种分值(RW)", "weight"),
    _c("cases", pl.Int64, "本年病例数", "stays of the year"),
    _c("cost_fen", pl.Int64, "本年费用", "cost of the year"),
    _c("points_e4", pl.Int64, "本年分值", "points of the year"),
    _c("payable_fen", pl.Int64, "基金应付", "fund amount payable"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    *RULES,
)

HOSPITALS = (
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("fixmedins_name", pl.String, "医疗机构名称", "hospital"),
    _c("level", pl.String, "级别", "level"),
    _c("type", pl.String, "类别", "type"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("coefficient_e4", pl.Int64, "机构调节系数", "institution coefficient"),
    _c("cases", pl.Int64, "结算病例数", "stays paid by points"),
    _c("grouped_cases", pl.Int64, "核心病种病例数", "stays in core groups"),
    _c("comprehensive_cases", pl.Int64, "综合病种病例数", "stays in comprehensive groups"),
    _c("ungrouped_cases", pl.Int64, "未入组病例数", "ungrouped stays"),
    _c("bed_day_cases", pl.Int64, "床日病例数", "bed-day stays"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost priced by points"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("points_core_e4", pl.Int64, "核心病种分值", "points of core groups"),
    _c("points_comprehensive_e4", pl.Int64, "综合病种分值", "points of comprehensive groups"),
    _c("points_grassroots_e4", pl.Int64, "基层病种分值", "points of grassroots groups"),
    _c("points_tcm_e4", pl.Int64, "中医优势病种分值", "points of TCM-advantage groups"),
    _c("points_ungrouped_e4", pl.Int64, "未入组分值", "points of ungrouped stays"),
    _c("points_bed_day_e4", pl.Int64, "床日分值", "points of bed-day stays"),
    _c("points_e4", pl.Int64, "总分值", "points"),
    _c("fixed_points_e4", pl.Int64, "其中:固定点值分值", "of which at the opening value"),
    _c("add_on_e4", pl.Int64, "其中:加成分值", "of which add-ons"),
    _c("auxiliary_points_e4", pl.Int64, "其中:辅助分型增减分值", "of which by auxiliary types"),
    _c("points_review_e4", pl.Int64, "其中:特例单议分值", "of which by special review"),
    _c("cmi_e4", pl.Int64, "病例组合指数(CMI)", "case mix index"),
    _c("point_value_e4", pl.Int64, "结算点值", "settlement point value"),
    _c("direct_cases", pl.Int64, "直接支付病例数", "stays paid directly"),
    _c("direct_fen", pl.Int64, "基金直接支付", "paid directly by the fund"),
    _c("others_fen", pl.Int64, "按分值病例其他支付", "paid by others for stays priced by points"),
    _c("gross_fen", pl.Int64, "基金应付(考核前)", "payable before assessment"),
    _c("assessment_e4", pl.Int64, "考核系数", "assessment coefficient"),
    _c("assessed_fen", pl.Int64, "考核扣减", "withheld by assessment"),
    _c("deduction_fen", pl.Int64, "审核扣款", "deductions"),
    _c("violation_fen", pl.Int64, "其中:违规金额", "of which violations"),
    _c("fine_fen", pl.Int64, "其中:罚款", "of which fines"),
    _c("next_year_fen", pl.Int64, "下年再扣违规金额", "violations to be deducted again next year"),
    _c("payable_fen", pl.Int64, "基金应付", "payable"),
    _c("balance_fen", pl.Int64, "与记账差额", "payable minus booked"),
    _c("shared_fen", pl.Int64, "结余留用与超支分担", "sharing of surplus and overrun"),
    _c("short_fen", pl.Int64, "储备不足未分担", "overrun that the reserve could not bear"),
    _c("final_fen", pl.Int64, "分担后应付", "payable after sharing"),
    _c("working_capital_fen", pl.Int64, "周转金", "working capital"),
    _c("advance_fen", pl.Int64, "已预付", "advances paid"),
    _c("quarter_fen", pl.Int64, "季度清算已拨", "paid by quarterly clearing"),
    _c("deposit_fen", pl.Int64, "质量保证金", "quality deposit withheld"),
    _c("released_fen", pl.Int64, "返还保证金", "deposit released"),
    _c("forfeited_fen", pl.Int64, "不予返还保证金", "deposit not released"),
    _c("clearing_fen", pl.Int64, "年度清算应拨", "annual clearing"),
)

MONTHS = (
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("month", pl.Int8, "月份", "month"),
    _c("cases", pl.Int64, "结算病例数", "stays"),
    _c("points_e4", pl.Int64, "分值", "points"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("point_value_e4", pl.Int64, "年初点值", "opening point value"),
    _c("direct_fen", pl.Int64, "基金直接支付", "paid directly by the fund"),
    _c("due_fen", pl.Int64, "月度应付", "due at the opening value"),
    _c("deduction_fen", pl.Int64, "当月审核扣款", "deductions of the month"),
    _c("advance_fen", pl.Int64, "当月预付", "advance paid"),
    _c("deposit_fen", pl.Int64, "当月预留保证金", "quality deposit withheld"),
    _c("quarter_fen", pl.Int64, "季度清算", "quarterly clearing"),
)

POOLS = (
    _c("pool", pl.String, "基金池", "pool"),
    _c("title", pl.String, "名称", "title"),
    _c("cases", pl.Int64, "结算病例数", "stays paid by points"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost priced by points"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("points_e4", pl.Int64, "总分值", "points"),
    _c("fixed_points_e4", pl.Int64, "其中:固定点值分值", "of which at the opening value"),
    _c("income_fen", pl.Int64, "预算收入", "budget"),
    _c("carved_out_fen", pl.Int64, "预算扣除", "carved out before the by-disease total"),
    _c(
        "reserve_fen", pl.Int64, "风险金与调节金", "to the reserve: risk reserve, adjustment, above the total"
    ),
    _c("outside_care_fen", pl.Int64, "医共体外出就医转入", "handed over for care outside communities"),
    _c("fund_fen", pl.Int64, "按病种付费基金", "by-disease fund"),
    _c("payment_ratio_e4", pl.Int64, "支付比例", "payment ratio"),
    _c("direct_cases", pl.Int64, "直接支付病例数", "stays paid directly"),
    _c("direct_fen", pl.Int64, "基金直接支付", "paid directly by the fund"),
    _c("others_fen", pl.Int64, "按分值病例其他支付", "paid by others for stays priced by points"),
    _c("opening_value_e4", pl.Int64, "年初点值", "opening point value"),
    _c("settlement_value_e4", pl.Int64, "结算点值", "settlement point value"),
    _c("value_limit", pl.String, "点值限制", "what limits the point value"),
    _c("gross_fen", pl.Int64, "基金应付(考核前)", "payable before assessment"),
    _c("payable_fen", pl.Int64, "基金应付", "payable"),
    _c("residual_fen", pl.Int64, "尾差", "what point values leave or lack"),
    _c("tracks_left_fen", pl.Int64, "其他付费方式结余转入储备", "left by other tracks, moved to the reserve"),
    _c("returned_fen", pl.Int64, "考核与扣款转入储备", "withheld, moved to the reserve"),
    _c("shared_fen", pl.Int64, "结余留用与超支分担", "sharing of surplus and overrun"),
    _c("short_fen", pl.Int64, "储备不足未分担", "overrun that the reserve could not bear"),
    _c("final_fen", pl.Int64, "分担后应付", "payable after sharing"),
    _c("clearing_fen", pl.Int64, "年度清算应拨", "annual clearing"),
    _c("reserve_left_fen", pl.Int64, "储备余额", "left in the reserve"),
)

BUDGET = (
    _c("pool", pl.String, "基金池", "pool"),
    _c("order", pl.Int64, "顺序", "order"),
    _c("line", pl.String, "项目", "line"),
    _c("kind", pl.String, "性质", "kind"),
    _c("title", pl.String, "名称", "title"),
    _c("planned_fen", pl.Int64, "年初预算", "planned"),
    _c("changed_fen", pl.Int64, "年中调整", "changed within the year"),
    _c("amount_fen", pl.Int64, "调整后预算", "amount after changes"),
    _c("left_fen", pl.Int64, "余额", "left after this line"),
    _c("share", pl.Float64, "占收入比例", "share of the income", "share"),
    _c("track", pl.String, "付费方式", "track that it funds"),
    _c("cite", pl.String, "依据", "source"),
)

LEDGER = (
    _c("entry", pl.Int64, "序号", "entry"),
    _c("period", pl.String, "期间", "period"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("debit", pl.String, "借方", "debit account"),
    _c("credit", pl.String, "贷方", "credit account"),
    _c("amount_fen", pl.Int64, "金额", "amount"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("kind", pl.String, "事项", "kind of movement"),
    _c("cite", pl.String, "依据", "source"),
)

REJECTED = (
    _c("setl_id", pl.String, "结算ID", "settlement id"),
    _c("source_file", pl.String, "来源文件", "source file"),
    _c("source_row", pl.Int64, "来源行", "source row"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("rule", pl.String, "规则", "rule"),
    _c("severity", pl.String, "级别", "severity"),
    _c("field", pl.String, "字段", "field"),
    _c("value", pl.String, "值", "value"),
    _c("message", pl.String, "说明", "message"),
)

MONITORING = (
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("cases", pl.Int64, "病例数", "stays"),
    _c("grouping_rate", pl.Float64, "入组率", "grouping rate", "share"),
    _c("core_share", pl.Float64, "核心病种占比", "share in core groups", "share"),
    _c("low_share", pl.Float64, "费用过低占比", "share of low-cost stays", "share"),
    _c("high_share", pl.Float64, "费用过高占比", "share of high-cost stays", "share"),
    _c("cmi", pl.Float64, "病例组合指数(CMI)", "case mix index"),
    _c("time_index", pl.Float64, "时间消耗指数", "time index"),
    _c("cost_index", pl.Float64, "费用消耗指数", "cost index"),
)

COEFFICIENTS = (
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("group_id", pl.String, "病种编码", "group"),
    _c("cases", pl.Int64, "本机构病例数", "stays of the hospital"),
    _c("cost_fen", pl.Int64, "本机构费用", "cost of the hospital"),
    _c("region_cases", pl.Int64, "全区病例数", "stays of the region"),
    _c("region_cost_fen", pl.Int64, "全区费用", "cost of the region"),
    _c("coefficient_e4", pl.Int64, "成本系数", "cost coefficient"),
    *RULES,
)

CLASS_COEFFICIENTS = (
    _c("class", pl.String, "机构类别", "class of hospitals"),
    _c("group_id", pl.String, "病种编码", "group"),
    _c("cases", pl.Int64, "本类别病例数", "stays of the class"),
    _c("mean_fen", pl.Int64, "本类别例均费用", "mean cost of the class"),
    _c("region_mean_fen", pl.Int64, "全区例均费用", "mean cost of the region"),
    _c("reason", pl.String, "不单设系数的原因", "why the class's coefficient of all groups holds"),
    _c("coefficient_e4", pl.Int64, "病种系数", "coefficient of the class in the group"),
    *RULES,
)

AUXILIARY = (
    _c("group_id", pl.String, "病种编码", "group"),
    _c("family", pl.String, "辅助分型", "auxiliary family"),
    _c("level", pl.String, "辅助分型等级", "auxiliary level"),
    _c("los_from_days", pl.Int32, "住院天数下限", "only stays of at least"),
    _c("los_upto_days", pl.Int32, "住院天数上限", "only stays of at most"),
    _c("cases", pl.Int64, "历史病例数(裁剪后)", "kept stays in history"),
    _c("mean_cost_fen", pl.Int64, "历史例均费用", "mean cost in history"),
    _c("year_costs", pl.String, "各年费用(分)/病例数", "cost in fen / stays of each year"),
    _c("cv", pl.Float64, "分型前变异系数", "coefficient of variation before"),
    _c("cv_after", pl.Float64, "分型后变异系数", "coefficient of variation inside levels"),
    _c("coefficient_e4", pl.Int64, "辅助分型系数", "auxiliary coefficient"),
    _c("status", pl.String, "结论", "what became of it"),
    *RULES,
)

APPLICATIONS = (
    _c("setl_id", pl.String, "结算ID", "settlement id"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("level", pl.String, "级别", "level"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("unit", pl.String, "名额范围", "unit of the quota"),
    _c("applied_at", pl.String, "申请日期", "day of application"),
    _c("reason", pl.String, "申请理由", "reason given"),
    _c("met", pl.String, "符合的条件", "criteria that hold"),
    _c("eligible", pl.Boolean, "符合条件", "eligible"),
    _c("act_ipt_days", pl.Int32, "住院天数", "length of stay", "days"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost priced by points"),
    _c("compared_fen", pl.Int64, "比较标准", "what the cost is compared with"),
    _c("cost_multiple_e4", pl.Int64, "费用倍数", "cost as a multiple of it"),
    _c("over_fen", pl.Int64, "超出金额", "cost above it"),
    _c("coefficient_e4", pl.Int64, "机构调节系数", "institution coefficient"),
    _c("opening_value_e4", pl.Int64, "年初点值", "opening point value"),
    _c("quota", pl.Int64, "名额", "quota"),
    _c("rank", pl.Int64, "排序", "rank"),
    _c("state", pl.String, "状态", "state"),
    _c("review", pl.String, "特例单议结果", "outcome of special review"),
    _c("decided_by", pl.String, "决定人", "decided by"),
    _c("decided_at", pl.String, "决定日期", "day of decision"),
    _c("why", pl.String, "理由", "why"),
)

REVIEW = (
    _c("unit", pl.String, "名额范围", "unit of the quota"),
    _c("discharges", pl.Int64, "出院病例数", "discharges"),
    _c("quota", pl.Int64, "名额", "quota"),
    _c("applications", pl.Int64, "申请数", "applications"),
    _c("eligible", pl.Int64, "符合条件数", "eligible"),
    _c("over_quota", pl.Int64, "超名额数", "over the quota"),
    _c("pending", pl.Int64, "待评议数", "waiting for a decision"),
    _c("approved", pl.Int64, "通过数", "approved"),
    _c("refused", pl.Int64, "未通过数", "refused"),
    _c("share", pl.Float64, "通过占出院病例比例", "approved, share of discharges", "share"),
    _c("review_fen", pl.Int64, "特例单议基金支付", "fund amount of approved stays"),
    _c("fund_share", pl.Float64, "占基金支付比例", "share of the fund amount", "share"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "cases": CASES,
    "groups": GROUPS,
    "hospitals": HOSPITALS,
    "months": MONTHS,
    "pools": POOLS,
    "budget": BUDGET,
    "ledger": LEDGER,
    "rejected": REJECTED,
    "monitoring": MONITORING,
}

VALUES = (
    _c("pool", pl.String, "基金池", "pool"),
    _c("period", pl.Int8, "期次(从0起)", "period of the year, from 0"),
    _c("cases", pl.Int64, "结算病例数", "stays paid by points"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("points_e4", pl.Int64, "总分值", "points"),
    _c("fixed_points_e4", pl.Int64, "其中:固定点值分值", "of which at the opening value"),
    _c("fund_fen", pl.Int64, "按病种付费基金", "part of the by-disease fund"),
    _c("direct_fen", pl.Int64, "基金直接支付", "paid directly by the fund"),
    _c("others_fen", pl.Int64, "按分值病例其他支付", "paid by others for stays priced by points"),
    _c("opening_value_e4", pl.Int64, "年初点值", "opening point value"),
    _c("settlement_value_e4", pl.Int64, "结算点值", "settlement point value"),
    _c("value_limit", pl.String, "点值限制", "what limits the point value"),
    _c("fixed_fen", pl.Int64, "固定点值部分", "fund amount of the points at the opening value"),
    _c("floating_fen", pl.Int64, "浮动点值部分", "fund amount of the other points"),
)

TCM_STAYS = (
    _c("setl_id", pl.String, "结算ID", "settlement id"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("pool", pl.String, "基金池", "pool"),
    _c("group_id", pl.String, "中医优势病种编码", "TCM-advantage group"),
    _c("normal_group_id", pl.String, "常规病种编码", "normal group"),
    _c("entered", pl.Boolean, "是否入组", "entered the group"),
    _c("failed", pl.String, "未满足的条件", "conditions that fail"),
    _c("act_ipt_days", pl.Int32, "住院天数", "length of stay", "days"),
    _c("classes", pl.Int32, "中医操作类别数", "classes of the group's operations"),
    _c("operations", pl.Int32, "中医操作数", "operations of these classes"),
    _c("tcm_fee_fen", pl.Int64, "中医费用", "fees of Chinese medicine"),
    _c("all_fee_fen", pl.Int64, "中西医费用合计", "fees of Chinese and western medicine"),
    _c("ratio_e4", pl.Int64, "中治率(截断)", "TCM treatment ratio, cut off"),
)

_SIDES = (("before", "前", "before"), ("after", "后", "after"))


def _both(stem: str, unit: str, zh: str, en: str) -> tuple[Column, ...]:
    """Return a figure of an earlier and of a later run: ``points_before_e4``, ``points_after_e4``."""
    return tuple(_c(f"{stem}_{when}{unit}", pl.Int64, f"{zh}({z})", f"{en} {e}") for when, z, e in _SIDES)


#: What an amount is made of, in an earlier and in a later run (rules.md, 7).
MEASURED = (
    *_both("stays", "", "按分值病例数", "stays that points pay,"),
    *_both("weight", "_e4", "病种分值合计", "weights,"),
    *_both("base", "_e4", "偏差前分值", "points before deviation,"),
    *_both("points", "_e4", "结算分值", "points,"),
    *_both("priced", "_fen", "分值对应金额", "what the points are paid,"),
    *_both("patients", "_fen", "其中患者等支付", "of which paid by others,"),
    *_both("direct", "_fen", "基金直接支付", "paid directly,"),
)
DIFFERENCE = (
    _c("before_fen", pl.Int64, "前次金额", "amount before"),
    _c("after_fen", pl.Int64, "本次金额", "amount after"),
    _c("difference_fen", pl.Int64, "差额", "difference"),
)
#: Causes of the difference of a stay, or of stays added up.
STAY_CAUSES = (
    _c("by_volume_fen", pl.Int64, "病例数变化", "by the number of stays"),
    _c("by_case_mix_fen", pl.Int64, "病例组合变化", "by case mix (weights)"),
    _c("by_coefficient_fen", pl.Int64, "系数变化", "by coefficients"),
    _c("by_deviation_fen", pl.Int64, "偏差与加成变化", "by deviation, review, add-ons"),
    _c("by_price_fen", pl.Int64, "点值与支付比例变化", "by the price of points"),
    _c("by_patients_fen", pl.Int64, "患者等支付变化", "by what others paid"),
    _c("by_direct_fen", pl.Int64, "直接支付变化", "by direct payment"),
)
_ACCOUNT = (
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("fixmedins_name", pl.String, "医疗机构名称", "hospital"),
    _c("level", pl.String, "级别", "level"),
    _c("type", pl.String, "类别", "type"),
    _c("pool", pl.String, "基金池", "pool"),
)
#: The split of a hospital's final amount.
ACCOUNT_SPLIT = (
    *MEASURED,
    *DIFFERENCE,
    *STAY_CAUSES,
    _c("by_assessment_fen", pl.Int64, "考核变化", "by assessment"),
    _c("by_deduction_fen", pl.Int64, "审核扣款变化", "by deductions"),
    _c("by_sharing_fen", pl.Int64, "分担留用等变化", "by sharing and all else"),
)
RESTATEMENT = (
    *_ACCOUNT,
    _c("stays_added", pl.Int64, "新增病例数", "stays added"),
    _c("stays_removed", pl.Int64, "减少病例数", "stays removed"),
    _c("stays_changed", pl.Int64, "变更病例数", "stays changed"),
    *ACCOUNT_SPLIT,
    *_both("clearing", "_fen", "年度清算应拨", "annual clearing"),
    _c("clearing_difference_fen", pl.Int64, "尚应补拨或退回", "still to be paid or taken back"),
)
CHANGES = (*_ACCOUNT, *ACCOUNT_SPLIT)

TRACKS = (
    _c("pool", pl.String, "基金池", "pool"),
    _c("track", pl.String, "付费方式编码", "track"),
    _c("kind", pl.String, "付费类型", "kind of payment"),
    _c("title", pl.String, "付费方式", "title"),
    _c("line", pl.String, "预算项目", "budget line"),
    _c("fixmedins_code", pl.String, "医疗机构编码", "hospital code"),
    _c("cases", pl.Int64, "病例数", "stays"),
    _c("units", pl.Int64, "计费数量", "days, stays, heads or rows that are paid"),
    _c("cost_fen", pl.Int64, "付费口径费用", "cost"),
    _c("booked_fen", pl.Int64, "基金记账金额", "booked fund amount"),
    _c("standard_fen", pl.Int64, "付费标准", "standard"),
    _c("fund_fen", pl.Int64, "基金支付(清算前)", "paid before the close"),
    _c("patient_fen", pl.Int64, "个人及其他支付", "borne by patients and others"),
    _c("adjustment_fen", pl.Int64, "结余留用或超支分担", "surplus kept or overrun shared"),
    _c("payable_fen", pl.Int64, "基金应付", "fund amount payable"),
    _c("why", pl.String, "说明", "why"),
)

TRACK_LINES = (
    _c("pool", pl.String, "基金池", "pool"),
    _c("line", pl.String, "预算项目", "budget line"),
    _c("tracks", pl.String, "付费方式", "tracks"),
    _c("line_fen", pl.Int64, "预算金额", "amount of the line"),
    _c("paid_fen", pl.Int64, "支付医疗机构", "paid to hospitals"),
    _c("outside_care_fen", pl.Int64, "外出就医转按病种付费基金", "care outside, to the by-disease fund"),
    _c("left_fen", pl.Int64, "结余转入(不足由)风险储备", "left, to the reserve; negative: from it"),
)

# Tables that only some policies or runs make.
FURTHER: dict[str, tuple[Column, ...]] = {
    "coefficients": COEFFICIENTS,
    "class_coefficients": CLASS_COEFFICIENTS,
    "auxiliary": AUXILIARY,
    "values": VALUES,
    "tcm": TCM_STAYS,
    "applications": APPLICATIONS,
    "review": REVIEW,
    "restatement": RESTATEMENT,
    "changes": CHANGES,
    "tracks": TRACKS,
    "track_lines": TRACK_LINES,
}


def columns_of(table: str) -> tuple[Column, ...]:
    """Return the columns of a result table, also of one that only some policies make."""
    return TABLES[table] if table in TABLES else FURTHER[table]


def shape(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return ``frame`` with exactly the columns and types of a result table, missing ones as null."""
    columns = columns_of(table)
    extra = set(frame.columns) - {column.name for column in columns}
    if extra:
        raise ConservationError(f"table {table} has columns that results.py does not know: {sorted(extra)}")
    have = set(frame.columns)
    return frame.select(
        (pl.col(c.name).cast(c.dtype) if c.name in have else pl.lit(None, c.dtype).alias(c.name))
        for c in columns
    )
