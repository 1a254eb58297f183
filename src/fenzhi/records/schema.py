"""The columns of a stay as data: name, kind, unit, title, and what a reading needs.

Names follow the national interface (XJ-K01-2021) where it has one. The accepted frame is the contract
*Stays* of docs/architecture.md: money columns of the source become ``<name>_fen``, durations become hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

Kind = Literal["text", "int", "floor", "date", "money", "list", "money_list", "duration"]
Needs = Literal["all", "weights", "grouping"]

INT_TYPES = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


@dataclass(frozen=True)
class StayColumn:
    """One column that a source may have.

    ``kind``: text, int (whole number), floor (number, decimals cut), date, money (yuan, two decimals),
    list (codes), money_list, duration (``days/hours/minutes`` or hours). ``name`` is the source's name, ``out`` the
    accepted frame's, of type ``dtype``. ``filled``: there in the accepted frame even if the source lacks it.
    ``needs``: the narrowest reading that reads it.
    """

    name: str
    kind: Kind
    out: str
    dtype: pl.DataType
    unit: str
    zh: str
    en: str
    needs: Needs = "all"
    filled: bool = False


def _text(name: str, zh: str, en: str, needs: Needs = "all", filled: bool = False) -> StayColumn:
    return StayColumn(name, "text", name, pl.String(), "", zh, en, needs, filled)


def _whole(name: str, dtype: pl.DataType, zh: str, en: str, unit: str = "", kind: Kind = "int") -> StayColumn:
    return StayColumn(name, kind, name, dtype, unit, zh, en, "grouping", True)


def _date(name: str, zh: str, en: str) -> StayColumn:
    return StayColumn(name, "date", name, pl.Datetime("us"), "local time", zh, en, "grouping", True)


def _codes(name: str, zh: str, en: str) -> StayColumn:
    return StayColumn(name, "list", name, pl.List(pl.String()), "", zh, en, "grouping", True)


def _money(name: str, zh: str, en: str, needs: Needs = "all", filled: bool = False) -> StayColumn:
    return StayColumn(name, "money", f"{name}_fen", pl.Int64(), "fen", zh, en, needs, filled)


STAY_COLUMNS: tuple[StayColumn, ...] = (
    _text("setl_id", "结算ID", "settlement id", "grouping", True),
    _text("psn_no", "人员编号", "person number"),
    _text("fixmedins_code", "医疗机构编码", "hospital code", "grouping", True),
    _text("fixmedins_name", "医疗机构名称", "hospital"),
    _text("insutype", "险种", "insurance kind", "weights", True),
    _text("insu_admdvs", "参保地", "insured area", "weights", True),
    _whole("gend", pl.Int8(), "性别", "sex"),
    _whole("age", pl.Int16(), "年龄", "age", "years", "floor"),
    _whole("nwb_age", pl.Int32(), "新生儿日龄", "age of an infant", "days", "floor"),
    _whole("nwb_bir_wt", pl.Int32(), "新生儿出生体重", "birth weight", "g", "floor"),
    _whole("nwb_adm_wt", pl.Int32(), "新生儿入院体重", "weight at admission", "g", "floor"),
    _date("adm_time", "入院时间", "admission"),
    _date("dscg_time", "出院时间", "discharge"),
    _whole("act_ipt_days", pl.Int32(), "住院天数", "length of stay", "days"),
    _whole("dscg_way", pl.Int8(), "离院方式", "way of discharge"),
    _text("med_type", "医疗类别", "kind of stay", "grouping", True),
    _text("trt_type", "治疗类别", "western or Chinese medicine", "grouping"),
    _text("adm_caty", "入院科别", "department of admission"),
    _text("dscg_caty", "出院科别", "department of discharge", "grouping"),
    _text("chfpdr_code", "主诊医师代码", "code of the attending doctor"),
    _codes("diag_codes", "诊断编码(主要诊断在前)", "diagnoses, principal first"),
    _codes("oprn_codes", "手术操作编码(主要手术在前)", "operations, main first"),
    _codes("tcm_diag_codes", "中医诊断编码", "diagnoses of Chinese medicine"),
    StayColumn(
        "oprn_fees",
        "money_list",
        "oprn_fees_fen",
        pl.List(pl.Int64()),
        "fen",
        "各手术费用",
        "cost of each operation",
    ),
    StayColumn(
        "vent_used_dura",
        "duration",
        "vent_hours",
        pl.Float64(),
        "hours",
        "呼吸机使用时长",
        "ventilation",
        "grouping",
    ),
    StayColumn(
        "scs_cutd_sum_dura",
        "duration",
        "icu_hours",
        pl.Float64(),
        "hours",
        "重症监护时长",
        "intensive care",
        "grouping",
    ),
    _money("medfee_sumamt", "医疗费总额", "total cost", "grouping", True),
    _money("inscp_amt", "政策范围内费用", "cost in scope"),
    _money("hifp_pay", "基本医保统筹基金支付", "pooled fund", "weights", True),
    _money("fund_pay_sumamt", "基金支付总额", "all funds", "weights", True),
    _money("psn_pay_sumamt", "个人支付总额", "paid by the patient", "all", True),
    _money("psn_selfpay", "个人自付", "patient, in scope"),
    _money("psn_ownpay", "个人自费", "patient, out of scope"),
    _money("preselfpay_amt", "先行自付", "paid by the patient first"),
    _money("overlmt_selfpay", "超限价自付", "above the price limit"),
    _money("fulamt_ownpay_amt", "全自费", "wholly own cost"),
    _money("acct_pay", "个人账户支出", "personal account"),
    _money("psn_cashpay", "个人现金支出", "cash"),
    _money("cvlserv_pay", "公务员医疗补助", "civil servants' supplement"),
    _money("hifes_pay", "企业补充医疗保险", "enterprise supplement"),
    _money("hifmi_pay", "居民大病保险", "serious-illness insurance"),
    _money("hifob_pay", "职工大额医疗费用补助", "large-cost supplement"),
    _money("maf_pay", "医疗救助", "medical aid"),
    _money("othfund_pay", "其他基金支付", "other funds"),
    _money("hosp_part_amt", "医院负担", "borne by the hospital"),
    _money("excl_pay_sumamt", "除外支付", "items paid apart", "weights", True),
    _money("drug_fee", "西药费", "western drugs"),
    _money("matl_fee", "耗材费", "consumables"),
    _money("exam_fee", "检查费", "examinations"),
    _money("treat_fee", "治疗费", "treatment"),
    _money("oprn_fee", "手术费", "operations"),
    _money("tcm_treat_fee", "中医治疗费", "treatment of Chinese medicine"),
    _money("tcmpat_fee", "中成药费", "Chinese patent drugs"),
    _money("tcmherb_fee", "中药饮片费", "herbal pieces"),
    _money("oth_fee", "其他费用", "all other items"),
)

BY_NAME: dict[str, StayColumn] = {column.name: column for column in STAY_COLUMNS}
FEE_COLUMNS = tuple(c.out for c in STAY_COLUMNS if c.name.endswith("_fee"))

# Other names of the same thing, from other transactions and from the agencies' own tables.
SYNONYMS: dict[str, str] = {
    "insuplc": "insu_admdvs",
    "hi_type": "insutype",
    "hifp_payamt": "hifp_pay",
    "acct_payamt": "acct_pay",
    "cash_payamt": "psn_cashpay",
    "psn_cash_pay": "psn_cashpay",
    "psn_part_amt": "psn_pay_sumamt",
    "oth_pay": "othfund_pay",
    "ipt_days": "act_ipt_days",
    "icu_hours": "scs_cutd_sum_dura",
    "vent_hours": "vent_used_dura",
    "ipt_med_type": "med_type",
}

# What must be there for a reading; the diagnoses may come in any of the three shapes.
REQUIRED: dict[Needs, tuple[str, ...]] = {
    "grouping": ("setl_id", "diag_codes"),
    "weights": ("setl_id", "diag_codes", "fixmedins_code", "medfee_sumamt"),
    "all": ("setl_id", "diag_codes", "fixmedins_code", "dscg_time", "medfee_sumamt"),
}

_WIDTH: dict[Needs, int] = {"grouping": 0, "weights": 1, "all": 2}


def wanted(needs: Needs) -> frozenset[str]:
    """Return the source names that a reading of this kind takes."""
    return frozenset(c.name for c in STAY_COLUMNS if _WIDTH[c.needs] <= _WIDTH[needs])


def within(scope: Needs, needs: Needs) -> bool:
    """Return whether something of ``scope`` belongs to a reading ``needs``."""
    return _WIDTH[scope] <= _WIDTH[needs]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of ``names``, or None if nothing is close."""
    by_lower = {str(n).lower(): str(n) for n in names}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
