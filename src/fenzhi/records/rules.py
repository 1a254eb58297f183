"""The rules of quality control as data: code, severity, field, messages. Their severity is a setting.

Which rows break a rule is worked out in :mod:`fenzhi.records.quality`; here is what can be set and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fenzhi.records.schema import Needs, nearest, within

Severity = Literal["error", "warning", "off"]
Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Rule:
    """One rule: stable code, default severity, its field, the narrowest reading it applies to, messages."""

    code: str
    severity: Severity
    field: str
    scope: Needs
    zh: str
    en: str


RULES: tuple[Rule, ...] = (
    Rule("key_missing", "error", "setl_id", "grouping", "缺少结算ID", "the settlement id is missing"),
    Rule(
        "duplicate_key",
        "error",
        "setl_id",
        "grouping",
        "结算ID重复,只保留第一行",
        "the settlement id occurred before; only its first row is kept",
    ),
    Rule(
        "refund_without_original",
        "error",
        "medfee_sumamt",
        "grouping",
        "负数记录(退费)找不到对应的原结算",
        "a negative row (refund) without the settlement it cancels",
    ),
    Rule(
        "refund_exceeds_original",
        "error",
        "medfee_sumamt",
        "grouping",
        "退费金额大于原结算金额",
        "the refund is larger than the settlement it cancels",
    ),
    Rule(
        "unreadable",
        "error",
        "",
        "grouping",
        "数字或日期无法读取(金额最多两位小数)",
        "a number or date that cannot be read (amounts have at most two decimals)",
    ),
    Rule(
        "principal_missing",
        "error",
        "diag_codes",
        "grouping",
        "缺少主要诊断",
        "there is no principal diagnosis",
    ),
    Rule(
        "principal_ambiguous",
        "error",
        "diag_codes",
        "grouping",
        "主要诊断标记多于一个",
        "more than one diagnosis is marked as principal",
    ),
    Rule(
        "discharge_missing",
        "error",
        "dscg_time",
        "all",
        "缺少出院时间",
        "the time of discharge is missing",
    ),
    Rule(
        "dates_reversed",
        "error",
        "dscg_time",
        "grouping",
        "出院时间早于入院时间",
        "discharge lies before admission",
    ),
    Rule("cost_missing", "error", "medfee_sumamt", "weights", "缺少医疗费总额", "the total cost is missing"),
    Rule("cost_zero", "error", "medfee_sumamt", "weights", "医疗费总额为零", "the total cost is zero"),
    Rule(
        "hospital_missing",
        "error",
        "fixmedins_code",
        "weights",
        "缺少医疗机构编码",
        "the hospital code is missing",
    ),
    Rule(
        "hospital_unknown",
        "error",
        "fixmedins_code",
        "weights",
        "医疗机构编码不在机构名单中",
        "the hospital code is not in the list of hospitals",
    ),
    Rule(
        "sex_invalid",
        "error",
        "gend",
        "grouping",
        "性别应为1(男)或2(女)",
        "sex must be 1 (male) or 2 (female)",
    ),
    Rule(
        "age_range",
        "error",
        "age",
        "grouping",
        "年龄应在0至130岁之间",
        "age must lie between 0 and 130 years",
    ),
    Rule(
        "los_negative",
        "error",
        "act_ipt_days",
        "grouping",
        "住院天数为负数",
        "the length of stay is negative",
    ),
    Rule("sex_missing", "warning", "gend", "grouping", "缺少性别", "sex is missing"),
    Rule("age_missing", "warning", "age", "grouping", "缺少年龄", "age is missing"),
    Rule(
        "newborn_age_range",
        "warning",
        "nwb_age",
        "grouping",
        "日龄应在0至365天之间",
        "the age in days must lie between 0 and 365",
    ),
    Rule(
        "newborn_weight_missing",
        "warning",
        "nwb_adm_wt",
        "grouping",
        "新生儿(0至28天)缺少体重",
        "a newborn (0 to 28 days) without any weight",
    ),
    Rule(
        "diagnosis_unknown",
        "warning",
        "diag_codes",
        "grouping",
        "诊断编码不在编码表中",
        "a diagnosis code is not in the code table",
    ),
    Rule(
        "operation_unknown",
        "warning",
        "oprn_codes",
        "grouping",
        "手术操作编码不在编码表中",
        "an operation code is not in the code table",
    ),
    Rule(
        "sex_diagnosis",
        "warning",
        "diag_codes",
        "grouping",
        "主要诊断与性别不符",
        "the principal diagnosis does not fit the sex",
    ),
    Rule(
        "age_diagnosis",
        "warning",
        "diag_codes",
        "grouping",
        "围生期主要诊断(P)与年龄不符",
        "a principal diagnosis of the perinatal period (P) at one year or older",
    ),
    Rule(
        "diagnosis_repeated",
        "warning",
        "diag_codes",
        "grouping",
        "其他诊断与主要诊断相同",
        "another diagnosis equals the principal one",
    ),
    Rule(
        "main_operation_unclear",
        "warning",
        "oprn_codes",
        "grouping",
        "主要手术标记缺失或多于一个,按记录顺序取第一个",
        "no or more than one main operation; the first one in order is taken",
    ),
    Rule(
        "oprn_fees_length",
        "warning",
        "oprn_fees",
        "all",
        "手术费用个数与手术编码个数不同",
        "the number of operation costs differs from the number of operations",
    ),
    Rule(
        "operation_date",
        "warning",
        "oprn_oprt_date",
        "grouping",
        "手术日期无法读取或不在住院期间",
        "an operation date cannot be read or lies outside the stay",
    ),
    Rule(
        "payers_mismatch",
        "warning",
        "medfee_sumamt",
        "all",
        "各方支付之和不等于医疗费总额",
        "what the payers paid does not add up to the total cost",
    ),
    Rule(
        "items_mismatch",
        "warning",
        "medfee_sumamt",
        "all",
        "分项费用与医疗费总额不符",
        "the item fees do not fit the total cost",
    ),
    Rule(
        "los_dates",
        "warning",
        "act_ipt_days",
        "grouping",
        "住院天数与入出院日期不符",
        "the length of stay does not fit the dates",
    ),
    Rule(
        "discharge_way_unknown",
        "warning",
        "dscg_way",
        "grouping",
        "离院方式应为1、2、3、4、5或9",
        "the way of discharge must be 1, 2, 3, 4, 5 or 9",
    ),
)

BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}


def rule_message(code: str, language: Language = "zh") -> str:
    """Return what a rule says, in Chinese or English."""
    rule = BY_CODE[code]
    return rule.zh if language == "zh" else rule.en


class QualityRules(BaseModel):
    """The settings of quality control.

    ``severity``: rule code -> error (row is rejected), warning (row stays) or off; others keep their default.
    ``tolerance_fen``: how far sums may be off. ``los_tolerance_days``: how far the given length of stay may
    differ from the dates. ``los_floor_days``: the least length of stay. ``language``: of the messages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: dict[str, Severity] = {}
    tolerance_fen: Annotated[int, Field(ge=0)] = 1
    los_tolerance_days: Annotated[int, Field(ge=0)] = 1
    los_floor_days: Annotated[int, Field(ge=0)] = 1
    language: Language = "zh"

    @model_validator(mode="after")
    def _check(self) -> QualityRules:
        for code in self.severity:
            if code not in BY_CODE:
                near = nearest(code, BY_CODE)
                raise ValueError(f"there is no rule {code!r}" + (f"; nearest is {near!r}" if near else ""))
        return self

    def of(self, code: str) -> Severity:
        """Return the severity of a rule."""
        return self.severity.get(code, BY_CODE[code].severity)

    def applies(self, code: str, needs: Needs) -> bool:
        """Return whether a rule is checked: errors within their scope, warnings only in ``all``."""
        severity = self.of(code)
        return (
            severity != "off"
            and within(BY_CODE[code].scope, needs)
            and (severity == "error" or needs == "all")
        )
