"""A DRG catalogue in figures: what a reader wants to see first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.catalogs.drg.models import DrgCatalog

SWITCHES = ("code_match", "translate_codes", "retry_other_operations", "ambiguous")


@dataclass(frozen=True)
class Summary:
    """``chapters``: mdc, name, entry_rule, qy_rule, adrgs, surgical, procedure, medical, drgs, diagnoses, in order.

    ``sizes``: what -> how many. ``switches``: the switches of :class:`DrgMeta`.
    """

    chapters: pl.DataFrame
    sizes: Mapping[str, int]
    switches: Mapping[str, str | bool]


def describe(catalog: DrgCatalog) -> Summary:
    """Return chapters with the number of their ADRGs, DRGs and diagnoses, sizes and switches of a catalogue."""
    tables = catalog.tables
    adrg = tables["adrg"].unique("adrg", keep="first", maintain_order=True)
    drg = tables["drg"].unique("drg", keep="first").join(adrg.select("adrg", "mdc"), on="adrg", how="left")
    kinds = [
        (pl.col("type") == kind).sum().cast(pl.Int64).alias(kind)
        for kind in ("surgical", "procedure", "medical")
    ]
    counts = {
        "adrgs": adrg.group_by("mdc").agg(pl.len().cast(pl.Int64).alias("adrgs"), *kinds),
        "drgs": drg.group_by("mdc").agg(pl.len().cast(pl.Int64).alias("drgs")),
        "diagnoses": tables["mdc_dx"]
        .group_by("mdc")
        .agg(pl.col("code").n_unique().cast(pl.Int64).alias("diagnoses")),
    }
    chapters = tables["mdc"].select("mdc", "name", "entry_rule", "qy_rule")
    for frame in counts.values():
        chapters = chapters.join(frame, on="mdc", how="left", maintain_order="left")
    level = tables["cc"]["level"]
    sizes = {
        "chapters": chapters.height,
        "adrgs": adrg.height,
        "adrg_alternatives": tables["adrg"].height - adrg.height,
        "conditions": tables["adrg_condition"].height,
        "drgs": tables["drg"]["drg"].n_unique(),
        "code_lists": tables["code_list"]["list_id"].n_unique(),
        "listed_codes": tables["code_list"].height,
        "chapter_diagnoses": tables["mdc_dx"].height,
        "mcc": int((level == "MCC").sum()),
        "cc": int((level == "CC").sum()),
        "exclusion_tables": tables["cc_exclusion"]["excl_table"].n_unique(),
        "exclusion_diagnoses": tables["cc_exclusion"].height,
        "valid_procedures": tables["valid_procedure"].height,
        "diagnosis_book": tables["icd10"].height,
        "operation_book": tables["icd9cm3"].height,
        "weights": tables["weights"].height,
    }
    return Summary(
        chapters.with_columns(pl.col(pl.Int64).fill_null(0)),
        sizes,
        {name: getattr(catalog.meta, name) for name in SWITCHES},
    )
