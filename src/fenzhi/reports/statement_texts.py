"""The words of what a hospital reads besides the yearly steps: remarks, departments, months, confirmation, workbook.

The form is that of :mod:`fenzhi.reports.texts`.
"""

from __future__ import annotations

STATEMENT_TEXTS: dict[str, tuple[str, str]] = {
    # remarks
    "remarks": ("说明", "Remarks"),
    "remark_no_stays": (
        "本机构全年没有送审任何病例，因此没有分值和基金应付。",
        "The hospital handed in no stay in the year: there are no points and nothing is payable.",
    ),
    "remark_no_stays_rows": (
        "本机构送审 {rows} 行，但全年没有按分值付费的病例，因此没有分值；各行的去向见“病例去向”。",
        "The hospital handed in {rows} rows, but no stay paid by points: there are no points. Where the rows went is "
        "said below.",
    ),
    "remark_begins": (
        "本机构自 {first} 月起有按分值付费的病例，{before} 月及以前没有病例。",
        "The hospital's first stays paid by points are of month {first}; there are none up to month {before}.",
    ),
    "remark_ends": (
        "本机构最后的病例在 {last} 月出院，{after} 月起没有病例，也没有预付；年度清算按全年有病例的月份计算。",
        "The hospital's last stays left in month {last}; from month {after} on there are no stays and no advances. The "
        "clearing covers the months with stays.",
    ),
    "remark_pool_not_booked": (
        "基金池“{pool}”全年记账金额为 0，支付比例按 1 计算；与记账比较的差额即为全部基金应付。",
        "Nothing was booked in the pool {pool} in the whole year: the payment ratio counts as 1, and the whole payable "
        "amount differs from what was booked.",
    ),
    "remark_not_booked": (
        "本机构在基金池“{pool}”有病例，但记账金额为 0；基金应付按分值计算，不受影响，请核对记账数据。",
        "The hospital has stays in the pool {pool} but booked nothing there. What is payable follows from the points "
        "all the same; please check the booked amounts.",
    ),
    "remark_returns": (
        "基金池“{pool}”：预付与周转金共 {paid} 元，多于应付 {payable} 元，多付的 {back} 元由本机构退回"
        "{agency}医疗保障经办机构（基金池“{pool}”）。",
        "Pool {pool}: advances and working capital of {paid} yuan are more than the {payable} yuan payable. The "
        "hospital returns the {back} yuan overpaid to the agency of {agency} (pool {pool}).",
    ),
    "remark_returns_more": (
        "基金池“{pool}”：预付、周转金、季度清算与预留保证金共 {paid} 元，多于应付 {payable} 元，"
        "多出的 {back} 元由本机构退回{agency}医疗保障经办机构（基金池“{pool}”）。",
        "Pool {pool}: advances, working capital, quarterly clearing and deposit of {paid} yuan are more than the "
        "{payable} yuan payable. The hospital returns the {back} yuan overpaid to the agency of {agency} "
        "(pool {pool}).",
    ),
    "remark_short": (
        "基金池“{pool}”的储备已用完：按政策应由基金分担的超支中有 {short} 元无力支付，由本机构自行承担。",
        "The reserve of the pool {pool} is used up: {short} yuan of the overrun that the fund should bear could not be "
        "paid and stay with the hospital.",
    ),
    "remark_net_back": (
        "各基金池相抵后，本机构共应退回{agency}医疗保障经办机构 {amount} 元。",
        "All pools taken together, the hospital returns {amount} yuan to the agency of {agency}.",
    ),
    "remark_net_due": (
        "各基金池相抵后，{agency}医疗保障经办机构仍应拨付本机构 {amount} 元。",
        "All pools taken together, the agency of {agency} still pays the hospital {amount} yuan.",
    ),
    "remark_net_none": (
        "各基金池相抵后，本机构与{agency}医疗保障经办机构互不收付（{amount} 元）。",
        "All pools taken together, the hospital and the agency of {agency} owe each other nothing ({amount} yuan).",
    ),
    # departments, special review
    "departments": ("分科室情况", "By department"),
    "departments_note": (
        "按出院科别汇总；应付为考核前基金应付，差额为应付与记账之差。",
        "By department of discharge; payable before assessment, the balance is payable minus booked.",
    ),
    "reviews": ("特例单议", "Special review"),
    "reviews_note": (
        "已作出决定的病例；应付为考核前基金应付。",
        "Stays that were decided upon; payable before assessment.",
    ),
    "only_months": ("分月结算单", "Statement by month"),
    "only_confirm": ("清算确认单", "Confirmation"),
    "only_year": ("年度清算单", "Statement of the year"),
    # months
    "months_title": ("{name} · {year} 年度分月结算单", "{name} · months of {year}"),
    "months_page": ("按病种付费分月结算单", "Payment by disease, month by month"),
    "months_about": (
        "月度应付按年初点值计算并按比例预付；“按结算点值”一行是年终点值确定后该月病例的应付，只作对照。",
        "What is due in a month is priced by the opening value and paid in advance at a ratio. The line at the "
        "settlement value says what the month's stays get in the end, for comparison.",
    ),
    "month_title": ("{year} 年 {month} 月", "{year}, month {month}"),
    "month_sentence": (
        "结算病例 {cases} 例，分值 {points}；月度应付 {due} 元，预付 {advance} 元。",
        "{cases} stays, {points} points; {due} yuan due, {advance} yuan paid in advance.",
    ),
    "month_none": (
        "本月没有按分值付费的病例；预付 {advance} 元。",
        "No stay paid by points in this month; {advance} yuan paid in advance.",
    ),
    "part_stays": ("一、病例与分值", "A. Stays and points"),
    "part_deviation": ("二、费用偏差与特例单议", "B. Deviation and special review"),
    "part_advance": ("三、月度应付与预付", "C. Due and paid in advance"),
    "part_final": ("四、年终对照", "D. At the end of the year"),
    "of_kind": ("其中：{kind}", "of these: {kind}"),
    "stays_in_band": ("病例：{band}", "stays: {band}"),
    "stays_reviewed": ("特例单议：{outcome}", "special review: {outcome}"),
    "how_month_due": (
        "分值 × 年初点值 − 患者及其他方支付 + 直接支付",
        "points × opening value − paid by others + paid directly",
    ),
    "how_month_advance": (
        "月度应付 × 预付比例 − 当月审核扣款，不低于 0；有实际预付记录的以记录为准",
        "due × advance ratio − audit deductions of the month, at least 0; what was really paid, where that is recorded",
    ),
    "month_payable": ("按结算点值的基金应付（考核前）", "payable at the settlement value, before assessment"),
    # confirmation
    "confirm_title": ("{name} · {year} 年度清算确认单", "{name} · confirmation {year}"),
    "confirm_page": ("按病种付费年度清算确认单", "Confirmation of the annual clearing"),
    "confirm_amounts": ("确认金额", "Amounts confirmed"),
    "figures_heading": ("小写（元）", "in figures (yuan)"),
    "capitals_heading": ("大写", "in Chinese capitals"),
    "confirm_hash": ("运算清单 SHA-256", "SHA-256 of the manifest"),
    "confirm_hash_note": (
        "运算清单记录了政策、目录和全部输入文件的哈希值；清单改动一字，此值即不同。",
        "The manifest names the policy, the catalogue and the hash of every input file; change one sign, and this "
        "value differs.",
    ),
    "confirm_privacy": (
        "本单只含机构汇总数，不含病例明细和个人信息。",
        "This page shows sums of a hospital only: no single stays, no personal data.",
    ),
    # ledger
    "ledger_entry": ("序号", "entry"),
    "ledger_period": ("期间", "period"),
    "ledger_pool": ("基金池", "pool"),
    "ledger_debit": ("借方科目", "debit"),
    "ledger_credit": ("贷方科目", "credit"),
    "ledger_kind": ("事项", "movement"),
    "ledger_account": ("科目", "account"),
    "ledger_id": ("科目代码", "account id"),
    "ledger_counter": ("对方科目", "other account"),
    "ledger_opening": ("期初余额", "opening balance"),
    "ledger_closing": ("期末余额", "closing balance"),
    "ledger_debits": ("借方", "debits"),
    "ledger_credits": ("贷方", "credits"),
    "ledger_side": ("方向", "side"),
    "ledger_balance": ("余额", "balance"),
    "ledger_entries": ("分录", "Entries"),
    "ledger_balances": ("科目余额", "Balances"),
    "ledger_note": (
        "余额 = 借方 − 贷方；借方收，贷方付。",
        "balance = debits − credits; the debited account receives, the credited one gives.",
    ),
    "ledger_proof": (
        "{pool}：{entries} 笔，借方合计 {debit} 元 = 贷方合计 {credit} 元",
        "{pool}: {entries} entries, debits {debit} yuan = credits {credit} yuan",
    ),
    "ledger_proved": (
        "全部账目平衡：基金、按病种付费基金和各机构应付科目期末均为 0，并与各机构结算数一致。",
        "The ledger balances: every fund, by-disease and hospital account ends at 0, as the hospitals' table says.",
    ),
    "ledger_more": ("另有 {n} 行未显示，用 -o 写出全部", "{n} more lines; -o writes all of them"),
    # workbook of a hospital
    "hospital_about": (
        "一家机构的清算单数据：科室与病种为全部，不含病例明细。",
        "The figures of one hospital's statement, all departments and groups; single stays are not included.",
    ),
    "sheet.steps": ("清算步骤", "Steps"),
    "sheet.departments": ("科室", "Departments"),
    "sheet.deviation": ("费用偏差", "Deviation"),
    "sheet.outcomes": ("病例去向", "Outcomes"),
    "sheet.account": ("往来账", "Account"),
    "sheet.kinds": ("分月明细", "Months in detail"),
}
