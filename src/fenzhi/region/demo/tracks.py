"""Other tracks of the demo region: bed-days, day surgery, a price list, chronic diseases by head. All are samples."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

#: Track -> name of its budget line, in the order of the budget.
LINES: Mapping[str, str] = {
    "bed_day": "床日付费病例",
    "day_surgery": "日间手术定额",
    "county_prices": "基层按病种定额",
    "chronic": "门诊慢特病按人头",
}
DAY_OPERATION, DAY_LONGEST = "13.4100", 2
# Diagnosis, main operation, price in yuan, share of the patient; for hospitals of level 1.
PRICES = (
    ("K64", "49.4500", "1800.00", "0.15"),
    ("K64", "49.4600", "2400.00", "0.15"),
    ("K35", "47.0900", "3300.00", "0.15"),
)
HEAD_YUAN, HEAD_MONTHS, HEAD_LEVELS = 60, (3, 6, 9, 12), ("1", "2")
HEAD_POOL = "resident"

POLICY = f"""
[[tracks]]
id = "bed_day"
title = "长期住院床日付费"
cite = "示例:床日标准按机构等级与住院日分段"
kind = "bed_day"
fund_share = 0.75
[[tracks.steps]]
upto_days = 30
yuan_per_day = 180
[[tracks.steps]]
upto_days = 90
yuan_per_day = 150
[[tracks.steps]]
yuan_per_day = 120
[[tracks.steps]]
level = "3"
upto_days = 30
yuan_per_day = 240
[[tracks.steps]]
level = "3"
yuan_per_day = 200

[[tracks]]
id = "day_surgery"
title = "白内障日间手术定额"
cite = "示例:住院不超过 {DAY_LONGEST} 日的白内障超声乳化定额"
kind = "day_surgery"
fund_share = 0.70
prices = [{{ operation = "{DAY_OPERATION}", yuan = 3200 }}]
[tracks.who]
los_upto = {DAY_LONGEST}

[[tracks]]
id = "county_prices"
title = "基层按病种定额"
cite = "示例:一级医疗机构的痔与阑尾炎手术,价格见 prices.csv"
kind = "price_per_disease"
[tracks.who]
levels = ["1"]

[[tracks]]
id = "chronic"
title = "门诊慢特病按人头"
cite = "示例:每人每季 {HEAD_YUAN} 元,人数见 outpatient.csv"
kind = "outpatient"
"""


def track_label(levels: pl.DataFrame) -> pl.Expr:
    """Return which track takes a stay of the written records, null for none; ``levels``: fixmedins_code, level."""
    small = levels.filter(pl.col("level") == "1")["fixmedins_code"].to_list()
    main, operation = pl.col("diag_codes").list.first(), pl.col("oprn_codes").list.first()
    listed = pl.any_horizontal(
        main.str.starts_with(head) & (operation == code) for head, code, _, _ in PRICES
    )
    return (
        pl.when(pl.col("med_type") == "2105")
        .then(pl.lit("bed_day"))
        .when((operation == DAY_OPERATION) & (pl.col("act_ipt_days") <= DAY_LONGEST))
        .then(pl.lit("day_surgery"))
        .when(listed & pl.col("fixmedins_code").is_in(small))
        .then(pl.lit("county_prices"))
    )


def price_list() -> pl.DataFrame:
    """Return prices.csv."""
    rows = [("county_prices", *row) for row in PRICES]
    return pl.DataFrame(
        rows, schema=["track", "diagnosis", "operation", "price", "patient_share"], orient="row"
    )


def heads(levels: pl.DataFrame) -> pl.DataFrame:
    """Return outpatient.csv: heads of a quarter at every hospital of the lower levels."""
    codes = levels.filter(pl.col("level").is_in(HEAD_LEVELS))["fixmedins_code"].to_list()
    rows = [
        (
            "chronic",
            code,
            HEAD_POOL,
            month,
            "高血压与糖尿病",
            15 + (7 * at + month) % 20,
            HEAD_YUAN,
            "",
        )
        for at, code in enumerate(codes)
        for month in HEAD_MONTHS
    ]
    names = ["track", "fixmedins_code", "pool", "month", "item", "units", "price", "points"]
    return pl.DataFrame(rows, schema=names, orient="row")


def heads_fen(table: pl.DataFrame) -> int:
    """Return what the heads of outpatient.csv cost in fen."""
    return int((table["units"] * table["price"]).sum()) * 100
