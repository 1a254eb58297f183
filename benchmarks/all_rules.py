"""The region of the year's figures once more, with every further rule switched on.

Auxiliary types as in the pack ``national-dip-3.0-auxiliary``, unstable groups, incomplete stays, readmission,
TCM-advantage groups, special review, add-ons. The records and the history are the same files.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import polars as pl

APPLICATIONS = 5_000
APPLICATIONS_PER_STAYS = 200

# Sections laid over the region's own policy; the figures are samples. In drawn stays no level explains a fifth of the
# variation, so auxiliary types ask for less here: about a third of the stays then have one.
SECTIONS = """
[auxiliary]
cv_drop = 0.01

[stability]
cv_max = 1
min_cases = 5
both = true
rule = "share_of_cost"

[incomplete]
ways = [2, 4]

[readmission]
days = 15
factor = 0.5

[tcm]
ratio_limit = 0.6

[add_ons]
cap = 500
[[add_ons.items]]
name = "robot"
operations = ["17.4200", "17.4400", "60.5x00"]
share = 0.1
cap = 300
[[add_ons.items]]
name = "stents"
operations = ["36.0700", "37.2200", "88.5500"]
points = 50
[[add_ons.items]]
name = "joint"
operations = ["13.4100", "13.7100"]
match = "all"
share = 0.05

[special_review]
quota = 0.05
rank_by = ["cost_multiple", "applied_at"]
[[special_review.criteria]]
name = "long"
los_above_days = 10
[[special_review.criteria]]
name = "dear"
cost_multiple = 1.5
"""

# Outcome and value of nine applications in ten, in turns.
DECISIONS = (
    ("adjusted_standard", "12000.00"),
    ("expert_points", "1500"),
    ("coefficient", "1.2"),
    ("refused", None),
    ("fee_for_service", None),
    ("adjusted_standard", "25000"),
    ("expert_points", "2000"),
    ("coefficient", "1.5"),
    ("refused", None),
)
# Group, principal diagnoses, TCM diagnoses, how many days at least, classes of operations, share of the weight of the
# first group of these diagnoses.
TCM = (
    ("ZYA", "I63", "A07.01.01|A08.01.10|A04.01.01", None, None, "0.8"),
    ("ZYB", "J18|J15|J20|J40", None, 3, None, "0.85"),
    ("ZYC", "E11", None, 5, None, "0.9"),
    ("ZYD", "J44|J06", None, None, None, "0.8"),
    ("ZYE", "I20|I25|I10", None, 4, None, "0.85"),
    ("ZYF", "M51|M47|M54", None, None, None, "0.9"),
    ("ZYG", "K29|K52", None, 3, "physical", "0.85"),
    ("ZYG", "K29|K52", "A07.01.01|A08.01.10|A17.16.00", 5, None, "0.85"),
)
TCM_OPERATIONS = (("93.3900", "physical"), ("93.9001", "physical"), ("99.9400", "needle"))


def outcomes() -> list[str]:
    """Return the outcomes that are decided."""
    return sorted({outcome for outcome, _ in DECISIONS})


def _switched_on(policy: str) -> str:
    """Return a region's policy on the pack with auxiliary types and with every further section."""
    based = re.sub(r"(?m)^extends = .*$", 'extends = "national-dip-3.0-auxiliary"', policy)
    return based + SECTIONS


def _tcm_groups(groups: pl.DataFrame) -> pl.DataFrame:
    """Return rows of ``tcm_groups.csv``, paid by the weight of a core group of the same diagnoses."""
    rows = []
    for name, diagnoses, *conditions in TCM:
        core = groups.filter(pl.col("main_diag").fill_null("").str.starts_with(diagnoses[:3]))
        rows += [(name, diagnoses, *conditions, core["group_id"][0])] if core.height else []
    columns = ["group_id", "main_diag", "tcm_diag", "los_min_days", "classes", "share", "reference_group"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _applications(cases: pl.DataFrame, groups: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return applications for long stays, and the decisions on nine out of ten of them.

    ``cases``, ``groups``: of the year under the plain policy. Stays of groups whose costs are even enough to have a
    weight under every rule, so that any outcome may be decided.
    """
    even = groups.filter((pl.col("cv") <= 0.8) & (pl.col("history_cases") >= 50))
    number = max(10, min(APPLICATIONS, cases.height // APPLICATIONS_PER_STAYS))
    applied = (
        cases.filter((pl.col("outcome") == "grouped") & (pl.col("act_ipt_days") > 10))
        .join(even.select("group_id"), on="group_id", how="semi")
        .sort("cost_fen", "setl_id", descending=[True, False])
        .head(number)
        .sort("setl_id")
        .select(
            "setl_id", pl.lit("2028-01-10").alias("applied_at"), pl.lit("住院时间长").alias("reason"),
            (pl.int_range(pl.len()) % 10).alias("at"),
        )
    )  # fmt: skip
    decided = applied.filter(pl.col("at") < len(DECISIONS)).select(
        "setl_id",
        *(
            pl.col("at").replace_strict(list(range(len(DECISIONS))), cells).alias(name)
            for name, cells in zip(("outcome", "value"), zip(*DECISIONS, strict=True), strict=True)
        ),
        pl.lit("专家组").alias("decided_by"),
        pl.lit("2028-02-01").alias("decided_at"),
        pl.lit("示例").alias("why"),
    )
    return applied.drop("at"), decided


def without_review(region: Path) -> None:
    """Take special review out of a demo region's policy and folder: the plain year has none."""
    policy = region / "policy.toml"
    section = r"\n\[special_review\].*?(?=\n\[(?!\[?special_review)|\Z)"
    text = re.sub(section, "", policy.read_text(encoding="utf-8"), flags=re.S)
    policy.write_text(text, encoding="utf-8")
    for name in ("special_review.csv", "review_decisions.csv"):
        (region / name).unlink(missing_ok=True)


def write_region(plain: Path, results: Path, folder: Path) -> None:
    """Write the region ``plain`` with every rule switched on into ``folder``, which is emptied first.

    ``results``: the tables of a year under the plain policy; they say which stays could apply for special review.
    Records and history are the same files (hard links).
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in plain.iterdir():
        if part.name in ("records", "history"):
            shutil.copytree(part, folder / part.name, copy_function=os.link)
        elif part.is_dir() and part.name != "runs":
            shutil.copytree(part, folder / part.name)
        elif part.is_file():
            shutil.copy(part, folder / part.name)
    policy = (plain / "policy.toml").read_text(encoding="utf-8")
    (folder / "policy.toml").write_text(_switched_on(policy), encoding="utf-8")
    groups = pl.read_csv(folder / "catalog" / "groups.csv", infer_schema=False)
    _tcm_groups(groups).write_csv(folder / "catalog" / "tcm_groups.csv")
    operations = pl.DataFrame(TCM_OPERATIONS, schema=["code", "class"], orient="row")
    operations.write_csv(folder / "catalog" / "tcm_operations.csv")
    applied, decided = _applications(
        *(pl.read_parquet(results / f"{n}.parquet") for n in ("cases", "groups"))
    )
    applied.write_csv(folder / "special_review.csv")
    decided.write_csv(folder / "review_decisions.csv")
