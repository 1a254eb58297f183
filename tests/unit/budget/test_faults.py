"""Every fault of a pool's budget: code, field, value, message, remedy."""

from __future__ import annotations

from typing import Any

import pytest

from fenzhi.budget import Budget
from fenzhi.errors import RegionError

INCOME = {"name": "in", "kind": "income", "amount": "1000"}
RISK = {"name": "risk", "kind": "reserve", "amount": "50"}
AWAY = {"name": "away", "kind": "out_of_region", "amount": "100"}


def line(**keys: str) -> dict[str, Any]:
    return {"lines": [INCOME, {"name": "x", "kind": "carve_out", **keys}]}


def change(**keys: str) -> dict[str, Any]:
    plain = {"date": "2027-05-01", "reason": "r", "line": "away", "amount": "1", "from": "risk"}
    return {
        "lines": [INCOME, RISK, AWAY],
        "change": [{key: value for key, value in (plain | keys).items() if value}],
    }


def share(**keys: str) -> dict[str, Any]:
    return {"lines": [INCOME, RISK], "method": "share", "last_by_disease": "1", "last_total": "2", **keys}


FAULTS = [
    (line(), "BUDGET_LINE", "pool E, line x", None, "neither amount nor share", 'amount = "..."'),
    (line(amount="1", share="0.1"), "BUDGET_LINE", "pool E, line x", None, "not both", "keep one"),
    (line(amount="1.005"), "BUDGET_VALUE", "pool E, line x", "1.005", "two decimals", "correct the amount"),
    (line(amount="10000000000000"), "BUDGET_VALUE", "pool E, line x", "10000000000000", "yuan", "correct"),
    (line(share="1.01"), "BUDGET_VALUE", "pool E, line x, share", "1.01", "between 0 and 1", '"0.02"'),
    (line(share="-0.01"), "BUDGET_VALUE", "pool E, line x, share", "-0.01", "between 0 and 1", '"0.02"'),
    (
        {"lines": [{"name": "in", "kind": "income", "share": "0.5"}]},
        "BUDGET_LINE",
        "pool E, line in, share",
        "0.5",
        "income cannot be a share",
        "amount in yuan",
    ),
    (line(name="in", amount="1"), "BUDGET_LINE", "pool E, lines.name", "in", "the same name", "own name"),
    (
        line(name="by_disease", amount="1"),
        "BUDGET_LINE",
        "pool E, lines.name",
        "by_disease",
        "no line may be named",
        "another name",
    ),
    (
        line(name="left_over", amount="1"),
        "BUDGET_LINE",
        "pool E, lines.name",
        "left_over",
        "no line may be named",
        "another name",
    ),
    (
        line(kind="reserve", amount="1", track="bed_day"),
        "BUDGET_LINE",
        "pool E, line x, track",
        "bed_day",
        "only a line of kind carve_out",
        "take track away",
    ),
    (
        {
            "lines": [
                INCOME,
                {"name": "a", "kind": "carve_out", "amount": "1", "track": "bed_day"},
                {"name": "b", "kind": "carve_out", "amount": "1", "track": "bed_day"},
            ]
        },
        "BUDGET_LINE",
        "pool E, line b, track",
        "bed_day",
        "the same track",
        "one line",
    ),
    (
        share(last_total="", method="share") | {"last_total": None},
        "BUDGET_METHOD",
        "pool E, last_total",
        None,
        "the method share needs last_total",
        "items, share, growth",
    ),
    (
        share(method="growth"),
        "BUDGET_METHOD",
        "pool E, last_total",
        "2",
        "the method growth does not read last_total",
        "take last_total away",
    ),
    (
        {"lines": [INCOME], "growth_rate": "0.1"},
        "BUDGET_METHOD",
        "pool E, growth_rate",
        "0.1",
        "the method items does not read growth_rate",
        "name the method",
    ),
    (
        share(last_by_disease="2.01"),
        "BUDGET_METHOD",
        "pool E, last_by_disease",
        "2.01",
        "more than last year's whole total",
        "was a part of",
    ),
    (
        share(last_by_disease="1.001"),
        "BUDGET_VALUE",
        "pool E, last_by_disease",
        "1.001",
        "two decimals",
        "correct",
    ),
    (
        change(date="2028-01-01"),
        "BUDGET_CHANGE",
        "pool E, change 1, date",
        "2028-01-01",
        "outside the year 2027",
        "a day of the year",
    ),
    (
        change(line="awya"),
        "BUDGET_CHANGE",
        "pool E, change 1, line",
        "awya",
        "no line of this name",
        "use one of: in, risk, away, by_disease",
    ),
    (
        change(**{"from": "left_over"}),
        "BUDGET_CHANGE",
        "pool E, change 1, from",
        "left_over",
        "no line of this name",
        "use one of: in, risk, away, by_disease",
    ),
    (change(amount="0"), "BUDGET_CHANGE", "pool E, change 1, amount", "0", "of nothing", "take the change"),
    (change(amount="0.001"), "BUDGET_VALUE", "pool E, change 1, amount", "0.001", "decimals", "correct"),
    (change(to="in"), "BUDGET_CHANGE", "pool E, change 1", None, "not both", "two changes"),
    (change(line="risk"), "BUDGET_CHANGE", "pool E, change 1", "risk", "with itself", "the other line"),
    (
        change(**{"from": ""}),
        "BUDGET_CHANGE",
        "pool E, change 1, line",
        "away",
        "only income can change the total",
        'from = "..."',
    ),
    (
        change(amount="-1", **{"from": ""}),
        "BUDGET_CHANGE",
        "pool E, change 1, line",
        "away",
        "only income can change the total",
        'to = "..."',
    ),
    (
        change(amount="-1"),
        "BUDGET_CHANGE",
        "pool E, change 1, amount",
        "-1",
        "gets less names its other side with to",
        "write to = 'risk'",
    ),
    (
        change(to="risk", **{"from": ""}),
        "BUDGET_CHANGE",
        "pool E, change 1, amount",
        "1",
        "gets more names its other side with from",
        "write from = 'risk'",
    ),
    (
        change(**{"from": "in"}),
        "BUDGET_CHANGE",
        "pool E, change 1",
        "in",
        "between a line of income and one that takes away",
        "change the income by itself",
    ),
    (
        change(amount="50.01"),
        "BUDGET_CHANGE",
        "pool E, line risk",
        "50.01",
        "the change of 2027-05-01 leaves risk at -0.01 yuan",
        "move less",
    ),
    (
        change(**{"from": "by_disease"}, amount="850.01"),
        "BUDGET_NEGATIVE",
        "pool E",
        None,
        "after the change of 2027-05-01: line away lacks 0.01 yuan",
        "check the amounts",
    ),
    (
        {"lines": [INCOME, {**AWAY, "amount": "1000.01"}]},
        "BUDGET_NEGATIVE",
        "pool E",
        None,
        "take away more than its income: line away lacks 0.01 yuan",
        "check the amounts",
    ),
    (
        {"lines": [AWAY, INCOME]},
        "BUDGET_NEGATIVE",
        "pool E",
        None,
        "line away lacks 100.00 yuan",
        "lines of income stand before",
    ),
    (
        share(last_by_disease="2"),
        "BUDGET_TOTAL",
        "pool E",
        "-50.00",
        "leave 950.00 yuan, its by-disease total by the method share is 1,000.00",
        "lower the lines, raise the income",
    ),
    (
        share() | {"change": [{"date": "2027-02-01", "reason": "r", "line": "in", "amount": "-901"}]},
        "BUDGET_TOTAL",
        "pool E",
        "-0.50",
        "leave 49.00 yuan after the change of 2027-02-01, its by-disease total by the method share is 49.50",
        "lower the lines",
    ),
    (
        share()
        | {
            "change": [
                {"date": "2027-02-01", "reason": "r", "line": "risk", "amount": "451", "from": "left_over"}
            ]
        },
        "BUDGET_CHANGE",
        "pool E, line left_over",
        "451",
        "leaves left_over at -1.00 yuan",
        "move less",
    ),
    (
        share()
        | {
            "change": [
                {"date": "2027-02-01", "reason": "r", "line": "risk", "amount": "501", "from": "by_disease"}
            ]
        },
        "BUDGET_CHANGE",
        "pool E, line by_disease",
        "501",
        "leaves by_disease at -1.00 yuan",
        "move less",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[1]}-{fault[4]}")
def test_each_fault_is_said_in_words(fault) -> None:
    pool, code, field, value, says, remedy = fault
    with pytest.raises(RegionError) as caught:
        Budget.model_validate({"year": 2027, "pool": [{"id": "E", **pool}]}).of("E")
    error = caught.value
    assert (error.code, error.field, error.file) == (code, field, "budget.toml"), error.text()
    assert (error.value if error.value is None else str(error.value)) == value
    assert says in error.message
    assert remedy in (error.remedy or "")


@pytest.mark.parametrize("amount", ["50", "49.99"])
def test_what_just_fits_is_no_fault(amount: str) -> None:
    Budget.model_validate({"year": 2027, "pool": [{"id": "E", **change(amount=amount)}]}).of("E")
