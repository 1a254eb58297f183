"""The tables of a hospital's departments: names, types, units, titles. They are no part of a run."""

from __future__ import annotations

import polars as pl

from fenzhi.results import Column

# Causes of a balance, in the order in which they are worked out; they add up to it in every row.
CAUSES = (
    *("price", "coefficient", "deviation", "settlement"),
    *("length", "drugs", "consumables", "other_cost"),
)


def cause(name: str) -> str:
    """Return the column of a cause."""
    return f"by_{name}_fen"


def _c(name: str, dtype: pl.DataType, unit: str, zh: str, en: str) -> Column:
    return Column(name, dtype, unit, zh, en)


_I, _S = pl.Int64(), pl.String()
#: Sums of stays.
SUMS = (
    _c("cases", _I, "", "病例数", "stays"),
    _c("days", _I, "days", "住院天数合计", "days of all stays"),
    _c("cost_fen", _I, "fen", "付费口径费用", "cost priced by points"),
    _c("drug_fen", _I, "fen", "其中:药品", "of which drugs"),
    _c("consumable_fen", _I, "fen", "其中:耗材", "of which consumables"),
    _c("points_e4", _I, "e4", "分值", "points"),
    _c("booked_fen", _I, "fen", "基金记账金额", "booked fund amount"),
    _c("payable_fen", _I, "fen", "基金应付(考核前)", "fund amount before assessment"),
    _c(
        "income_fen",
        _I,
        "fen",
        "分值收入",
        "point income",
    ),
    _c("balance_fen", _I, "fen", "盈亏", "balance"),
)
#: What the balance is made of.
SPLIT = (
    _c("by_price_fen", _I, "fen", "病种价格", "by the price of the group"),
    _c("by_coefficient_fen", _I, "fen", "系数", "by coefficients"),
    _c("by_deviation_fen", _I, "fen", "费用偏差、特例与加成", "by deviation, review, add-ons"),
    _c("by_settlement_fen", _I, "fen", "支付比例等结算差", "by payment ratio and settlement"),
    _c("by_length_fen", _I, "fen", "住院天数", "by length of stay"),
    _c("by_drugs_fen", _I, "fen", "药品", "by drugs"),
    _c("by_consumables_fen", _I, "fen", "耗材", "by consumables"),
    _c("by_other_cost_fen", _I, "fen", "其他费用", "by all other cost"),
)
#: Stays whose record deserves another look; they are part of the sums, not of the split.
CODING = (
    _c("flagged_cases", _I, "", "清单待核对病例数", "stays with a record to look at again"),
    _c("flagged_balance_fen", _I, "fen", "其中:待核对病例盈亏", "balance of these stays"),
)
_DEPARTMENT = _c("dscg_caty", _S, "", "出院科别", "department of discharge")
_DOCTOR = _c("doctor", _S, "", "主诊医师(代号)", "attending doctor (pseudonym)")
_GROUP = (
    _c("group_id", _S, "", "病种编码", "group"),
    _c("name", _S, "", "病种名称", "name"),
    _c("outcome", _S, "", "去向", "outcome"),
)
QUOTA = (
    _c("quota_fen", _I, "fen", "科室定额(例均)", "quota of the department, a stay"),
    _c("quota_source", _S, "", "定额来源", "where the quota is from"),
    _c("over_quota_fen", _I, "fen", "费用减定额", "cost minus quota, all stays"),
    _c("above_quota_cases", _I, "", "超定额倍数病例数", "stays above the multiple of the quota"),
    _c("below_cases", _I, "", "低费用病例数", "stays below the amount"),
)
DEPARTMENT_TABLES: dict[str, tuple[Column, ...]] = {
    "departments": (_DEPARTMENT, *SUMS, *SPLIT, *CODING, *QUOTA),
    "groups": (_DEPARTMENT, *_GROUP, *SUMS, *SPLIT, *CODING),
    "doctors": (_DEPARTMENT, _DOCTOR, *SUMS, *SPLIT, *CODING),
    "watch": (
        _c("list", _S, "", "名单", "list"),
        _c("setl_id", _S, "", "结算ID", "settlement id"),
        _DEPARTMENT,
        _DOCTOR,
        *_GROUP[:2],
        _c("act_ipt_days", pl.Int32(), "days", "住院天数", "length of stay"),
        _c("cost_fen", _I, "fen", "付费口径费用", "cost priced by points"),
        _c("quota_fen", _I, "fen", "科室定额(例均)", "quota of the department, a stay"),
        _c("multiple_e4", _I, "e4", "费用为定额的倍数", "cost as a multiple of the quota"),
        _c("points_e4", _I, "e4", "分值", "points"),
        _c("payable_fen", _I, "fen", "基金应付(考核前)", "fund amount before assessment"),
        _c("balance_fen", _I, "fen", "盈亏", "balance"),
    ),
}


def shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return a frame with exactly the columns and types of a table."""
    return frame.select(pl.col(c.name).cast(c.dtype) for c in DEPARTMENT_TABLES[table])
