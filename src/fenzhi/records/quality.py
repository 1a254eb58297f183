"""Quality control: one Boolean per rule over all rows at once; only the offending rows are written out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Bools
from fenzhi.records.netting import COST, REFUND_RULES, Netting, yuan_text
from fenzhi.records.rules import BY_CODE, RULES, QualityRules
from fenzhi.records.schema import FEE_COLUMNS, Needs
from fenzhi.results import REJECTED

FINDINGS = pl.Schema({"row_idx": pl.UInt32, "rule": pl.String, "field": pl.String, "value": pl.String})
_WAYS_OF_DISCHARGE = (1, 2, 3, 4, 5, 9)
_MAX_AGE = 130
_NEWBORN_DAYS = 28
_INFANT_DAYS = 365
# Unreadable text in these fields is what their own rule speaks of.
_OWN_RULE = {"gend": "sex_invalid", "dscg_way": "discharge_way_unknown"}


@dataclass(frozen=True)
class Known:
    """Code sets to check against; None switches the rule off."""

    hospitals: Collection[str] | None = None
    diagnoses: Collection[str] | None = None
    operations: Collection[str] | None = None


@dataclass(frozen=True)
class Checks:
    """What the rules are worked out with: the settings, the known codes, and the columns the source has."""

    quality: QualityRules
    known: Known
    needs: Needs
    present: frozenset[str]


def find(netting: Netting, problems: pl.DataFrame, checks: Checks) -> pl.DataFrame:
    """Return every broken rule: row_idx (position in the frame), rule, field, value.

    Rows that netting takes out are not checked. ``problems``: row, field, value that could not be read.
    """
    frame, leaving = netting.frame, netting.leaving
    out = [_unreadable(problems, leaving, checks)]
    exprs: dict[str, tuple[pl.Expr, pl.Expr]] = {
        code: pair
        for code, pair in _expressions(checks).items()
        if checks.quality.applies(code, checks.needs) and set(pair[0].meta.root_names()) <= set(frame.columns)
    }
    stays = pl.lit(pl.Series(~leaving)) if leaving.any() else pl.lit(True)
    masks = frame.select((mask.fill_null(False) & stays).alias(code) for code, (mask, _) in exprs.items())
    if checks.quality.applies("duplicate_key", checks.needs):
        repeated = _repeated(frame["setl_id"], leaving | _unmatched(netting, checks))
        if repeated is not None:
            masks = masks.with_columns(repeated.alias("duplicate_key"))
            exprs["duplicate_key"] = (pl.lit(True), pl.col("setl_id"))
    counts = masks.select(pl.all().sum()).row(0, named=True) if masks.width else {}
    for code in (code for code, count in counts.items() if count):
        value = exprs[code][1].cast(pl.String)
        columns = ["row_idx", *dict.fromkeys(value.meta.root_names())]
        rows = frame.select(columns).filter(masks[code])
        out.append(
            rows.select(
                "row_idx",
                pl.lit(code).alias("rule"),
                pl.lit(BY_CODE[code].field).alias("field"),
                value.alias("value"),
            )
        )
    found = pl.concat(out)
    if out[0].height:
        # What could not be read is not missing: it is said once.
        unread = out[0].select("row_idx", "field").unique()
        missing = pl.col("rule").str.ends_with("_missing")
        absent = found.filter(missing).join(unread, on=["row_idx", "field"], how="anti")
        found = pl.concat([found.filter(~missing), absent])
    return found


def _unreadable(problems: pl.DataFrame, leaving: Bools, checks: Checks) -> pl.DataFrame:
    rule = pl.col("field").replace_strict(_OWN_RULE, default="unreadable", return_dtype=pl.String)
    found = problems.select(pl.col("row").alias("row_idx"), rule.alias("rule"), "field", "value")
    if found.height:
        found = found.filter(~pl.Series(leaving).gather(found["row_idx"]))
        used = [r.code for r in RULES if checks.quality.applies(r.code, checks.needs)]
        found = found.filter(pl.col("rule").is_in(used))
    return found.cast(FINDINGS)


def _unmatched(netting: Netting, checks: Checks) -> Bools:
    """Return the refunds that are rejected as such: they repeat no key, and no row repeats theirs."""
    rows = np.zeros(netting.frame.height, dtype=np.bool_)
    if netting.findings.height:
        rejecting = [code for code in REFUND_RULES if checks.quality.of(code) == "error"]
        at = netting.findings.filter(pl.col("rule").is_in(rejecting))["row_idx"].to_numpy()
        rows[at] = (netting.frame[COST].gather(at) < 0).to_numpy()
    return rows


def _repeated(keys: pl.Series, leaving: Bools) -> pl.Series | None:
    """Return which rows repeat an earlier key, None if no key is repeated."""
    # Equal keys have equal hashes: as many hashes as rows means that nothing is repeated.
    if not leaving.any() and keys.hash().n_unique() == len(keys):
        return None
    if leaving.any():
        keys = pl.select(pl.when(pl.lit(pl.Series(~leaving))).then(pl.lit(keys))).to_series()
    repeated = ~keys.is_first_distinct() & keys.is_not_null()
    return repeated if repeated.any() else None


def _expressions(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """Return rule -> (which rows break it, the value to show), for the rules that the columns allow."""
    return {
        **_identity(checks),
        **_person(checks),
        **_codes(checks),
        **_amounts(checks),
        **_times(checks),
    }


def _null(column: str, checks: Checks) -> pl.Expr:
    """Return where a column is empty; a column that the source does not have is not."""
    return pl.col(column).is_null() if column in checks.present else pl.col(column).is_null() & pl.lit(False)


_NOTHING = pl.lit(None, pl.String)


def _identity(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    hospital = pl.col("fixmedins_code")
    rules = {
        "key_missing": (pl.col("setl_id").is_null(), _NOTHING),
        "hospital_missing": (hospital.is_null(), _NOTHING),
    }
    if checks.known.hospitals is not None:
        rules["hospital_unknown"] = (~hospital.is_in(_set(checks.known.hospitals)), hospital)
    return rules


def _set(codes: Iterable[str]) -> pl.Expr:
    # One list for all rows: as ``.first()``, or inside ``filter`` of a list, it would be repeated for each.
    return pl.lit(pl.Series(sorted(set(codes)), dtype=pl.String).implode())


def _person(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    sex, age, days = pl.col("gend"), pl.col("age"), pl.col("nwb_age")
    category = pl.col("diag_codes").list.first().str.slice(0, 3)
    women = category.str.starts_with("O") | category.is_between(pl.lit("N80"), pl.lit("N98"))
    women = women | category.is_between(pl.lit("C51"), pl.lit("C58"))
    men = category.is_between(pl.lit("N40"), pl.lit("N51")) | category.is_between(
        pl.lit("C60"), pl.lit("C63")
    )
    principal = pl.col("diag_codes").list.first()
    rules = {
        "sex_invalid": (~sex.is_in([1, 2]), sex),
        "sex_missing": (_null("gend", checks), _NOTHING),
        "age_range": (~age.is_between(0, _MAX_AGE), age),
        "age_missing": (_null("age", checks) & days.is_null(), _NOTHING),
        "newborn_age_range": (~days.is_between(0, _INFANT_DAYS), days),
        "sex_diagnosis": (((sex == 1) & women) | ((sex == 2) & men), principal),
        "age_diagnosis": ((age >= 1) & category.str.starts_with("P"), principal),
        "discharge_way_unknown": (~pl.col("dscg_way").is_in(_WAYS_OF_DISCHARGE), pl.col("dscg_way")),
    }
    if checks.present & {"nwb_bir_wt", "nwb_adm_wt"}:
        bare = pl.col("nwb_bir_wt").is_null() & pl.col("nwb_adm_wt").is_null()
        rules["newborn_weight_missing"] = (days.is_between(0, _NEWBORN_DAYS) & bare, days)
    return rules


def _codes(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    diagnoses, operations = pl.col("diag_codes"), pl.col("oprn_codes")
    some = operations.list.len() > 0
    rules = {
        "principal_missing": (~pl.col("_first|diag_codes"), _NOTHING),
        "principal_ambiguous": (pl.col("_principals") > 1, diagnoses.list.head(2).list.join("|")),
        "diagnosis_repeated": (
            diagnoses.list.slice(1).list.contains(diagnoses.list.first()),
            diagnoses.list.first(),
        ),
        "oprn_fees_length": (
            pl.col("oprn_fees_fen").list.len() != operations.list.len(),
            pl.col("oprn_fees_fen").list.len(),
        ),
    }
    unclear = some & ~pl.col("_first|oprn_codes")
    if "_mains" in checks.present:
        unclear = unclear | (some & (pl.col("_mains") != 1))
    rules["main_operation_unclear"] = (unclear, operations.list.first())
    for code, column, known in (
        ("diagnosis_unknown", "diag_codes", checks.known.diagnoses),
        ("operation_unknown", "oprn_codes", checks.known.operations),
    ):
        if known is not None:
            strange = ~pl.element().is_in(_set(known))
            rules[code] = (
                pl.col(column).list.eval(strange).list.any(),
                pl.col(column)
                .list.eval(pl.when(strange).then(pl.element()))
                .list.drop_nulls()
                .list.join("|"),
            )
    return rules


def _amounts(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    cost, slack = pl.col("medfee_sumamt_fen"), checks.quality.tolerance_fen
    rules = {
        "cost_missing": (cost.is_null(), _NOTHING),
        "cost_zero": (cost == 0, yuan_text(cost)),
    }
    if {"fund_pay_sumamt_fen", "psn_pay_sumamt_fen"} <= checks.present:
        paid = pl.col("fund_pay_sumamt_fen") + pl.col("psn_pay_sumamt_fen")
        if "hosp_part_amt_fen" in checks.present:
            paid = paid + pl.col("hosp_part_amt_fen").fill_null(0)
        off = (paid - cost).abs() > slack
        if "othfund_pay_fen" in checks.present:
            # Some tables count other funds in fund_pay_sumamt, some beside it: both add up.
            off = off & ((paid + pl.col("othfund_pay_fen").fill_null(0) - cost).abs() > slack)
        rules["payers_mismatch"] = (off, yuan_text(paid))
    fees = [column for column in FEE_COLUMNS if column in checks.present]
    if "_items_fen" in checks.present:
        items = pl.col("_items_fen")
        rules["items_mismatch"] = ((items - cost).abs() > slack, yuan_text(items))
    elif fees:
        # A table without oth_fee may leave out kinds of fees: their sum may be less than the total, not more.
        items = pl.sum_horizontal(fees)
        whole = (items - cost).abs() if "oth_fee_fen" in fees else items - cost
        rules["items_mismatch"] = (whole > slack, yuan_text(items))
    return rules


def _times(checks: Checks) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    begin, end, days = pl.col("adm_time"), pl.col("dscg_time"), pl.col("_los_given")
    floor = checks.quality.los_floor_days
    span = (end.dt.date() - begin.dt.date()).dt.total_days()
    off = (days - pl.max_horizontal(span, pl.lit(floor))).abs() > checks.quality.los_tolerance_days
    rules = {
        "discharge_missing": (end.is_null(), _NOTHING),
        "dates_reversed": (end < begin, end.dt.to_string("%Y-%m-%d %H:%M:%S")),
        "los_negative": (days < 0, days),
        "los_dates": (off & (days >= 0) & begin.is_not_null() & end.is_not_null(), days),
    }
    if "_oprn_from" in checks.present:
        first, last = pl.col("_oprn_from").dt.date(), pl.col("_oprn_to").dt.date()
        early, late = first < begin.dt.date(), last > end.dt.date()
        outside = pl.when(early).then(first).when(late).then(last).dt.to_string("%Y-%m-%d")
        rules["operation_date"] = (
            early.fill_null(False) | late.fill_null(False) | pl.col("_oprn_unread").is_not_null(),
            pl.coalesce(pl.col("_oprn_unread"), outside),
        )
    return rules


def report(findings: pl.DataFrame, frame: pl.DataFrame, quality: QualityRules) -> pl.DataFrame:
    """Return findings as result rows: ``row_idx`` and the columns of ``results.REJECTED``, in input order."""
    codes = [rule.code for rule in RULES]
    texts = [rule.zh if quality.language == "zh" else rule.en for rule in RULES]
    rows = frame.select("setl_id", "source_file", "source_row", "fixmedins_code")[findings["row_idx"]]
    rule = pl.col("rule")
    return (
        pl.concat([findings, rows], how="horizontal")
        .with_columns(
            rule.replace_strict(codes, [quality.of(c) for c in codes], return_dtype=pl.String).alias(
                "severity"
            ),
            rule.replace_strict(codes, texts, return_dtype=pl.String).alias("message"),
            rule.replace_strict(codes, range(len(codes)), return_dtype=pl.Int32).alias("_order"),
        )
        .sort("row_idx", "_order", "field")
        .select("row_idx", *(pl.col(c.name).cast(c.dtype) for c in REJECTED))
    )


def summarise(reported: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return rule, severity, fixmedins_code and the number of distinct rows, sorted."""
    keys = ["rule", "severity", "fixmedins_code"]
    return (
        pl.concat(list(reported))
        .group_by(keys)
        .agg(pl.col("row_idx").n_unique().cast(pl.Int64).alias("rows"))
        .sort("severity", "rule", "fixmedins_code")
    )
