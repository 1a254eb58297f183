"""The engine's view of what the twins hold as dicts: catalogues, frames of stays. Only tests import this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from fenzhi.catalogs import CatalogMeta, Dialect, DipCatalog, TcmTables, make_catalog, with_tcm
from fenzhi.catalogs.drg.models import TABLES, DrgCatalog, DrgMeta
from fenzhi.catalogs.tcm import TCM_GROUPS, TCM_OPERATIONS
from fenzhi.policy.models import Policy
from twins.codes import Row, TwinCatalog
from twins.exact import E4, half_up, number

FEES = ("treat_fee", "drug_fee", "oprn_fee", "matl_fee", "tcm_treat_fee", "tcmpat_fee", "tcmherb_fee")
STAYS = {
    "setl_id": pl.String,
    "psn_no": pl.String,
    "fixmedins_code": pl.String,
    "insutype": pl.String,
    "insu_admdvs": pl.String,
    "gend": pl.Int8,
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "nwb_bir_wt": pl.Int32,
    "nwb_adm_wt": pl.Int32,
    "adm_time": pl.Datetime("us"),
    "dscg_time": pl.Datetime("us"),
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "med_type": pl.String,
    "dscg_caty": pl.String,
    "diag_codes": pl.List(pl.String),
    "oprn_codes": pl.List(pl.String),
    "tcm_diag_codes": pl.List(pl.String),
    "medfee_sumamt_fen": pl.Int64,
    "hifp_pay_fen": pl.Int64,
    "excl_pay_sumamt_fen": pl.Int64,
    **dict.fromkeys((f"{name}_fen" for name in FEES), pl.Int64),
    "scs_cutd_sum_dura": pl.String,
}


def catalog_of(twin: TwinCatalog) -> DipCatalog:
    """The same catalogue as the engine holds it."""
    meta = CatalogMeta(
        id="drawn",
        title="drawn",
        version="1",
        kind="demonstration",
        layers=tuple(twin.layers),
        dialect=Dialect(twin.form, twin.or_, twin.and_),  # type: ignore[arg-type]
        synthetic=True,
    )
    groups = [{"name": row["group_id"], **row} for row in twin.groups]
    exclusions = pl.DataFrame(twin.exclusions, schema=dict.fromkeys(("kind", "code", "within"), pl.String))
    table = {
        "code": list(twin.operations),
        "name": list(twin.operations),
        "type": list(twin.operations.values()),
    }
    made = make_catalog(
        meta,
        pl.DataFrame(groups, infer_schema_length=None),
        code_sets={name: tuple(codes) for name, codes in twin.code_sets.items()},
        exclusions=exclusions,
        operations=pl.DataFrame(table, schema=dict.fromkeys(table, pl.String)),
    )
    conditions = pl.DataFrame(
        [{name: row.get(name) for name in TCM_GROUPS} for row in twin.tcm], schema=TCM_GROUPS
    )
    operations = [(code, one, None) for code, one in twin.tcm_operations]
    lists = {name: tuple(codes) for name, codes in twin.tcm_lists.items()}
    return with_tcm(
        made, TcmTables(conditions, pl.DataFrame(operations, schema=TCM_OPERATIONS, orient="row"), lists)
    )


def drg_catalog_of(weights: dict[str, str | None]) -> DrgCatalog:
    """A DRG catalogue that is nothing but its groups and their weights, in this order."""
    tables = {name: pl.DataFrame(schema=schema) for name, schema in TABLES.items()}
    rows = [{"adrg": name, "mdc": "X", "type": "medical", "drg": name, "rule": "always"} for name in weights]
    for name in ("adrg", "drg"):
        schema = TABLES[name]
        tables[name] = pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema)
    given = {"drg": list(weights), "weight": list(weights.values())}
    tables["weights"] = pl.DataFrame(given, schema=TABLES["weights"])
    meta = DrgMeta(id="drawn", title="drawn", version="1", kind="demonstration")
    return DrgCatalog(meta, tables, None, "drawn")


def overrides_of(weights: dict[str, int]) -> pl.DataFrame:
    """Negotiated weights (group -> 1/10,000) as the region's folder gives them."""
    table = {"group_id": list(weights), "weight_e4": list(weights.values())}
    frame = pl.DataFrame(table, schema={"group_id": pl.String, "weight_e4": pl.Int64})
    row = pl.int_range(1, pl.len() + 1).alias("source_row")
    return frame.with_columns(pl.lit("weight_overrides.csv").alias("source_file"), row)


def bonuses_of(bonuses: Sequence[Row], hospitals: Sequence[Row], items: Sequence[Row]) -> pl.DataFrame:
    """Values of the items as the region's folder gives them, completed by the defaults."""
    known = {(row["fixmedins_code"], row["item"]): row["value_e4"] for row in bonuses}
    rows = [
        (code, item["name"], known.get((code, item["name"]), half_up(number(item["default"] or 0) * E4)))
        for code in (hospital["fixmedins_code"] for hospital in hospitals)
        for item in items
    ]
    schema = {"fixmedins_code": pl.String, "item": pl.String, "value_e4": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def stays_of(stays: Sequence[Row]) -> pl.DataFrame:
    """A frame of accepted stays, in order, as reading and quality control hand it on."""
    rows: list[dict[str, Any]] = []
    for place, stay in enumerate(stays):
        cost = stay.get("medfee_sumamt_fen", stay.get("cost_fen", 0))
        row = {"setl_id": f"S{place}", "dscg_time": datetime(2026, 1, 1), **stay, "medfee_sumamt_fen": cost}
        rows.append({name: row.get(name) for name in STAYS})
    frame = pl.DataFrame(rows, schema=STAYS, orient="row")
    index = pl.int_range(frame.height, dtype=pl.UInt32).alias("row_idx")
    source = pl.lit("drawn").cast(pl.Categorical).alias("source_file")
    return frame.select(index, source, pl.int_range(1, frame.height + 1).alias("source_row"), pl.all())


def policy_of(rules: dict[str, Any]) -> Policy:
    """The same policy as the engine holds it."""
    meta = {"id": "drawn", "title": "drawn", "scheme": "dip", "version": "1"}
    return Policy.model_validate({"meta": meta, **rules})


def yuan(fen: int) -> str:
    """An amount of fen as text in yuan."""
    return f"{fen // 100}.{fen % 100:02d}"


def plain(value_e4: int | None) -> str | None:
    """A number at 1/10,000 as text."""
    return None if value_e4 is None else f"{value_e4 // E4}.{value_e4 % E4:04d}"


def hospitals_of(hospitals: Sequence[Row]) -> pl.DataFrame:
    """The frame of hospitals as the region's folder gives it."""
    columns = ["fixmedins_code", "fixmedins_name", "level", "type", "county", "community", "coefficient"]
    rows = [
        {"fixmedins_name": one["fixmedins_code"], **one, "coefficient": plain(one["coefficient_e4"])}
        for one in hospitals
    ]
    schema = dict.fromkeys(columns, pl.String)
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=schema).sort(
        "fixmedins_code"
    )
