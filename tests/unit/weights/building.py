"""Build a catalogue from a few stays, as the pipeline does."""

from __future__ import annotations

from typing import Any

import polars as pl
from worked import catalog, policy, row, stays

from fenzhi.catalogs import CatalogMeta, Dialect, DipCatalog
from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.policy.models import Policy
from fenzhi.weights.build import (
    Built,
    build_catalog,
    choose_threshold,
    compiled_base,
    empty_base,
    kept_rows,
    observe,
)

APP, ADH, DIALYSIS, STENT, SCOPE = "47.0100", "54.5100", "39.9500", "36.0700", "45.2300"
TYPES = {
    APP: "surgery",
    ADH: "surgery",
    DIALYSIS: "therapeutic",
    STENT: "interventional",
    SCOPE: "diagnostic",
}
META = CatalogMeta(
    id="local",
    title="local",
    version="1",
    kind="built",
    layers=("pregroup", "merged", "assisted", "basic", "comprehensive"),
    dialect=Dialect("or_of_ands"),
    synthetic=True,
)


# N1 and N2 differ by a related operation, N3 and N4 by how much of the diagnosis they name.
BASE = catalog(
    row("N1", "K35.8", "operation", main_oprn=APP),
    row("N2", "K35.8", "operation", main_oprn=APP, related_oprn=ADH),
    row("N3", "K36", "conservative"),
    row("N4", "K36.9", "conservative"),
    row("N5", "K36", "surgery", layer="comprehensive"),
    row("N6", "A00", "any"),
    operations=TYPES,
)


def rules(threshold: int = 3, grouping: dict[str, Any] | None = None, **more: Any) -> Policy:
    return policy(weights={"threshold": {"cases": threshold}, **more}, grouping=grouping or {})


def table(types: dict[str, str] = TYPES) -> pl.DataFrame:
    return pl.DataFrame(
        {"code": list(types), "name": [f"name {c}" for c in types], "type": list(types.values())}
    )


def cases(n: int, diag: str, oprn: str = "", cost: int = 1_000) -> list[dict[str, Any]]:
    return [{"diag": diag, "oprn": oprn, "medfee_sumamt_fen": cost * 100}] * n


def history(*parts: list[dict[str, Any]], fees: list[list[int] | None] | None = None) -> pl.DataFrame:
    frame = stays(*[case for part in parts for case in part])
    if fees is None:
        return frame
    return frame.with_columns(pl.Series("oprn_fees_fen", fees, dtype=pl.List(pl.Int64)))


def build(
    frame: pl.DataFrame,
    pack: Policy | None = None,
    base: DipCatalog | None = None,
    diagnoses: pl.DataFrame | None = None,
) -> Built:
    """Build as the pipeline does: observe, keep base rows, observe again without the dropped ones."""
    pack = pack or rules()
    below = base or empty_base(table())
    observed = observe(frame, compiled_base(below, pack))
    regroup = None
    if base is not None:
        combos = observed.group_by("diag", "main").agg(pl.len().alias("stays"))["stays"]
        kept, _ = kept_rows(observed, base, choose_threshold(combos, pack.weights.threshold))
        regroup = observe(frame, compiled_base(base, pack, kept))
    return build_catalog(observed, below, pack, META, regroup=regroup, diagnoses=diagnoses)


def group_ids(built: Built) -> list[str]:
    return built.catalog.groups["group_id"].to_list()


def grouped(frame: pl.DataFrame, built: Built, pack: Policy | None = None) -> list[str | None]:
    """Group a history by the catalogue that was built from it."""
    compiled = compile_catalog(built.catalog, (pack or rules()).grouping)
    return group_dip(frame, compiled).frame["group_id"].to_list()
