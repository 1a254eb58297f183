"""A drawn region as a folder on disk, in the form the engine reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import check_catalog, save_catalog
from twins import budget
from twins.codes import Row, TwinCatalog
from twins.engine import FEES, catalog_of, hospitals_of, plain, stays_of, yuan

MONEY = {
    "medfee_sumamt_fen": "medfee_sumamt",
    "hifp_pay_fen": "hifp_pay",
    "excl_pay_sumamt_fen": "excl_pay_sumamt",
    **{f"{name}_fen": name for name in FEES},
}


def sound(twin: TwinCatalog) -> TwinCatalog:
    """The catalogue without the rows a loader would refuse, such as the same rule twice."""
    while errors := [one for one in check_catalog(catalog_of(twin)) if one.severity == "error"]:
        wrong = {one.group_id for one in errors}
        assert wrong != {None}, errors
        twin.groups = [row for row in twin.groups if row["group_id"] not in wrong]
        if not twin.groups:
            break
    return twin


def toml(data: dict[str, Any], head: str = "") -> str:
    """Text of a nested dict: values first, then tables, then lists of tables; None is left out."""
    simple, tables = [], []
    for key, value in data.items():
        if isinstance(value, dict):
            tables.append(f"[{head}{json.dumps(key)}]\n" + toml(value, f"{head}{json.dumps(key)}."))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for one in value:
                tables.append(f"[[{head}{json.dumps(key)}]]\n" + toml(one, f"{head}{json.dumps(key)}."))
        elif value is not None:
            simple.append(f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(simple + tables)


def write_stays(stays: Sequence[Row], path: Path) -> None:
    """Stays in the flat shape, money in yuan."""
    frame = stays_of(stays).drop("row_idx", "source_file", "source_row", "nwb_adm_wt")
    money = [
        (pl.col(old).cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(16, 2)).alias(new)
        for old, new in MONEY.items()
    ]
    days = pl.duration(days=pl.col("act_ipt_days"))
    path.parent.mkdir(parents=True)
    frame.with_columns(
        *money,
        pl.lit(1, pl.Int8).alias("gend"),
        (pl.col("dscg_time") - days).alias("adm_time"),
    ).drop(list(MONEY)).write_parquet(path)


def write_csv(rows: list[Row], path: Path) -> None:
    if rows:
        pl.DataFrame(rows, infer_schema_length=None).write_csv(path)


def write_reviews(region: Row, folder: Path) -> None:
    """The applications of special review and what was decided."""
    applications = [
        {
            "setl_id": one["setl_id"],
            "applied_at": one["applied_at"],
            "reason": "drawn",
            "icu_hours": plain(one["icu_hours_e4"]),
            "items": ";".join(one["items"]),
            "departments": " ; ".join(one["departments"]),
        }
        for one in region["applications"]
    ]
    write_csv(applications, folder / "special_review.csv")
    decisions = []
    for one in region["decisions"]:
        value = one["value"]
        if value is not None:
            value = yuan(value) if one["outcome"] == "adjusted_standard" else plain(value)
        said = {"decided_by": "drawn", "decided_at": "2027-12-01", "why": "drawn"}
        decisions.append({"setl_id": one["setl_id"], "outcome": one["outcome"], "value": value, **said})
    write_csv(decisions, folder / "review_decisions.csv")


def track_row(row: Row) -> Row:
    """A row of a table of other tracks as the file says it."""
    found: Row = {}
    for key, value in row.items():
        if key.endswith("_fen"):
            found[key.removesuffix("_fen")] = None if value is None else yuan(value)
        elif key.endswith("_e4"):
            found[key.removesuffix("_e4")] = plain(value)
        elif key != "row":
            found[key] = "|".join(value) if isinstance(value, list) else value
    return found


def write_region(
    folder: Path, region: Row, catalog: TwinCatalog, rules: dict[str, Any], stays: dict[str, Sequence[Row]]
) -> None:
    """Write everything that ``load_region`` and ``compute`` read; ``stays`` has history and records."""
    folder.mkdir(parents=True, exist_ok=True)
    save_catalog(catalog_of(catalog), folder / "catalog")
    pools = [
        {
            "id": pool["id"],
            "title": pool["id"],
            "insutype": pool["insutype"],
            "areas": pool["areas"],
            "opening_value": plain(pool["opening_value_e4"]),
        }
        for pool in region["pools"]
    ]
    meta = {
        "id": "drawn",
        "name": "drawn",
        "area": region["area"],
        "year": region["year"],
        "policy": "policy.toml",
        "catalog": "catalog",
        "history": ["history"],
        "history_years": region["history_years"],
    }
    head = {"id": "drawn", "title": "drawn", "scheme": "dip", "version": "1"}
    for name, data in {
        "region.toml": {"region": meta, "pool": pools},
        "policy.toml": {"meta": head, **rules},
        "budget.toml": {
            "year": region["year"],
            "pool": [budget.written(name, one) for name, one in region["budgets"].items()],
        },
    }.items():
        (folder / name).write_text(toml(data), encoding="utf-8")
    hospitals_of(region["hospitals"]).write_csv(folder / "hospitals.csv")
    for name, column in (("deductions", "reason"), ("advances", "reason")):
        entries = region[name]
        if entries is not None:
            rows = [{**one, "amount": yuan(one["amount_fen"]), column: "drawn"} for one in entries]
            for row in rows:
                del row["amount_fen"]
            write_csv(rows, folder / f"{name}.csv")
    negotiated = [
        {"group_id": group, "weight": plain(weight), "who": "drawn", "why": "drawn"}
        for group, weight in region.get("weight_overrides", {}).items()
    ]
    write_csv(negotiated, folder / "weight_overrides.csv")
    values = [
        {
            "fixmedins_code": row["fixmedins_code"],
            "item": row["item"],
            "value": ("-" if row["value_e4"] < 0 else "") + str(plain(abs(row["value_e4"]))),
        }
        for row in region.get("bonuses", ())
    ]
    write_csv(values, folder / "bonuses.csv")
    lists = [
        dict(zip(("list", "category", "code", "points"), row, strict=True)) for row in region.get("lists", ())
    ]
    write_csv(lists, folder / "comorbidity.csv")
    listed = [{**row, "coefficient": plain(row["coefficient_e4"])} for row in region.get("auxiliary") or []]
    write_csv(listed, folder / "auxiliary.csv")
    assessed = [
        {"fixmedins_code": code, "coefficient": plain(value)} for code, value in region["assessment"].items()
    ]
    write_csv(assessed, folder / "assessment.csv")
    for name, table in region.get("track_tables", {}).items():
        write_csv([track_row(row) for row in table], folder / f"{name}.csv")
    if rules["special_review"] is not None:
        write_reviews(region, folder)
    write_stays(stays["history"], folder / "history" / "stays.parquet")
    write_stays(stays["records"], folder / "records" / "stays.parquet")
