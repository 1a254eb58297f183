"""Small catalogues, stays, policies and weights that the worked examples start from."""

from __future__ import annotations

from typing import Any

import polars as pl

from fenzhi.catalogs import CatalogMeta, Dialect, DipCatalog, make_catalog
from fenzhi.catalogs.models import GROUPS_SCHEMA
from fenzhi.policy.models import Policy
from fenzhi.weights import Weights

META = {"id": "worked", "title": "worked", "scheme": "dip", "version": "1"}
NORMAL = {"name": "normal", "points": "normal"}
LAYERS = ("pregroup", "merged", "assisted", "basic", "comprehensive")


def policy(**sections: Any) -> Policy:
    """Return a pack with its defaults, ``sections`` laid over them, and one band that changes nothing."""
    return Policy.model_validate({"meta": META, "deviation": {"bands": [NORMAL]}, **sections})


def banded(*bands: dict[str, Any], **references: str) -> dict[str, Any]:
    """Return a deviation section of bands, named b0, b1, ... where they have no name."""
    named = [{"name": f"b{place}", **band} for place, band in enumerate(bands)]
    return {"bands": named, **references}


def row(group_id: str, main_diag: str | None, treatment: str = "any", **cells: Any) -> dict[str, Any]:
    """Return one catalogue row; the layer is basic unless given."""
    return {
        "group_id": group_id,
        "name": group_id,
        "layer": "basic",
        "main_diag": main_diag,
        "treatment": treatment,
        **cells,
    }


def catalog(
    *rows: dict[str, Any],
    operations: dict[str, str] | None = None,
    exclusions: list[tuple[str, str, str | None]] | None = None,
    code_sets: dict[str, tuple[str, ...]] | None = None,
    dialect: Dialect | None = None,
) -> DipCatalog:
    """Return a catalogue of these rows with an operation table ``code -> type``."""
    meta = CatalogMeta(
        id="worked",
        title="worked",
        version="1",
        kind="demonstration",
        layers=LAYERS,
        dialect=dialect or Dialect("or_of_ands"),
        synthetic=True,
    )
    groups = (
        pl.DataFrame(list(rows), infer_schema_length=None) if rows else pl.DataFrame(schema=GROUPS_SCHEMA)
    )
    types = operations or {}
    text = pl.String
    return make_catalog(
        meta,
        groups,
        code_sets=code_sets,
        exclusions=pl.DataFrame(
            exclusions or [], schema={"kind": text, "code": text, "within": text}, orient="row"
        ),
        operations=pl.DataFrame(
            {"code": list(types), "name": list(types), "type": list(types.values())},
            schema={"code": text, "name": text, "type": text},
        ),
    )


def stays(*cases: dict[str, Any]) -> pl.DataFrame:
    """Return stays for grouping: ``diag`` and ``oprn`` are codes joined by ``|``, empty text is no code."""
    rows = []
    for number, case in enumerate(cases):
        known = {"age": 45, "nwb_age": None, "nwb_bir_wt": None, "medfee_sumamt_fen": 100_000, **case}
        for name in ("diag", "oprn"):
            text = known.pop(name, "")
            known[f"{name}_codes"] = text.split("|") if text else []
        rows.append({"row_idx": number, "setl_id": f"S{number + 1}", **known})
    schema = {
        "row_idx": pl.UInt32,
        "setl_id": pl.String,
        "diag_codes": pl.List(pl.String),
        "oprn_codes": pl.List(pl.String),
        "age": pl.Int16,
        "nwb_age": pl.Int32,
        "nwb_bir_wt": pl.Int32,
        "medfee_sumamt_fen": pl.Int64,
    }
    return pl.DataFrame([{name: one[name] for name in schema} for one in rows], schema=schema, orient="row")


def hospitals(*rows: tuple[str, str, str, str | None]) -> pl.DataFrame:
    """Return hospitals from (code, level, type, coefficient given as text or None)."""
    names = ["fixmedins_code", "level", "type", "coefficient"]
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")


def weights(
    groups: list[dict[str, int | None]],
    *,
    level_means: list[tuple[int, str, int]] = (),  # type: ignore[assignment]
    coefficients: list[tuple[str, str, int]] = (),  # type: ignore[assignment]
    mean_fen: int = 1_000_000,
) -> Weights:
    """Return weights as if measured. ``level_means``: (group, level, fen); ``coefficients``: (hospital, level, e4)."""
    number = len(groups)
    return Weights(
        groups=pl.DataFrame(
            {
                "group_idx": range(number),
                "rw_e4": [one.get("rw_e4") for one in groups],
                "last_mean_fen": [one.get("last_mean_fen") for one in groups],
            },
            schema={"group_idx": pl.Int32, "rw_e4": pl.Int64, "last_mean_fen": pl.Int64},
        ),
        level_means=pl.DataFrame(
            list(level_means),
            schema={"group_idx": pl.Int32, "level": pl.String, "mean_fen": pl.Int64},
            orient="row",
        ),
        coefficients=pl.DataFrame(
            list(coefficients),
            schema={"fixmedins_code": pl.String, "level": pl.String, "coefficient_e4": pl.Int64},
            orient="row",
        ),
        classes=pl.DataFrame(),
        mean_fen=mean_fen,
        years=(2024, 2025, 2026),
    )
