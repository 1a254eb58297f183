"""The generated page docs/reference/build.md, from the columns of quality/columns.py."""

from __future__ import annotations

from fenzhi.quality import BUILT, QUALITY

from .reference import NOTE

BUILT_NOTES = {
    "weights": "One row per group: its weight and what it was measured on. `origin`: `national` (a row of the base), "
    "`local`, `local_related` (with a related operation), `comprehensive`. The folder is a catalogue: `weight` is"
    " read as its own weights.",
    "additions": "Groups that the base does not have, with their stays when they were built.",
    "dropped": "Groups left out: `base_row_below_threshold`, `comprehensive_below_threshold`, `tcm_reference_dropped`.",
    "coverage": "For every number of stays that a combination has: how many combinations reach it.",
    "classes": "Classes of hospitals, where coefficients follow from classes.",
    "hospitals": "hospitals.csv of the region with the measured `coefficient`; in the workbook with its source.",
    "grassroots": "One row per group: every criterion of `[grassroots]`.",
    "auxiliary": "The coefficient of every level of the families that were chosen, as auxiliary.csv of a region.",
    "auxiliary_tried": "Every group, family and level that was looked at; `status` as in [results](results.md).",
    "spread": "Costs of the largest and the most scattered groups in quantiles (of at least 15 stays).",
    "quality": "Every figure by name.",
    "groups": "One row per group (`fenzhi catalog quality` only; a build has weights.csv).",
    "years": "Weights of single years.",
    "contradictions": "`test`: `complication`, `related_operation`, `operation`, `comprehensive_kind`, "
    "`auxiliary_level`.",
    "unspecific": "`why`: `symptom`, `unspecified`, `residual`.",
    "unspecific_by_hospital": "The same by hospital, the largest share first.",
    "missing_codes": "Codes of the history that the version in force does not have.",
}


def built_page() -> str:
    """Return docs/reference/build.md."""
    lines = [
        NOTE,
        "# Tables of a built catalogue and of quality",
        "",
        "`fenzhi catalog build REGION -o FOLDER` writes a [catalogue](dip-catalog.md) with these tables as CSV beside",
        "its files, `build.json` (rules and figures), `report.html` and `build.xlsx`. `fenzhi catalog quality REGION",
        "-o FOLDER` writes the tables from `quality` on. In CSV files money is yuan and numbers at 1/10,000 are",
        "decimals: `mean_cost_fen` is `mean_cost`, `weight_e4` is `weight`. What does not apply is not written.",
        "How each figure is computed: [the rules](../rules.md), *Building a catalogue*.",
    ]
    for table, columns in {**BUILT, **QUALITY}.items():
        lines += ["", f"## {table}", "", BUILT_NOTES[table], ""]
        lines += ["| column | type | unit | 名称 | meaning |", "|---|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.zh} | {c.en} |" for c in columns]
    return "\n".join(lines) + "\n"
