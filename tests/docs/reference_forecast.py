"""The generated page docs/reference/forecast.md: the tables of a forecast."""

from __future__ import annotations

from fenzhi.simulation.forecast_columns import FORECAST

from .reference import NOTE

NOTES = {
    "accounts": "One row per hospital (all its pools, then each) and measure: what is done, what is expected, the "
    "interval. Measures: cases, points_e4, cmi_e4, cost_fen, booked_fen, gross_fen, payable_fen, balance_fen (payable "
    "- booked), shared_fen, final_fen, result_fen (final - booked), advance_fen, clearing_fen.",
    "values": "One row per pool and measure: settlement_value_e4, payment_ratio_e4, points_e4, cases.",
    "months": "One row per hospital (empty: the region) and month; 0 is the start of the year, 13 its clearing. Months "
    "that are over have no interval.",
    "drivers": "What the spread is made of: of each pool's value (no hospital), and of each hospital's amount before "
    "assessment. The shares add up to 1.",
    "backtest": "Only with `--back-test`: one row per hospital, or pool, and measure, with the truth.",
    "coverage": "Only with `--back-test`: of how many hospitals the interval holds the truth.",
}


def forecast_page() -> str:
    """Return docs/reference/forecast.md."""
    lines = [
        NOTE,
        "# Tables of a forecast",
        "",
        "`fenzhi forecast DIR -o FOLDER` writes a folder with these tables as Parquet and CSV, `forecast.html` and",
        "`summary.json` (region, day, draws, seed, level). Whole numbers in the units of the measure's name: `_fen`,",
        "`_e4` (1/10,000), else counts. How they come about: [the rules](../rules.md), Forecast.",
    ]
    for table, columns in FORECAST.items():
        lines += ["", f"## {table}", "", NOTES[table], ""]
        lines += ["| column | type | unit | 名称 | meaning |", "|---|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.zh} | {c.en} |" for c in columns]
    return "\n".join(lines) + "\n"
