"""What the sections and keys of a pack are called, Chinese and English.

``section.key`` comes before the bare ``key``; what has no title here goes by its key.
"""

from __future__ import annotations

from fenzhi.policy.fields import Place, dotted

TITLES: dict[str, tuple[str, str]] = {
    # sections
    "meta": ("政策包", "the pack"),
    "scope": ("付费范围", "scope"),
    "grouping": ("入组规则", "grouping"),
    "ungrouped": ("未入组病例", "stays without a group"),
    "weights": ("权重测算", "weights"),
    "weights.trim": ("费用裁剪", "trimming of costs"),
    "weights.threshold": ("核心病种阈值", "threshold of core groups"),
    "coefficients": ("机构系数", "institution coefficients"),
    "points": ("病例分值", "points of a case"),
    "grassroots": ("基层病种", "grassroots groups"),
    "auxiliary": ("辅助分型", "auxiliary types"),
    "stability": ("稳定病组", "stable groups"),
    "deviation": ("费用偏差", "cost deviation"),
    "incomplete": ("非完整治疗病例", "incomplete stays"),
    "bed_day": ("床日付费", "bed-days"),
    "readmission": ("再入院", "readmission"),
    "tcm": ("中医优势病种", "TCM-advantage groups"),
    "add_ons": ("加成分值", "add-ons"),
    "point_value": ("点值", "point value"),
    "settlement": ("年度结算", "settlement"),
    # tcm, add_ons
    "ratio_limit": ("中治率下限", "lowest treatment ratio"),
    "ratio_included": ("含下限", "limit included"),
    "tcm_fees": ("中医费用", "fees of Chinese medicine"),
    "western_fees": ("西医费用", "fees of western medicine"),
    "diagnosis_match": ("诊断的匹配", "match of diagnoses"),
    "operations": ("手术操作", "operations"),
    "match": ("匹配方式", "match"),
    "share": ("占病种分值的比例", "share of the weight"),
    # every section
    "cite": ("出处", "source"),
    "confidence": ("把握程度", "confidence"),
    "decimals": ("小数位数", "decimals"),
    # meta
    "id": ("标识", "id"),
    "title": ("名称", "title"),
    "title_en": ("英文名称", "English title"),
    "scheme": ("付费方式", "scheme"),
    "version": ("版本", "version"),
    "extends": ("叠加于", "laid over"),
    "valid_from": ("生效日期", "holds from"),
    "valid_to": ("失效日期", "holds to"),
    # scope
    "cost": ("费用口径", "what the cost is"),
    "min_los_days": ("最短住院天数", "shortest stay in days"),
    "max_los_days": ("最长住院天数", "longest stay in days"),
    "other_tracks": ("其他付费方式的医疗类别", "kinds of stay paid otherwise"),
    # grouping
    "precedence": ("优先顺序", "order of criteria"),
    "class_order": ("病种类别顺序", "order of classes"),
    "unknown_operation_type": ("未列操作的类型", "type of unlisted operations"),
    "interventional_as": ("介入治疗视同", "interventional counts as"),
    "comprehensive_type": ("综合病种的治疗方式取自", "treatment of comprehensive groups by"),
    "excluded_diagnosis_match": ("排除诊断的匹配", "match of excluded diagnoses"),
    # ungrouped, stability, readmission
    "rule": ("规则", "rule"),
    "factor": ("系数", "factor"),
    "cv_max": ("变异系数上限", "highest coefficient of variation"),
    "both": ("两个条件同时满足", "both conditions"),
    "days": ("间隔天数", "days between"),
    "same_hospital": ("同一医疗机构", "same hospital"),
    # weights
    "method": ("方法", "method"),
    "scale": ("权重放大倍数", "scale of weights"),
    "benchmark_group": ("基准病种", "benchmark group"),
    "standard_yuan": ("标准金额(元)", "standard amount in yuan"),
    "year_weights": ("各年权数(由远及近)", "weights of the years, oldest first"),
    "pooling": ("多年合并方式", "pooling of years"),
    "low": ("下限", "lower bound"),
    "high": ("上限", "upper bound"),
    "k": ("标准差倍数", "number of standard deviations"),
    "min_cases": ("最少病例数", "fewest stays"),
    "mode": ("方式", "mode"),
    "cases": ("病例数", "stays"),
    "coverage": ("覆盖率", "coverage"),
    "related_cost_share": ("相关手术操作费用占比", "cost share of related operations"),
    "drop_small_comprehensive": ("去掉低于阈值的综合病种", "drop small comprehensive groups"),
    # coefficients
    "form": ("形式", "form"),
    "by": ("分类依据", "classes by"),
    "cost_years": ("成本系数取用年数", "years of cost coefficients"),
    "grassroots_exempt": ("基层病种不设系数", "none for grassroots groups"),
    "exempt_layers": ("不设系数的层次", "layers without coefficient"),
    "items": ("加成或连乘项目", "items of a bonus or product"),
    "weight": ("权数", "weight"),
    "default": ("缺省值", "default"),
    "levels": ("各等级系数", "factors of the levels"),
    "level_order": ("等级顺序(由低到高)", "levels, lowest first"),
    "floor": ("下限", "floor"),
    "cap": ("上限", "cap"),
    # deviation
    "test_reference": ("判定倍率的参照费用", "reference of the ratio"),
    "factor_reference": ("计算分值的参照费用", "reference of the factor"),
    "bands": ("倍率分档", "bands"),
    "tiers": ("按权重分层", "tiers by weight"),
    "name": ("代号", "name"),
    "above": ("倍率下限", "above"),
    "above_included": ("含下限", "lower limit included"),
    "upto": ("倍率上限", "up to"),
    "upto_included": ("含上限", "upper limit included"),
    "bands.points": ("分值算法", "points"),
    "rw_above": ("权重下限", "weight above"),
    "rw_above_included": ("含权重下限", "lower weight included"),
    "rw_upto": ("权重上限", "weight up to"),
    "rw_upto_included": ("含权重上限", "upper weight included"),
    # incomplete, bed_day
    "ways": ("离院方式", "ways of discharge"),
    "los_below_days": ("住院天数少于", "days of stay below"),
    "reference": ("参照费用", "reference"),
    "coefficient": ("乘机构系数", "times the institution coefficient"),
    "med_types": ("医疗类别", "kinds of stay"),
    "steps": ("分段", "steps"),
    "level": ("机构等级", "level of hospitals"),
    "upto_days": ("至第几日", "up to day"),
    "points_per_day": ("每日点数", "points of a day"),
    # auxiliary
    "source": ("系数来源", "where coefficients come from"),
    "comorbidity": ("合并症清单", "lists of comorbidities"),
    "min_level_cases": ("每级最少病例数", "fewest stays of a level"),
    "cv_drop": ("变异系数至少降低", "least drop of the coefficient of variation"),
    "excluded_layers": ("不分型的层次", "layers without types"),
    "families": ("分型类别", "families"),
    "main_in": ("主要诊断属于清单", "principal diagnosis in lists"),
    "main_not_in": ("主要诊断不属于清单", "principal diagnosis not in lists"),
    "families.levels": ("分级", "levels"),
    "lists": ("其他诊断属于清单", "other diagnoses in lists"),
    "los_from": ("住院天数不少于", "days of stay from"),
    "los_upto": ("住院天数不多于", "days of stay up to"),
    "cost_from": ("费用不低于病种均费的倍数", "cost from, times the mean"),
    "fees": ("费用类别", "fees"),
    "fee_share_from": ("费用占比不低于", "share of the fees from"),
    "cci_from": ("合并症指数不低于", "comorbidity score from"),
    "cci_upto": ("合并症指数不高于", "comorbidity score up to"),
    "age_from": ("年龄不小于", "age from"),
    "age_upto": ("年龄不大于", "age up to"),
    "age_days_from": ("天龄不小于", "age in days from"),
    "age_days_upto": ("天龄不大于", "age in days up to"),
    "icu_days_from": ("重症监护天数不少于", "days of intensive care from"),
    "icu_days_upto": ("重症监护天数不多于", "days of intensive care up to"),
    "split_by": ("再按此类别细分", "split by"),
    # grassroots
    "grassroots.coefficient": ("机构系数", "institution coefficient"),
    "primary_levels": ("基层机构等级", "levels of primary institutions"),
    "share_min": ("基层机构病例占比下限", "lowest share of primary institutions"),
    # special review
    "special_review": ("特例单议", "special review"),
    "special_review.criteria": ("申请条件", "criteria"),
    "cost_multiple": ("费用倍数", "multiple of cost"),
    "departments": ("科室", "departments"),
    "icu_above_hours": ("重症监护小时数超过", "hours of intensive care above"),
    "los_above_days": ("住院天数超过", "days of stay above"),
    "los_multiple": ("住院天数倍数", "multiple of days"),
    "level_quotas": ("各等级名额", "quotas of the levels"),
    "outcomes": ("可作的决定", "what may be decided"),
    "quota": ("名额比例", "quota"),
    "rank_by": ("超额时排序依据", "ranked by"),
    # point_value, settlement
    "point_value.settlement": ("结算方法", "method of settlement"),
    "rate": ("点值方式", "kind of point value"),
    "advance_ratio": ("月度预付比例", "share paid each month"),
    "working_capital_months": ("周转金月数", "months of working capital"),
    "residual": ("尾差处理", "what rounding leaves"),
}


def title_of(place: Place, lang: str) -> str:
    """Return what a key or section is called; its own name if it has no title."""
    names = [str(part) for part in place if isinstance(part, str)]
    for start in range(len(names)):
        found = TITLES.get(".".join(names[start:]))
        if found is not None:
            return found[0 if lang == "zh" else 1]
    return names[-1] if names else dotted(place)
