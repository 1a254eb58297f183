"""Every word of the pages, in Chinese and English: one table, one line per text.

``{name}`` is filled in when the page is made. The names of codes are in :mod:`fenzhi.reports.names`.
"""

from __future__ import annotations

LANGUAGES = ("zh", "en")

TEXTS: dict[str, tuple[str, str]] = {
    # frame of every page
    "synthetic": ("合成数据", "Synthetic data"),
    "synthetic_note": (
        "本页数据由程序生成，不对应任何真实地区、机构或个人。",
        "The data on this page are made up and stand for no real region, hospital or person.",
    ),
    "run": ("运算批次", "Run"),
    "created": ("生成时间", "Made"),
    "policy": ("政策", "Policy"),
    "catalog": ("病种目录", "Catalogue"),
    "rules_held": ("{first} 至 {last} 出院", "Discharged {first} to {last}"),
    "rules_text": ("{policy}；{catalog}；{stays} 例", "{policy}; {catalog}; {stays} stays"),
    "year": ("年度", "Year"),
    "unit_yuan": ("金额单位：元", "Amounts in yuan"),
    "unit_both": ("金额单位：元；分值保留四位小数", "Amounts in yuan; points with four decimals"),
    "total": ("合计", "Total"),
    "subtotal": ("小计：{name}", "Subtotal: {name}"),
    "none": ("无", "none"),
    "not_known": ("未注明", "not stated"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "share": ("占比", "share"),
    "scale_yuan": ("元", "yuan"),
    "scale_thousand": ("千元", "thousand yuan"),
    "scale_wan": ("万元", "10,000 yuan"),
    "month": ("{month} 月", "{month}"),
    "footer": (
        "由 fenzhi {version} 依据运算批次 {run} 的结果表生成；页内数字均可由结果表逐项复核。",
        "Made by fenzhi {version} from the result tables of run {run}; each figure can be checked there.",
    ),
    # other tracks
    "tracks": ("其他付费方式", "Other tracks"),
    "tracks_note": (
        "按病种付费以外的基金支付，不在上列应付金额之内。",
        "What the fund pays beside the points; it is not part of the amounts above.",
    ),
    "track_lines_note": (
        "预算金额减支付与转出即为结余；结余转入风险储备，不足由风险储备支付。",
        "The line minus what was paid and handed over; the rest goes to the reserve, which pays what is lacking.",
    ),
    # statement
    "statement": ("按病种付费年度清算单", "Annual statement of payment by disease"),
    "statement_title": ("{name} · {year} 年度清算单", "{name} · statement {year}"),
    "back": ("返回全区总览", "Back to the region"),
    "code": ("机构编码", "Code"),
    "level": ("级别", "Level"),
    "type": ("类别", "Type"),
    "coefficient": ("机构调节系数", "Institution coefficient"),
    "sentence_payable": ("全年基金应付 {payable} 元，", "The fund owes {payable} yuan for the year, "),
    "sentence_more": ("比记账多 {balance} 元；", "{balance} yuan more than booked; "),
    "sentence_less": ("比记账少 {balance} 元；", "{balance} yuan less than booked; "),
    "sentence_equal": ("与记账相等；", "exactly what was booked; "),
    "sentence_advance": ("已预付 {advance} 元", "{advance} yuan were paid in advance"),
    "sentence_capital": ("，另有周转金 {capital} 元", ", besides working capital of {capital} yuan"),
    "sentence_final": (
        "结余留用与超支分担后应付 {final} 元；",
        "after sharing of surplus and overrun {final} yuan are payable; ",
    ),
    "sentence_quarter": ("，季度清算已拨 {quarter} 元", ", {quarter} yuan by quarterly clearing"),
    "sentence_deposit": ("，预留质量保证金 {deposit} 元", ", {deposit} yuan are withheld as quality deposit"),
    "sentence_released": (
        "另返还保证金 {released} 元。",
        " Besides, {released} yuan of the deposit are released.",
    ),
    "sentence_due": ("，年度清算应拨 {clearing} 元。", "; the annual clearing still pays {clearing} yuan."),
    "sentence_back": (
        "，年度清算应退回 {clearing} 元。",
        "; the hospital returns {clearing} yuan at the annual clearing.",
    ),
    "sentence_settled": ("，年度清算无须收付。", "; nothing remains to be paid at the annual clearing."),
    "clearing_pays": ("年度清算应拨", "clearing: hospital receives"),
    "clearing_returns": ("年度清算应退回", "clearing: hospital returns"),
    "clearing_none": ("年度清算（无须收付）", "clearing: nothing to pay"),
    "pays": ("应拨", "hospital receives"),
    "returns": ("应退回", "hospital returns"),
    "how_both": (
        "应拨 {pays}；应退回 {returns}；合计为两者相抵",
        "receives {pays}; returns {returns}; the total sets one against the other",
    ),
    "steps": ("从分值到清算，逐步计算", "From points to clearing, step by step"),
    "steps_note": (
        "每一行注明计算方法与来源，序号即行号；各列可用计算器复核。",
        "Each line says how it is computed and where it comes from; numbers refer to lines.",
    ),
    "line": ("行", "Line"),
    "item": ("项目", "Item"),
    "date": ("日期", "Date"),
    "part_points": ("一、分值", "A. Points"),
    "part_payable": ("二、基金应付", "B. Payable"),
    "part_balance": ("三、与记账比较", "C. Against what was booked"),
    "part_clearing": ("四、年度清算", "D. Annual clearing"),
    "product": ("分值 × 点值 × 支付比例", "points × point value × payment ratio"),
    "standard_total": ("支付标准总额", "total of payment standards"),
    "others_paid": ("患者及其他方支付", "paid by patients and others"),
    "rounding": ("取整与尾差", "rounding and residual"),
    "by_policy": ("{how}【政策：{section}】", "{how} [policy: {section}]"),
    "how_kind": ("该类病例结算分值之和", "sum of the points of such stays"),
    "how_add_ons": ("已含在总分值中", "inside the points above"),
    "how_auxiliary": (
        "已含在总分值中；偏差前分值减去系数为 1 时的分值，直接支付和特例单议通过的病例不计",
        "inside the points above; points before deviation less those with a coefficient of 1, "
        "without stays paid directly or approved by special review",
    ),
    "how_review": (
        "已含在总分值中；特例单议通过病例的分值",
        "inside the points above; points of stays that special review approved",
    ),
    "how_value": ("基金池统一结算点值，元/分", "one value for the whole pool, yuan per point"),
    "how_ratio": ("基金池记账金额 ÷ 付费口径费用", "booked amount ÷ cost of the pool"),
    "how_rounding": (
        "{terms}；点值、比例保留四位小数并逐例取整所致",
        "{terms}; values have four decimals, stays are rounded",
    ),
    "how_standard": ("{terms}；支付标准按费用总额", "{terms}; standards price the total cost"),
    "how_others": ("付费口径费用 − 记账金额", "cost − booked amount"),
    "how_assessment": ("年度考核结果", "result of the yearly assessment"),
    "how_assessed": ("{terms}，四舍五入到分", "{terms}, rounded to the fen"),
    "how_of_deduction": ("已含在审核扣款中", "inside the deductions above"),
    "how_fine": ("已含在审核扣款中，不转入储备", "inside the deductions above, not moved to the reserve"),
    "how_next_year": (
        "违规金额 × 政策比例，下年度另行扣减",
        "violations × the policy's share, to be deducted next year as well",
    ),
    "how_forfeited": ("{terms}，转入储备", "{terms}, moved to the reserve"),
    "how_deduction": ("审核扣款合计，见审核扣款记录", "all audit deductions of the year"),
    "how_fixed": ("按年初点值计价的分值", "points that have the opening value"),
    "how_opening_fixed": ("固定部分的点值，元/分", "value of the fixed points, yuan per point"),
    "how_periods": (
        "各期分值 × 各期点值之和，点值见全区总览的分期点值表",
        "points of each period × its value, see the region's table of point values by period",
    ),
    "how_shared": (
        "结余不予留用的部分为负，基金分担的超支为正",
        "below zero: surplus that is not kept; above: overrun that the fund bears",
    ),
    "how_short": (
        "按政策应由基金分担，因储备不足未能支付",
        "the fund should bear it, but the reserve did not suffice",
    ),
    "how_quarter": ("各季度清算合计", "paid at the end of the quarters"),
    "how_deposit": (
        "各月预留的质量保证金，考核后另行返还",
        "withheld in the months, released after the assessment",
    ),
    "how_released": ("{terms}，考核系数最高按 1；另行拨付", "{terms}, at most all of it; paid besides"),
    "how_booked": ("结算时记账的统筹基金金额", "pooled fund booked when the stays were settled"),
    "how_capital": ("年初拨付的周转金", "lent at the start of the year"),
    "how_advance": ("各月预付合计，见分月情况", "advances of all months, see the months below"),
    "months": ("分月情况", "Month by month"),
    "groups": ("盈亏病种", "Groups with surplus and deficit"),
    "groups_note": (
        "按病例汇总的考核前基金应付与记账之差；各列最多 20 个病种。",
        "Payable before assessment, added up from stays, minus booked; at most 20 groups each.",
    ),
    "groups_gain": ("结余最多的 {n} 个病种", "The {n} groups with the largest surplus"),
    "groups_loss": ("超支最多的 {n} 个病种", "The {n} groups with the largest deficit"),
    "groups_rest": ("其余 {n} 个病种", "The other {n} groups"),
    "groups_gross": ("病例合计以外的尾差", "Residual outside the stays"),
    "no_group": ("未入组病例", "Ungrouped stays"),
    "balance": ("差额", "balance"),
    "deviation": ("费用偏差", "Cost deviation"),
    "deviation_note": (
        "费用与参照相差过大的病例按偏差规则计分；未判断的多为未入组病例。",
        "Stays whose cost is far from the reference get points by the deviation rule. Not tested: "
        "mostly ungrouped.",
    ),
    "outcomes": ("病例去向", "Where every stay went"),
    "outcomes_note": (
        "送审的每一行都有且只有一个去向；合计等于全部行数。",
        "Every row that was handed in has exactly one outcome; the total is the number of rows.",
    ),
    "outcome": ("去向", "Outcome"),
    "reason": ("原因", "Reason"),
    "rows": ("行数", "Rows"),
    "paid_rows": ("其中按分值付费", "of these paid by points"),
    "glossary": ("名词解释", "Words used here"),
    "confirm": ("核对确认", "Confirmation"),
    "confirm_text": (
        "我单位已核对本清算单的分值、扣款与清算金额。",
        "We have checked the points, deductions and clearing amount of this statement.",
    ),
    "confirm_agree": ("无异议", "no objection"),
    "confirm_object": ("有异议，说明附后", "objection, explained on a separate sheet"),
    "confirm_hospital": ("医疗机构", "Hospital"),
    "confirm_agency": ("医保经办机构", "Agency"),
    "confirm_clerk": ("经办人", "Clerk"),
    "confirm_head": ("负责人", "Head"),
    "confirm_date": ("日期", "Date"),
    "confirm_seal": ("（盖章）", "(seal)"),
    # region page
    "region_page": ("按病种付费年度结算总览", "The year of payment by disease"),
    "region_title": ("{name} · {year} 年度结算总览", "{name} · overview {year}"),
    "region_sentence": (
        "{hospitals} 家医疗机构、{cases} 例按分值付费病例：按病种付费基金 {fund} 元，基金应付 {payable} 元，",
        "{hospitals} hospitals, {cases} stays paid by points. By-disease fund {fund} yuan, payable "
        "{payable} yuan, ",
    ),
    "region_more": ("比记账多 {balance} 元。", "{balance} yuan more than booked."),
    "region_less": ("比记账少 {balance} 元。", "{balance} yuan less than booked."),
    "region_equal": ("与记账相等。", "exactly what was booked."),
    "pools": ("基金池与点值", "Pools and point values"),
    "pools_note": ("金额自上而下逐步推算。", "Amounts are derived from top to bottom."),
    "how_income": ("年初预算", "budget of the year"),
    "how_carved": ("预算扣除项目，见预算明细", "budget lines taken out first, see below"),
    "how_reserve": ("预算转入储备的部分", "what the budget puts into the reserve"),
    "how_fund": ("预算收入 − 预算扣除 − 风险金与调节金", "budget − carved out − reserve"),
    "how_opening": ("用于月度预付，元/分", "used for monthly advances, yuan per point"),
    "how_settlement": ("用于年度清算，元/分", "used for the annual clearing, yuan per point"),
    "how_direct": (
        "不计分值，由基金按费用 × 支付比例直接支付，先于点值扣除",
        "without points: cost × payment ratio, taken off the fund before the point value",
    ),
    "how_residual": (
        "按病种付费基金 − 考核前应付：取整、上下限或固定点值所致，由储备收付",
        "by-disease fund − before assessment: by rounding, limits or fixed values; the reserve takes or gives it",
    ),
    "how_returned": (
        "考核扣减与审核扣款（罚款除外），以及不予返还的保证金",
        "withheld by assessment and audit without fines, and deposits that are not released",
    ),
    "how_payable": (
        "考核前应付 − 考核扣减 − 审核扣款",
        "before assessment − withheld by assessment − deductions",
    ),
    "how_fund_care": (
        "预算收入 − 预算扣除 − 风险金与调节金 + 医共体外出就医转入",
        "budget − carved out − reserve + handed over by communities",
    ),
    "how_final": ("基金应付 + 结余留用与超支分担", "payable + sharing"),
    "how_short_pool": (
        "储备已用尽：按政策应由基金分担而未能支付的超支",
        "the reserve is exhausted: overrun that the fund should bear but cannot",
    ),
    "part_reserve": ("储备", "Reserve"),
    "how_shared_reserve": (
        "不予留用的结余转入储备，分担的超支由储备支付",
        "surplus that is not kept comes in, overrun that the fund bears goes out",
    ),
    "how_reserve_left": ("以上各项之和", "sum of the lines above"),
    "how_reserve_exhausted": (
        "以上各项之和；储备不足的基金池，超支按比例分担至储备用尽，所余为其后转入的不予返还保证金",
        "sum of the lines above; where the reserve did not suffice, overrun was shared in proportion until it was "
        "exhausted, and what is left are deposits that came in afterwards",
    ),
    "value_rest": ("点值差额", "left or lacking by point values"),
    "how_value_periods": ("各期点值的平均，元/分", "mean of the values of the periods, yuan per point"),
    "limit_none": ("无", "none"),
    "and": ("、", ", "),
    "pool_limit": ("；{pool}：{limit}", "; {pool}: {limit}"),
    "values": ("分期点值", "Point values by period"),
    "period": ("期次", "period"),
    "quarter": ("{month} 季度", "quarter {month}"),
    "how_balance": ("基金应付 − 记账金额", "payable − booked"),
    "budget": ("预算明细", "Budget lines"),
    "budget_note": (
        "按扣除顺序列示；余额为扣除该项之后的余额。",
        "In the order of subtraction; left: what remains after the line.",
    ),
    "left_over": ("总额以外部分", "above the by-disease total"),
    "method.items": ("收入减去各项", "income minus the lines"),
    "method.share": (
        "上年占比法：收入 × 上年按病种付费 {last} ÷ 上年总额 {whole}",
        "by last year's share: income × {last} ÷ {whole}",
    ),
    "method.growth": (
        "上年增长法：上年按病种付费 {last}，增长 {rate}%",
        "by growth: last year's {last}, {rate}%",
    ),
    "budget_track": ("用于{track}", "funds {track}"),
    "budget_changes": ("年中调整", "Changes within the year"),
    "budget_changes_note": (
        "对方项目减少（增加）相同金额；没有对方项目的，总额随收入变化。",
        "The other line changes by the same amount the other way; without one the total changes with the income.",
    ),
    "change_other": ("对方项目", "Other line"),
    "kind": ("性质", "Kind"),
    "cite": ("依据", "Source"),
    "amount": ("金额", "Amount"),
    "hospitals": ("医疗机构一览与清算单", "Hospitals and their statements"),
    "hospitals_note": (
        "点击机构名称打开清算单。年度清算：正数应拨，负数由医疗机构退回。",
        "Follow a hospital's name to its statement. Annual clearing: below zero the hospital returns money.",
    ),
    "clearing": ("年度清算", "annual clearing"),
    "clearing_about": (
        "年度清算为负数的，由医疗机构退回；为正数的，拨付医疗机构。",
        "Annual clearing: a positive amount is paid to the hospital, a negative one is returned by it.",
    ),
    "hospital": ("医疗机构", "Hospital"),
    "region_groups": ("病种盈亏", "Groups with surplus and deficit"),
    "region_groups_note": (
        "考核前基金应付与记账之差，各列最多 15 个病种；全部病种见工作簿。",
        "Payable before assessment minus booked, at most 15 groups each; all groups are in the workbook.",
    ),
    # DRG: kinds of groups and chapters
    "chapters": ("病组类型与主要诊断大类（MDC）", "Kinds of groups and chapters (MDC)"),
    "chapters_note": (
        "CMI 按有病种分值的病例计算；差额为考核前基金应付与记账之差。",
        "CMI over the stays that have a weight; the balance is payable before assessment minus booked.",
    ),
    "chapter_kind": ("类别", "Kind"),
    "by_layer": ("按病组类型", "By kind of group"),
    "by_chapter": ("入组病例按主要诊断大类（MDC）", "Grouped stays by chapter (MDC)"),
    "all_grouped": ("入组病例", "Grouped stays"),
    "bed_days": ("床日病例", "Bed-day stays"),
    "readmitted": ("其中：短期内再入院", "of these: readmitted too soon"),
    "chart_chapters": ("各主要诊断大类的结余与超支", "Surplus and deficit by chapter (MDC)"),
    "special_review": ("特例单议", "Special review"),
    "monitoring": ("监测指标", "Monitoring"),
    "quality": ("数据质量", "Quality control"),
    "quality_note": (
        "一行可能违反多条规则；行数按规则统计。",
        "A row may break several rules; rows are counted per rule.",
    ),
    "hospitals_hit": ("涉及机构", "hospitals"),
    "ledger": ("账务汇总", "Ledger, summed up"),
    "entries": ("笔数", "entries"),
    "sources": ("政策来源与把握程度", "Sources of the policy, and how sure they are"),
    "section": ("政策部分", "Section"),
    "confidence": ("把握程度", "How sure"),
    "charts": ("图表", "Charts"),
    "contents": ("目录", "Contents"),
    "workbook": ("工作簿 region.xlsx", "Workbook region.xlsx"),
    # charts
    "chart_budget": ("资金流向：{pool}", "Where the money goes: {pool}"),
    "chart_hospitals": ("基金应付与记账之差（绝对额最大的 30 家）", "Payable minus booked (the 30 largest)"),
    "chart_groups": ("结余与超支最多的病种", "Groups with the largest surplus and deficit"),
    "chart_levels": ("各级别医疗机构的费用偏差构成", "Deviation bands by hospital level"),
    "chart_months": ("分月分值与预付", "Points and advances by month"),
    "chart_points_month": ("每月分值", "Points by month"),
    "chart_money_month": ("每月应付（年初点值）与预付", "Due at the opening value, and advances, by month"),
    "chart_gain": ("结余最多的病种", "Groups with the largest surplus"),
    "chart_loss": ("超支最多的病种", "Groups with the largest deficit"),
    "chart_kinds": ("分值构成", "Points by kind"),
    "chart_deviation": ("费用偏差构成：本机构与全区", "Deviation bands: this hospital and the region"),
    "due": ("月度应付", "due"),
    "advance": ("预付", "advance"),
    "points": ("分值", "points"),
    "this_hospital": ("本机构", "this hospital"),
    "whole_region": ("全区", "region"),
    # workbook
    "about": ("说明", "About"),
    "about_text": (
        "本工作簿由结果表生成，不含病例明细。",
        "Made from the result tables; single stays are not included.",
    ),
    "region": ("统筹地区", "Region"),
    "sheet.hospitals": ("医疗机构", "Hospitals"),
    "sheet.tracks": ("其他付费方式", "Other tracks"),
    "sheet.track_lines": ("其他付费方式预算", "Lines of other tracks"),
    "sheet.months": ("分月", "Months"),
    "sheet.pools": ("基金池", "Pools"),
    "sheet.budget": ("预算", "Budget"),
    "sheet.groups": ("病种", "Groups"),
    "sheet.ledger": ("账务", "Ledger"),
    "sheet.monitoring": ("监测", "Monitoring"),
    "sheet.rejected": ("质控汇总", "Quality control"),
    "sheet.coefficients": ("成本系数", "Cost coefficients"),
    "sheet.class_coefficients": ("类别病种系数", "Class coefficients"),
    "sheet.auxiliary": ("辅助分型", "Auxiliary types"),
    "sheet.values": ("分期点值", "Values by period"),
    "sheet.review": ("特例单议", "Special review"),
    "sheet.restatement": ("与上次结算的差异", "Restatement"),
    "sheet.changes": ("与上年相比", "Against last year"),
    "sheet_too_long": (
        "行数超过一张工作表的上限，见 {file}",
        "more rows than a sheet can hold: read {file}",
    ),
}

#: The glossary of a statement: (term, plain words), each in both languages.
GLOSSARY: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (
        ("病种", "Group"),
        (
            "诊断和治疗方式相近、费用相当的一类病例；达到病例数要求的单列为核心病种，其余归入综合病种。",
            "Stays with a similar diagnosis and treatment. Frequent ones are core groups, others "
            "comprehensive ones.",
        ),
    ),
    (
        ("病例组合指数(CMI)", "Case mix index (CMI)"),
        (
            "有病种分值的病例，其病种分值的平均数与基准分值之比；越高说明收治的病例越复杂。",
            "The mean weight of the stays that have one, against the base weight; a higher one means "
            "more complex stays.",
        ),
    ),
    (
        ("基层病种", "Grassroots group"),
        (
            "基层常见、同病同价的核心病种，不乘机构调节系数。",
            "A common disease with the same price everywhere: no institution coefficient.",
        ),
    ),
    (
        ("病种分值", "Weight"),
        (
            "该病种历史例均费用与全部病例例均费用之比，反映治疗所需的资源。",
            "The mean cost of the group against the mean of all stays, from history.",
        ),
    ),
    (
        ("机构调节系数", "Institution coefficient"),
        (
            "同级同类医疗机构费用水平与全区之比。",
            "The cost level of hospitals of the same level and type against the region.",
        ),
    ),
    (
        ("结算分值", "Points"),
        (
            "病例最终得到的分值：病种分值 × 各项系数，再按费用偏差规则调整。",
            "What a stay finally gets: weight × coefficients, adjusted by the deviation rule.",
        ),
    ),
    (
        ("费用偏差", "Cost deviation"),
        (
            "病例费用与参照费用之比过低或过高，分值按规则折算或另行评议。",
            "The cost is far below or above the reference; points are adjusted or reviewed.",
        ),
    ),
    (
        ("点值", "Point value"),
        (
            "一分值多少钱。年初点值用于月度预付，结算点值由全年基金与总分值得出。",
            "What one point is worth. The opening value is for advances; the settlement value is fund "
            "over points.",
        ),
    ),
    (
        ("支付比例", "Payment ratio"),
        (
            "统筹基金占付费口径费用的比例；点值对应费用总额，乘以它得到基金应付部分。",
            "The pooled fund's part of the cost: point values price the total cost, this ratio gives "
            "the fund's part.",
        ),
    ),
    (
        ("付费口径费用", "Cost priced by points"),
        (
            "医疗费总额减去按政策单独支付的项目。",
            "Total cost without the items that the policy pays apart.",
        ),
    ),
    (
        ("记账金额", "Booked amount"),
        (
            "患者出院结算时由统筹基金记账、医院先行垫付的金额。",
            "What the pooled fund owed when the patient was billed; the hospital advanced it.",
        ),
    ),
    (
        ("考核系数", "Assessment coefficient"),
        (
            "年度考核结果，1 为不扣减。",
            "The result of the yearly assessment; 1 means nothing is withheld.",
        ),
    ),
    (
        ("周转金", "Working capital"),
        (
            "年初借给医院周转的资金，年度清算时收回。",
            "Lent at the start of the year, taken back at the annual clearing.",
        ),
    ),
    (
        ("年度清算", "Annual clearing"),
        (
            "全年基金应付减去周转金和已预付；为正应拨给医疗机构，为负由医疗机构退回。",
            "The year's payable minus working capital and advances; below zero the hospital returns it.",
        ),
    ),
    (
        ("尾差", "Residual"),
        (
            "点值和比例取整后按分对齐的差额，逐分列示。",
            "What rounding leaves, shown to the fen.",
        ),
    ),
)
