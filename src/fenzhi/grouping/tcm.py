"""TCM-advantage groups, tried before the normal ones: who enters, and what kept the others out. docs/rules.md, 2."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.catalogs import TCM, DrgCatalog, TcmTables
from fenzhi.catalogs.models import DipCatalog
from fenzhi.codes import normalise_diagnosis, normalise_operation, split_extension
from fenzhi.errors import ConservationError
from fenzhi.grouping.book import Book
from fenzhi.grouping.dip import OUTCOMES, STATUS_GROUPED, Grouped
from fenzhi.policy.tcm import Tcm

# Conditions in the order in which a report names what failed.
FAILURES = ("tcm_diagnosis", "los", "operations", "fees_missing", "ratio", "no_weight")


@dataclass(frozen=True)
class CompiledTcm:
    """The TCM-advantage groups ready for grouping.

    ``rules``: _rule, _group (its place among the TCM-advantage groups), los_min_days, min_classes, min_operations,
    has_tcm, has_classes. ``main``, ``tcm``: code, _rule: the diagnoses that a rule lists. ``classes``: class, _rule.
    ``operations``: code, class. ``groups``: group_id. ``first``: group_idx of the first of them.
    """

    rules: pl.DataFrame
    main: pl.DataFrame
    tcm: pl.DataFrame
    classes: pl.DataFrame
    operations: pl.DataFrame
    groups: pl.Series
    first: int
    policy: Tcm


@dataclass(frozen=True)
class Overlaid:
    """The grouping with TCM-advantage groups laid over it, and the report.

    ``report``: one row per stay whose principal diagnosis belongs to such a group, of the alternative that fails in the
    fewest conditions: setl_id, group_id, normal_group_id, entered, failed (conditions joined by ``|``), act_ipt_days,
    classes, operations, tcm_fee_fen, all_fee_fen, ratio_e4 (cut off, not rounded).
    """

    grouped: Grouped
    report: pl.DataFrame


def _listed(tables: TcmTables, column: str) -> pl.DataFrame:
    pairs = [
        (code, number)
        for number, cell in enumerate(tables.conditions[column])
        for code in dict.fromkeys(tables.codes(cell))
    ]
    return pl.DataFrame(pairs, schema={"code": pl.String, "_rule": pl.UInt32}, orient="row")


def compile_tcm(catalog: DipCatalog | DrgCatalog, policy: Tcm | None) -> CompiledTcm | None:
    """Compile the TCM-advantage groups of a catalogue; None without any, or without a policy for them."""
    tables = catalog.tcm
    if policy is None or tables.conditions.is_empty():
        return None
    ids = tables.groups["group_id"]
    place = {name: number for number, name in enumerate(ids)}
    text = tables.conditions["classes"].str.split("|")
    rules = tables.conditions.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_rule"),
        pl.col("group_id").replace_strict(place, return_dtype=pl.Int32).alias("_group"),
        "los_min_days",
        pl.col("min_classes").fill_null(1),
        pl.col("min_operations").fill_null(1),
        pl.col("tcm_diag").is_not_null().alias("has_tcm"),
        pl.col("classes").is_not_null().alias("has_classes"),
    )
    classes = rules.select("_rule").with_columns(text.alias("class")).drop_nulls().explode("class")
    return CompiledTcm(
        rules=rules,
        main=_listed(tables, "main_diag"),
        tcm=_listed(tables, "tcm_diag"),
        classes=classes.with_columns(pl.col("class").str.strip_chars()).unique(maintain_order=True),
        operations=tables.operations.select("code", "class").unique(maintain_order=True),
        groups=ids,
        first=catalog.groups.height,
        policy=policy,
    )


def _matches(codes: pl.Series, listed: pl.DataFrame, match: str) -> pl.DataFrame:
    """Return distinct code (as the stays write it) and _rule: which rules list each of the codes."""
    given = codes.unique().drop_nulls()
    known = pl.DataFrame({"given": given, "code": normalise_diagnosis(given)}).drop_nulls()
    if match == "exact":
        return known.join(listed, on="code").select("given", "_rule")
    found = [pl.DataFrame(schema={"given": pl.String, "_rule": pl.UInt32})]
    # A listed code stands for everything it begins: compare as many characters as it has.
    for length in listed["code"].str.len_chars().unique().sort():
        begun = known.with_columns(pl.col("code").str.slice(0, length))
        same = listed.filter(pl.col("code").str.len_chars() == length)
        found.append(begun.join(same, on="code").select("given", "_rule"))
    return pl.concat(found).unique()


def _candidates(stays: pl.DataFrame, outcome: pl.Series, compiled: CompiledTcm) -> pl.DataFrame:
    """Return _at (row of the stay) and _rule: whose principal diagnosis a rule lists."""
    book = Book()
    code = pl.Series(book.index(stays["diag_codes"].list.first()))
    texts = book.texts()
    found = _matches(texts, compiled.main, compiled.policy.diagnosis_match)
    numbers = (
        pl.DataFrame({"given": texts}).with_row_index("_code").with_columns(pl.col("_code").cast(pl.Int32))
    )
    found = found.join(numbers, on="given").select("_code", "_rule")
    listed = numbers["_code"].is_in(found["_code"].implode())
    inside = listed.gather(code.set(code < 0, None)).fill_null(False) & (outcome != "rejected")
    at = inside.arg_true()
    return pl.DataFrame({"_at": at, "_code": code.gather(at)}).join(found, on="_code").select("_at", "_rule")


def _by_code(stays: pl.DataFrame, rows: pl.Series, column: str) -> pl.DataFrame:
    """Return _at, _place, given: the codes of a list column of some stays."""
    part = pl.DataFrame({"_at": rows, "given": stays[column].gather(rows)})
    return (
        part.explode("given", empty_as_null=False, keep_nulls=False)
        .drop_nulls("given")
        .with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("_place"))
    )


def _with_tcm_diagnosis(pairs: pl.DataFrame, stays: pl.DataFrame, compiled: CompiledTcm) -> pl.DataFrame:
    """Add ``tcm_diagnosis``: false if the rule lists TCM diagnoses and the stay has none of them."""
    asked = pairs.filter("has_tcm")["_at"].unique()
    given = _by_code(stays, asked, "tcm_diag_codes")
    found = _matches(given["given"], compiled.tcm, compiled.policy.diagnosis_match)
    has = (
        given.join(found, on="given").select("_at", "_rule").unique().with_columns(pl.lit(True).alias("_has"))
    )
    return (
        pairs.join(has, on=["_at", "_rule"], how="left")
        .with_columns((~pl.col("has_tcm") | pl.col("_has").fill_null(False)).alias("tcm_diagnosis"))
        .drop("_has")
    )


def _classed(codes: pl.Series, compiled: CompiledTcm) -> pl.DataFrame:
    """Return given, class of distinct operations; a listed operation stands for its extensions as well."""
    given = codes.unique()
    code = normalise_operation(given)
    known = pl.DataFrame({"given": given, "code": code, "base": split_extension(code)[0]})
    both = [known.join(compiled.operations, left_on=name, right_on="code") for name in ("code", "base")]
    return pl.concat([frame.select("given", "class") for frame in both]).unique()


def _with_operations(pairs: pl.DataFrame, stays: pl.DataFrame, compiled: CompiledTcm) -> pl.DataFrame:
    """Add classes and operations (how many of the rule's the stay has), and ``operations_ok``."""
    asked = pairs.filter("has_classes")["_at"].unique()
    given = _by_code(stays, asked, "oprn_codes")
    counts = (
        given.join(_classed(given["given"], compiled), on="given")
        .join(compiled.classes, on="class")
        .group_by("_at", "_rule")
        .agg(
            pl.col("class").n_unique().cast(pl.Int32).alias("classes"),
            pl.col("_place").n_unique().cast(pl.Int32).alias("operations"),
        )
    )
    number = [pl.col(name).fill_null(0) for name in ("classes", "operations")]
    enough = (pl.col("classes") >= pl.col("min_classes")) & (pl.col("operations") >= pl.col("min_operations"))
    return (
        pairs.join(counts, on=["_at", "_rule"], how="left")
        .with_columns(number)
        .with_columns((~pl.col("has_classes") | enough).alias("operations_ok"))
    )


def _with_fees(pairs: pl.DataFrame, stays: pl.DataFrame, policy: Tcm) -> pl.DataFrame:
    """Add tcm_fee_fen, all_fee_fen (null if a fee is missing) and ``ratio_ok``, compared without rounding."""

    def total(names: tuple[str, ...]) -> pl.Series:
        parts = [
            stays[f"{name}_fen"].gather(pairs["_at"])
            if f"{name}_fen" in stays.columns
            else pl.Series([None] * pairs.height, dtype=pl.Int64)
            for name in names
        ]
        # A plain sum of columns: one missing fee makes it null.
        return sum(parts[1:], parts[0])

    limit = Fraction(policy.ratio_limit)
    tcm, every = pl.col("tcm_fee_fen").cast(pl.Int128), pl.col("all_fee_fen").cast(pl.Int128)
    left, right = tcm * limit.denominator, every * limit.numerator
    reached = (left >= right) if policy.ratio_included else (left > right)
    return (
        pairs.with_columns(total(policy.tcm_fees).alias("tcm_fee_fen"))
        .with_columns(total((*policy.tcm_fees, *policy.western_fees)).alias("all_fee_fen"))
        .with_columns(((pl.col("all_fee_fen") > 0) & reached).fill_null(False).alias("ratio_ok"))
    )


def _tested(pairs: pl.DataFrame, weighted: pl.Series | None) -> pl.DataFrame:
    """Add ``_n``, how many conditions do not hold, and ``_mask`` with a bit for each of them."""
    known = pl.col("all_fee_fen").is_not_null()
    heavy = pl.lit(True)
    if weighted is not None:
        heavy = pl.lit(weighted).gather("_group")
    passes = {
        "tcm_diagnosis": pl.col("tcm_diagnosis"),
        "los": pl.col("los_min_days").is_null()
        | (pl.col("act_ipt_days") >= pl.col("los_min_days")).fill_null(False),
        "operations": pl.col("operations_ok"),
        "fees_missing": known,
        "ratio": ~known | pl.col("ratio_ok"),
        "no_weight": heavy,
    }
    # A bit for each condition that fails: text is made once for each combination.
    fails = [(~passes[name]).cast(pl.UInt8) for name in FAILURES]
    return pairs.with_columns(
        pl.sum_horizontal(fails).alias("_n"),
        pl.sum_horizontal(one * (1 << at) for at, one in enumerate(fails)).alias("_mask"),
    )


def _best(pairs: pl.DataFrame) -> pl.DataFrame:
    """Keep the best alternative of each stay: the fewest failures, then the earlier rule."""
    return pairs.sort("_at", "_n", "_rule").unique("_at", keep="first", maintain_order=True)


def _with_failed(best: pl.DataFrame) -> pl.DataFrame:
    """Add ``failed``: the conditions that do not hold, joined by ``|``."""
    words = {
        mask: "|".join(name for at, name in enumerate(FAILURES) if mask >> at & 1)
        for mask in range(1 << len(FAILURES))
    }
    text = pl.col("_mask").replace_strict(words, return_dtype=pl.String)
    return best.with_columns(text.alias("failed")).drop("_mask")


def _alternatives(
    stays: pl.DataFrame, outcome: pl.Series, compiled: CompiledTcm, weighted: pl.Series | None
) -> pl.DataFrame:
    """Return a row for each stay and rule that lists its principal diagnosis, with all that is tested."""
    pairs = _candidates(stays, outcome, compiled).join(compiled.rules, on="_rule")
    pairs = pairs.with_columns(stays["act_ipt_days"].gather(pairs["_at"]).alias("act_ipt_days"))
    pairs = _with_operations(_with_tcm_diagnosis(pairs, stays, compiled), stays, compiled)
    return _tested(_with_fees(pairs, stays, compiled.policy), weighted)


def entered_groups(stays: pl.DataFrame, outcome: pl.Series, compiled: CompiledTcm) -> pl.Series:
    """Return the number of the TCM-advantage group that each stay enters, null for none.

    As :func:`overlay`, without its report. ``outcome``: of normal grouping.
    """
    inside = _best(_alternatives(stays, outcome, compiled, None).filter(pl.col("_n") == 0))
    none = pl.select(pl.repeat(None, stays.height, dtype=pl.Int32).alias("_tcm")).to_series()
    return none.scatter(inside["_at"], inside["_group"])


def overlay(
    stays: pl.DataFrame, grouped: Grouped, compiled: CompiledTcm, weighted: pl.Series | None = None
) -> Overlaid:
    """Lay the TCM-advantage groups over the normal groups of the stays.

    ``stays``: setl_id, diag_codes, tcm_diag_codes, oprn_codes, act_ipt_days and the fees that the policy names (a
    column that is absent is a fee that is missing), in the order of ``grouped.frame``. ``weighted``: Boolean per
    TCM-advantage group, whether it has a weight; without one its stays are paid as in the normal group. Stays that
    normal grouping rejects enter no group. The result does not depend on the order of the stays.
    """
    frame = grouped.frame
    best = _with_failed(_best(_alternatives(stays, frame["outcome"], compiled, weighted)))
    best = best.with_columns(
        (pl.col("_n") == 0).alias("entered"), compiled.groups.gather(best["_group"]).alias("id")
    )
    inside = best.filter("entered")
    if inside["_at"].n_unique() != inside.height:
        raise ConservationError("a stay enters two TCM-advantage groups", field="setl_id")
    at = inside["_at"]
    none = pl.select(pl.repeat(None, frame.height, dtype=pl.Int32).alias("_tcm")).to_series()
    chosen = none.scatter(at, inside["_group"])
    entered = pl.col("_tcm").is_not_null()
    own = pl.lit(compiled.groups).gather("_tcm")
    code = [pl.when(entered).then(own).otherwise("drg").alias("drg")] if _is_drg(frame) else []
    laid = frame.with_columns(chosen).with_columns(
        pl.when(entered).then(pl.lit("grouped", OUTCOMES)).otherwise("outcome").alias("outcome"),
        pl.when(entered).then(pl.lit(TCM)).otherwise(pl.col("layer").cast(pl.String)).alias("layer"),
        pl.when(entered).then(own).otherwise("group_id").alias("group_id"),
        pl.when(entered)
        .then(pl.lit(STATUS_GROUPED, frame.schema["status"]))
        .otherwise("status")
        .alias("status"),
        pl.when(~entered).then("reason").alias("reason"),
        *code,
        pl.when(entered).then(pl.col("_tcm") + compiled.first).otherwise("group_idx").alias("group_idx"),
    )
    report = best.select(
        stays["setl_id"].gather(best["_at"]).alias("setl_id"),
        pl.col("id").alias("group_id"),
        frame["group_id"].gather(best["_at"]).alias("normal_group_id"),
        "entered",
        "failed",
        "act_ipt_days",
        "classes",
        "operations",
        "tcm_fee_fen",
        "all_fee_fen",
        pl.when(pl.col("all_fee_fen") > 0)
        .then(pl.col("tcm_fee_fen").cast(pl.Int128) * 10_000 // pl.col("all_fee_fen"))
        .cast(pl.Int64)
        .alias("ratio_e4"),
    )
    return Overlaid(Grouped(laid.drop("_tcm"), grouped.unknown_operations), report)


def _is_drg(frame: pl.DataFrame) -> bool:
    return frame.height > 0 and frame["scheme"][0] == "drg"
