"""Every text about a built catalogue and about quality in Chinese and English, as in :mod:`fenzhi.reports.texts`."""

from __future__ import annotations

from collections.abc import Mapping

from fenzhi.reports.words import Words, language

TEXTS: dict[str, tuple[str, str]] = {
    "kicker": ("本地病种目录测算", "A local catalogue built"),
    "footer": (
        "由 fenzhi {version} 依据历史病例测算（{run}）；完整的表见同一文件夹。",
        "Made by fenzhi {version} from the history ({run}); the whole tables lie beside this page.",
    ),
    "contents": ("目录", "Contents"),
    "charts": ("图", "Charts"),
    "list": ("、", ", "),
    "kind": ("种类", "Kind"),
    "family": ("类别", "Family"),
    "confidence": ("把握程度", "Confidence"),
    "sentence": (
        "由 {years} 年 {stays} 例历史病例测算，共 {groups} 个病种；核心病种覆盖 {coverage} 的病例，"
        "裁剪后平均变异系数 {cv}，费用方差减少 {riv}。",
        "Built from {stays} stays of {years}: {groups} groups. Core groups cover {coverage} of the stays; after "
        "trimming the mean coefficient of variation is {cv}, and the groups explain {riv} of the variance of cost.",
    ),
    "base": ("基础目录", "Base"),
    "no_base": ("无", "none"),
    "history": ("历史年度", "Years of history"),
    "figure_groups": ("病种数", "Groups"),
    "figure_coverage": ("核心病种覆盖率", "Coverage of core groups"),
    "figure_cv": ("平均变异系数", "Mean CV"),
    "figure_riv": ("方差减少（RIV）", "Reduction in variance"),
    "chart_coverage": ("覆盖率曲线：各阈值下核心组合的病例占比", "Coverage: share of stays by threshold"),
    "chart_cv": ("变异系数分布：裁剪前与裁剪后的病种数", "Groups by CV, before and after trimming"),
    "chart_largest": (
        "病例最多的病种：费用分布与裁剪界限",
        "The largest groups: costs and trimming bounds",
    ),
    "chart_scattered": (
        "最分散的病种：费用分布与裁剪界限",
        "The most scattered groups: costs and trimming bounds",
    ),
    "chart_note": (
        "粗线为 25% 至 75%，细线为 5% 至 95%，竖线为中位数，浅色带为裁剪后保留的范围；对数刻度。",
        "Thick: 25 to 75 %; thin: 5 to 95 %; the mark is the median; the pale band is what trimming keeps. "
        "Logarithmic.",
    ),
    "axis_threshold": ("阈值（例，对数刻度）", "threshold in stays (logarithmic)"),
    "axis_share": ("病例占比", "share of stays"),
    "axis_groups": ("病种数", "groups"),
    "axis_yuan": ("费用（元）", "cost in yuan"),
    "before": ("裁剪前", "before trimming"),
    "after": ("裁剪后", "after trimming"),
    "chosen_threshold": ("阈值 {n}：{share}", "threshold {n}: {share}"),
    "counts": ("测算结果", "What came out"),
    "rules": ("所依规则", "The rules behind it"),
    "rules_note": (
        "每项数字的政策键与出处；修改政策后重新测算即可。",
        "The key of the policy behind each figure, and its source; change the policy and build again.",
    ),
    "key": ("政策键", "Key"),
    "value": ("取值", "Value"),
    "cite": ("出处", "Source"),
    "additions": ("本地新增核心病种", "Local additions to the core groups"),
    "additions_note": (
        "国家目录没有、本地达到阈值的病种，须论证；病例最多的在前。相关手术操作须增加费用 {share} 以上。",
        "Groups that the base does not have and that reach the threshold here; they have to be justified. The largest "
        "first. A related operation has to add {share} of cost.",
    ),
    "dropped": ("未保留的病种", "Groups that were dropped"),
    "dropped_note": (
        "基础目录的行未达阈值，或按政策去掉。",
        "Rows of the base below the threshold, or left out by the policy.",
    ),
    "flagged": ("综合病种：变异系数超过限值", "Comprehensive groups with a CV above the limit"),
    "flagged_note": (
        "限值 {limit}（weights.comprehensive_cv_max）。共 {n} 个综合病种，超过的 {above} 个。",
        "Limit {limit} (weights.comprehensive_cv_max); {above} of {n} comprehensive groups are above it.",
    ),
    "weights": ("病例最多的病种的分值", "Weights of the largest groups"),
    "weights_note": (
        "药品分值、耗材分值仅用于监测。全部见 weights.csv。",
        "Drug and consumable weights are for monitoring only. All of them: weights.csv.",
    ),
    "classes": ("机构系数", "Institution coefficients"),
    "classes_note": ("各机构的系数见 hospitals.csv。", "Each hospital's coefficient: hospitals.csv."),
    "grassroots": ("基层病种遴选", "Grassroots groups"),
    "grassroots_note": (
        "入选病种已在目录中标记；逐条指标见 grassroots.csv。",
        "Chosen groups are flagged in the catalogue; every criterion: grassroots.csv.",
    ),
    "auxiliary": ("辅助分型", "Auxiliary types"),
    "auxiliary_note": (
        "系数见 auxiliary.csv，各类别的检验见 auxiliary_tried.csv。",
        "Coefficients: auxiliary.csv; what was tried: auxiliary_tried.csv.",
    ),
    "quality": ("目录与编码质量", "Quality of the catalogue and of coding"),
    "quality_note": (
        "仅供评价，不影响支付；定义见规则说明“Building a catalogue”一节。",
        "For judging only, nothing is paid by it; the rules define each figure (Building a catalogue).",
    ),
    "contradictions": ("分值与病情轻重矛盾的病种", "Prices that contradict severity"),
    "contradictions_note": (
        "左侧应高于右侧而实际较低。病例较多的在前；病例少时多为偶然。",
        "The left side should be worth more than the right one and is not. Pairs with more stays first; with few "
        "stays it is often chance.",
    ),
    "unspecific": ("不特指的主要诊断", "Unspecific principal diagnoses"),
    "unspecific_note": (
        "症状章（R）、第四位为 9（未特指）、同类目有更细编码却用 .x00 的。",
        "Chapter R (symptoms), fourth character 9 (unspecified), or .x00 where the category has finer codes.",
    ),
    "missing_codes": ("现行版本没有的编码", "Codes that the version in force does not have"),
    "use": ("如何使用", "How to use it"),
    "use_note": (
        "审阅、修改各表后，在 region.toml 与政策包中写：",
        "When the tables have been reviewed and changed, write into region.toml and the policy pack:",
    ),
    "use_catalog": ("病种目录（本文件夹）", "the catalogue (this folder)"),
    "use_hospitals": ("机构系数", "institution coefficients"),
    "use_auxiliary": ("辅助分型系数", "auxiliary coefficients"),
    "use_weights": ("采用 weights.csv 的分值", "take the weights of weights.csv"),
    "use_listed": ("采用 auxiliary.csv 的系数", "take the coefficients of auxiliary.csv"),
    "where": ("位置", "where"),
    "files": ("文件", "Files"),
    "file": ("文件", "File"),
    "file_rows": ("行数", "Rows"),
    "meaning": ("内容", "What it holds"),
    "item": ("项目", "Item"),
    "figure": ("数值", "Figure"),
    "stays": ("病例数", "Stays"),
    "group": ("病种", "Group"),
    "origin": ("来源", "Origin"),
    "cost_share": ("费用占比", "Cost share"),
    "reason": ("原因", "Reason"),
    "rw": ("分值", "Weight"),
    "drug_rw": ("药品分值", "Drug"),
    "material_rw": ("耗材分值", "Consumables"),
    "mean": ("均费（元）", "Mean (yuan)"),
    "cv": ("变异系数", "CV"),
    "cv_before": ("裁剪前", "before trimming"),
    "class": ("机构类别", "Class"),
    "coefficient": ("系数", "Coefficient"),
    "criterion": ("条件", "Criterion"),
    "groups": ("病种数", "Groups"),
    "test": ("检验", "Test"),
    "heavy": ("应较高", "Should be higher"),
    "light": ("应较低", "Should be lower"),
    "gap": ("高出", "By"),
    "code_head": ("编码", "Code"),
    "why": ("原因", "Why"),
    "hospitals": ("医疗机构数", "Hospitals"),
    "mentions": ("出现次数", "Mentions"),
    "status": ("结果", "Result"),
    "more": (
        "仅列前 {n} 行，共 {all} 行，其余见 {file}。",
        " The first {n} of {all} rows; the others are in {file}.",
    ),
    "sheet_about": ("说明", "About"),
    "quality_title": ("目录质量：{title}", "Quality of the catalogue {title}"),
    "level_of": ("{group}（{level}）", "{group} ({level})"),
    # origins and reasons
    "origin.national": ("国家目录", "national"),
    "origin.local": ("本地新增", "local"),
    "origin.local_related": ("本地新增（含相关手术操作）", "local, with a related operation"),
    "origin.comprehensive": ("综合病种", "comprehensive"),
    "reason.base_row_below_threshold": ("未达阈值", "below the threshold"),
    "reason.comprehensive_below_threshold": ("综合病种未达阈值", "comprehensive, below the threshold"),
    "reason.tcm_reference_dropped": ("参照病种未保留", "its reference group was dropped"),
    "why.symptom": ("症状体征", "symptom"),
    "why.unspecified": ("未特指", "unspecified"),
    "why.residual": ("未用更细编码", "finer codes exist"),
    "kind.diagnosis": ("诊断", "diagnosis"),
    "kind.operation": ("手术操作", "operation"),
    "test.complication": ("有并发症低于无", "complication below none"),
    "test.related_operation": ("含相关操作低于不含", "with a related operation below without"),
    "test.operation": ("手术低于保守", "operation below conservative"),
    "test.comprehensive_kind": ("综合病种的类型倒挂", "kinds of comprehensive groups"),
    "test.auxiliary_level": ("辅助分型等级倒挂", "auxiliary levels"),
    "status.chosen": ("采用", "chosen"),
    "status.other_family": ("另一类别更高", "another family is higher"),
    "status.cv_not_lower": ("变异系数降幅不足", "CV not lower enough"),
    "status.one_level": ("只有一个等级", "one level only"),
    "status.no_cost": ("无费用", "no cost"),
    "status.too_few_cases": ("病例数不足", "too few stays"),
    # criteria of grassroots groups
    "core": ("核心病种", "core groups"),
    "cases_met": ("病例数达到", "enough stays"),
    "share_met": ("基层占比达到", "share of primary institutions"),
    "cv_met": ("变异系数达到", "CV"),
    "selected": ("入选", "chosen"),
    # files
    "file.weights": (
        "每个病种的分值、药品与耗材分值、均费、裁剪界限、变异系数",
        "weights of all groups and what they rest on",
    ),
    "file.additions": ("本地新增的病种", "groups that the base does not have"),
    "file.dropped": ("未保留的病种及原因", "groups that were dropped, and why"),
    "file.coverage": ("覆盖率曲线", "the coverage curve"),
    "file.classes": ("机构类别的均费与系数", "classes of hospitals"),
    "file.hospitals": ("各机构的系数，可直接使用", "each hospital's coefficient, ready for use"),
    "file.grassroots": ("基层病种遴选", "choice of grassroots groups"),
    "file.auxiliary": ("辅助分型系数，可直接使用", "auxiliary coefficients, ready for use"),
    "file.auxiliary_tried": ("各辅助分型类别的检验", "the families that were tried"),
    "file.spread": ("费用分布", "costs of some groups in quantiles"),
    "file.quality": ("质量指标", "figures of quality"),
    "file.groups": ("各病种的变异系数与病例数", "spread and size of each group"),
    "file.years": ("各年度的分值", "weights year by year"),
    "file.contradictions": ("与病情轻重矛盾的病种", "prices that contradict severity"),
    "file.unspecific": ("不特指的主要诊断", "unspecific principal diagnoses"),
    "file.unspecific_by_hospital": ("各机构不特指主要诊断占比", "unspecific principal diagnoses by hospital"),
    "file.missing_codes": ("现行版本没有的编码", "codes that the version does not have"),
}

#: What was counted while building and judging, in the order of the tables: name -> (Chinese, English).
MEASURES: dict[str, tuple[str, str]] = {
    "history_rows": ("历史数据行数", "rows of the history"),
    "history_accepted": ("质控通过", "accepted by quality control"),
    "history_counted": ("参加测算的病例", "stays that count"),
    "history_other_year": ("其他年度的病例", "stays of other years"),
    "history_stays": ("历史病例数", "stays of the history"),
    "stays": ("可归类的病例数", "stays that can be combined"),
    "combinations": ("诊断与主要手术操作组合数", "combinations of diagnosis and main operation"),
    "combinations_at_threshold": ("达到阈值的组合数", "combinations that reach the threshold"),
    "threshold": ("阈值（例）", "threshold"),
    "base_rows_kept": ("保留的基础目录病种", "rows of the base kept"),
    "base_rows_dropped": ("未达阈值的基础目录病种", "rows of the base dropped"),
    "local_core_groups": ("本地新增核心病种", "local core groups"),
    "local_related_groups": ("含相关手术操作的核心病种", "local groups with a related operation"),
    "comprehensive_groups": ("综合病种", "comprehensive groups"),
    "comprehensive_below_threshold": ("低于阈值的综合病种", "comprehensive groups below the threshold"),
    "groups": ("病种总数", "groups"),
    "groups_used": ("有病例的病种", "groups with stays"),
    "stays_grouped": ("入组病例数", "stays in a group"),
    "grouping_rate": ("入组率", "grouping rate"),
    "stays_in_core_groups": ("核心病种病例数", "stays in core groups"),
    "stays_core": ("入核心病种的病例", "stays grouped into core groups"),
    "coverage": ("核心病种覆盖率", "coverage of core groups"),
    "share_core": ("核心病种病例占全部历史病例", "share of all stays of the history in core groups"),
    "cv_groups": ("可算变异系数的病种", "groups with a CV (two stays or more)"),
    "cv_before_mean": ("平均变异系数（裁剪前）", "mean CV before trimming"),
    "cv_mean": ("平均变异系数（裁剪后）", "mean CV after trimming"),
    "cv_mean_by_stays": ("按病例加权的平均变异系数", "mean CV weighted by stays"),
    "groups_even": ("变异系数小于 0.5 的病种", "groups with a CV below 0.5"),
    "groups_scattered": ("变异系数大于 1 的病种", "groups with a CV above 1"),
    "share_scattered": ("变异系数大于 1 的病种占比", "share of groups with a CV above 1"),
    "groups_small": ("不足 15 例的病种", "groups with fewer than 15 stays"),
    "stays_small": ("其病例数", "stays in them"),
    "riv": ("方差减少（RIV）", "reduction in variance (RIV)"),
    "riv_trimmed": ("方差减少（裁剪后）", "reduction in variance after trimming"),
    "weights_tested": ("检验年度稳定性的病种", "groups tested for stability between years"),
    "weights_stable": ("其中变动不超过 20% 的", "of them stable within 20 %"),
    "share_stable": ("稳定病种占比", "share of stable groups"),
    "share_stays_stable": ("稳定病种病例占比", "share of their stays in stable groups"),
    "change_median": ("年度变动中位数", "middle change of a weight"),
    "pairs_complication": ("检验：并发症（对）", "pairs tested: complications"),
    "contradicting_complication": ("其中倒挂：并发症", "of them contradicting: complications"),
    "pairs_related_operation": ("检验：相关手术操作（对）", "pairs tested: related operations"),
    "contradicting_related_operation": (
        "其中倒挂：相关手术操作",
        "of them contradicting: related operations",
    ),
    "pairs_operation": ("检验：手术与保守（对）", "pairs tested: operation and conservative"),
    "contradicting_operation": ("其中倒挂：手术与保守", "of them contradicting: operation and conservative"),
    "pairs_comprehensive_kind": ("检验：综合病种类型（对）", "pairs tested: kinds of comprehensive groups"),
    "contradicting_comprehensive_kind": (
        "其中倒挂：综合病种类型",
        "of them contradicting: kinds of comprehensive groups",
    ),
    "pairs_auxiliary_level": ("检验：辅助分型等级（对）", "pairs tested: auxiliary levels"),
    "contradicting_auxiliary_level": ("其中倒挂：辅助分型等级", "of them contradicting: auxiliary levels"),
    "stays_unspecific": ("主要诊断不特指的病例", "stays with an unspecific principal diagnosis"),
    "share_unspecific": ("不特指占比", "their share"),
    "missing_diagnosis": ("现行版本没有的诊断编码", "diagnosis codes that the version does not have"),
    "mentions_missing_diagnosis": ("这些诊断编码出现次数", "mentions of these diagnosis codes"),
    "missing_operation": ("现行版本没有的手术操作编码", "operation codes that the version does not have"),
    "mentions_missing_operation": ("这些操作编码出现次数", "mentions of these operation codes"),
    "mapping_changed": ("编码经映射改变的病例", "stays whose codes the mapping changed"),
    "mapping_gained": ("因映射而入组的病例", "stays grouped only thanks to the mapping"),
    "mapping_lost": ("因映射而未入组的病例", "stays that lost their group by the mapping"),
    "mapping_moved": ("因映射而改入其他病种的病例", "stays that the mapping moved to another group"),
}
#: Figures that are shares; others that are floats are shown with four decimals.
SHARES = (
    "grouping_rate",
    "coverage",
    "share_core",
    "share_scattered",
    "riv",
    "riv_trimmed",
    "share_stable",
    "share_stays_stable",
    "change_median",
    "share_unspecific",
)


def shown_measures(figures: Mapping[str, float | None]) -> list[str]:
    """Return the names of the figures that are known and say something: no test that had nothing to test."""
    empty = {
        name.removeprefix("pairs_") for name, n in figures.items() if name.startswith("pairs_") and not n
    }
    silent = {f"{kind}_{test}" for test in empty for kind in ("pairs", "contradicting")}
    return [name for name in MEASURES if figures.get(name) is not None and name not in silent]


class BuildWords(Words):
    """The words of every page, and those of building and quality."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return TEXTS[key][language(self.lang)].format(**values)

    def word(self, kind: str, code: object) -> str:
        """Return the word for a code of a kind, the code itself if there is none."""
        key = f"{kind}.{code}"
        return self(key) if key in TEXTS else str(code)

    def measure(self, name: str) -> str:
        """Return the name of a figure."""
        return MEASURES[name][language(self.lang)] if name in MEASURES else name


def measure_text(name: str, value: float | None) -> str:
    """Return a figure as it is printed: counts whole, shares as per cent, other floats with four decimals."""
    if value is None:
        return "-"
    if name in SHARES:
        return f"{value:.2%}"
    return f"{value:.4f}" if name.startswith("cv_") and name != "cv_groups" else f"{int(value):,}"
