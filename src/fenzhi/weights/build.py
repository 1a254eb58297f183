"""A local catalogue from history: national rows that reach the threshold, local additions, comprehensive groups.

Rules: docs/rules.md, section 3, and the national draft: a combination of 4-character diagnosis and main
operation becomes a
core group from the threshold on; a related operation makes its own group if it adds at least the policy's
share of cost; the rest
falls into comprehensive groups (category x kind of main operation).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s
from fenzhi.catalogs import CatalogMeta, DipCatalog, make_catalog
from fenzhi.catalogs.models import COMPREHENSIVE, GROUPS_SCHEMA, Dialect
from fenzhi.codes import normalise_operation
from fenzhi.grouping.compile_dip import CompiledDip, compile_dip
from fenzhi.grouping.dip import group_door
from fenzhi.grouping.door_dip import open_door
from fenzhi.kernels.dip import main_operations
from fenzhi.policy.models import Policy, Threshold

BASIC = "basic"
KINDS = ("medical", "diagnostic", "therapeutic", "interventional", "surgery")
# The national numbering of comprehensive groups: 1 medical, 2 diagnostic, 3 therapeutic, 4 surgery.
KIND_NUMBERS = (1, 2, 3, 5, 4)
KIND_TITLES = ("内科诊疗组", "诊断性操作组", "治疗性操作组", "介入治疗组", "相关手术组")
KEY = ["diag", "main"]
RELATED = "local_related"
ORIGINS = ("local", RELATED, "comprehensive")
# Forms of codes that can stand in a catalogue; others stay in comprehensive groups.
SUBCATEGORY = r"^[A-Z][0-9][0-9A-Z]\.[0-9x]$"
CATEGORY = r"^[A-Z][0-9][0-9A-Z]$"
DIAGNOSIS = r"^[A-Z0-9][A-Z0-9x.*+/]*$"
OPERATION = r"^[0-9A-Z][0-9A-Zx.]*$"


@dataclass(frozen=True)
class Built:
    """A built catalogue and what its user must see: counts before and after, and every dropped row with its reason.

    ``additions``: group_id, origin (``local``, ``local_related``, ``comprehensive``), stays, cost_share (float: what a
    related operation adds to the cost, or has of it) of every row that the base does not have.
    """

    catalog: DipCatalog
    counts: dict[str, int | float]
    dropped: pl.DataFrame
    additions: pl.DataFrame


def empty_base(operations: pl.DataFrame | None) -> DipCatalog:
    """Return a catalogue without groups, to build on when there is no national one."""
    meta = CatalogMeta(
        id="empty",
        title="空目录",
        version="0",
        kind="built",
        layers=(BASIC, COMPREHENSIVE),
        dialect=Dialect("or_of_ands"),
        synthetic=True,
    )
    return make_catalog(meta, pl.DataFrame(schema=GROUPS_SCHEMA), operations=operations)


def _core_only(base: DipCatalog, kept: pl.Series | None = None) -> DipCatalog:
    groups = base.groups.filter(pl.col("layer") != COMPREHENSIVE)
    if kept is not None:
        groups = groups.filter(pl.col("group_id").is_in(kept.implode()))
    return make_catalog(
        base.meta, groups, code_sets=base.code_sets, exclusions=base.exclusions, operations=base.operations
    )


def observe(stays: pl.DataFrame, compiled: CompiledDip, *, numbered: bool = False) -> pl.DataFrame:
    """Return what building needs of each stay that could be grouped; ``numbered``: also its row in ``stays`` (at).

    Columns: group_id (of the base, null = none), diag (4 characters), category (3), main (operation code,
    null = conservative), kind (0 medical to
    4 surgery), related (list of the other operation codes), fees (list, if known), cost_fen.
    """
    door = open_door(stays, compiled)
    group, reason = group_door(door, compiled, stays.height)
    main = np.empty(stays.height, dtype=np.int32)
    kind = np.empty(stays.height, dtype=np.int8)
    main_operations(door.stays, door.codes, compiled.rules.highest_kind, door.room, main, kind)
    diag_index, main_index = _index(door.stays.principal), _index(main)
    has_fees = "oprn_fees_fen" in stays.columns
    several = stays.select(pl.when(pl.col("oprn_codes").list.len() > 1).then("oprn_codes")).to_series()
    frame = stays.select(
        compiled.catalog.groups["group_id"].gather(_index(group)).alias("group_id"),
        _token(door.diagnoses, SUBCATEGORY, 5).gather(diag_index).alias("diag"),
        _token(door.diagnoses, CATEGORY, 3).gather(diag_index).alias("category"),
        door.operations.gather(main_index).alias("main"),
        pl.Series("kind", kind),
        _normalised(several).alias("related"),
        (pl.col("oprn_fees_fen") if has_fees else pl.lit(None, pl.List(pl.Int64))).alias("fees"),
        pl.col("medfee_sumamt_fen").alias("cost_fen"),
    )
    # Reason 1 is no diagnosis, 2 an excluded one: such stays make no group, nor does what is no code at all.
    usable = pl.Series((reason != 1) & (reason != 2)) & frame["diag"].str.contains(DIAGNOSIS).fill_null(False)
    if numbered:
        frame = frame.with_row_index("at")
    return frame.filter(usable)


def regrouped(
    stays: pl.DataFrame, observed: pl.DataFrame, kept: pl.Series, compiled: CompiledDip
) -> pl.Series:
    """Return the groups (group_id) of observed stays under the base rows that are kept.

    ``observed``: of :func:`observe`, numbered, under all base rows; ``compiled``: the kept ones. A row that is taken
    away changes nothing for stays that another row won, or that no row accepted: criteria rank rows one by one. So
    only the stays of dropped rows are looked at again.
    """
    dropped = observed["group_id"].is_not_null() & ~observed["group_id"].is_in(kept.implode())
    places = dropped.arg_true()
    if places.is_empty():
        return observed["group_id"]
    again = observe(stays[observed["at"].gather(places)], compiled)
    return observed["group_id"].scatter(places, again["group_id"])


def _index(ids: Int32s) -> pl.Series:
    numbers = pl.Series(ids)
    return numbers.set(numbers < 0, None)


def _token(codes: pl.Series, form: str, length: int) -> pl.Series:
    """Return the first characters of each code where they have the form, else the whole code, which only it matches."""
    short = codes.str.slice(0, length)
    return short.zip_with(short.str.contains(form).fill_null(False), codes)


def _normalised(lists: pl.Series) -> pl.Series:
    """Return lists of operation codes in one spelling."""
    codes = lists.explode(empty_as_null=False, keep_nulls=False).unique().drop_nulls()
    return lists.list.eval(pl.element().replace_strict(codes, normalise_operation(codes), default=None))


def choose_threshold(counts: pl.Series, rule: Threshold) -> int:
    """Return the number of stays from which a combination is core. ``counts``: stays per combination."""
    if rule.mode == "fixed" or counts.is_empty():
        return rule.cases
    ordered = counts.sort(descending=True)
    need = Fraction(rule.coverage) * int(ordered.sum())
    at = int((ordered.cum_sum() >= need.__ceil__()).arg_max() or 0)
    return int(ordered[at])


def _related_groups(rest: pl.DataFrame, threshold: int, share: Fraction) -> pl.DataFrame:
    """Return diag, main, related, stays, cost_share for related operations that earn a group of their own.

    With the cost of each operation: mean share of the stay's cost >= ``share``. Without: stays with it cost
    on average at least
    (1 + share) times the stays of the combination without it.
    """
    several = rest.filter(pl.col("main").is_not_null() & pl.col("related").is_not_null())
    if several.is_empty():
        return pl.DataFrame(
            schema={
                "diag": pl.String,
                "main": pl.String,
                "related": pl.String,
                "stays": pl.Int64,
                "cost_share": pl.Float64,
            }
        )
    columns = (
        ["related", "fees"]
        if several["fees"].list.len().eq(several["related"].list.len()).fill_null(False).all()
        else ["related"]
    )
    pairs = (
        several.with_row_index("stay")
        .select("stay", *KEY, "cost_fen", *columns)
        .explode(columns, empty_as_null=False, keep_nulls=False)
        .filter(pl.col("related").str.contains(OPERATION) & (pl.col("related") != pl.col("main")))
        .with_columns((pl.col("fees") if "fees" in columns else pl.lit(None, pl.Int64)).alias("fees"))
        .group_by("stay", *KEY, "related")
        .agg(pl.col("cost_fen").first(), pl.col("fees").sum())
    )
    whole = rest.group_by(KEY).agg(pl.len().alias("all"), pl.col("cost_fen").sum().alias("all_cost"))
    found = (
        pairs.group_by(*KEY, "related")
        .agg(pl.len().cast(pl.Int64).alias("stays"), pl.col("cost_fen").sum(), pl.col("fees").sum())
        .filter(pl.col("stays") >= threshold)
        .join(whole, on=KEY)
    )
    top, bottom = share.numerator, share.denominator
    cost, without = (
        pl.col("cost_fen").cast(pl.Int128),
        (pl.col("all_cost") - pl.col("cost_fen")).cast(pl.Int128),
    )
    n_without = pl.col("all") - pl.col("stays")
    if "fees" in columns:
        earns = pl.col("fees").cast(pl.Int128) * bottom >= cost * top
        shown = pl.col("fees") / pl.col("cost_fen")
    else:
        earns = (n_without == 0) | (cost * n_without * bottom >= without * pl.col("stays") * (bottom + top))
        alone = (pl.col("all_cost") - pl.col("cost_fen")) / n_without
        shown = pl.when(n_without > 0).then(pl.col("cost_fen") / pl.col("stays") / alone - 1)
    return (
        found.filter(earns).select(*KEY, "related", "stays", shown.alias("cost_share")).sort(*KEY, "related")
    )


def _name(code: pl.Expr, names: pl.DataFrame | None, column: str) -> pl.Expr:
    """Return the name of a code from a code book, or the code itself."""
    if names is None:
        return code
    book = names.filter(pl.col("name").is_not_null()).unique(column, keep="first", maintain_order=True)
    return code.replace_strict(book[column], book["name"], default=code)


def _comprehensive_id() -> pl.Expr:
    """Return the code of a comprehensive group: category and number of the kind, ``K35-4``."""
    number = pl.col("kind").replace_strict(range(5), KIND_NUMBERS, return_dtype=pl.Int8)
    return pl.format("{}-{}", "category", number)


def _groups(
    core: pl.DataFrame,
    related: pl.DataFrame,
    comprehensive: pl.DataFrame,
    books: tuple[pl.DataFrame | None, pl.DataFrame],
) -> pl.DataFrame:
    """Return catalogue rows of local additions and comprehensive groups."""
    diagnoses, operations = books
    names = (
        # The first code of a subcategory is its plain one, without extension.
        None
        if diagnoses is None
        else diagnoses.sort("code").with_columns(pl.col("code").str.slice(0, 5).alias("diag"))
    )
    table = operations.select(pl.col("code").alias("diag"), "name")
    diag, main = _name(pl.col("diag"), names, "diag"), _name(pl.col("main"), table, "diag")
    layer = pl.lit(BASIC).alias("layer")
    rows = [
        core.select(
            pl.format("{}:{}", "diag", pl.col("main").fill_null("0")).alias("group_id"),
            pl.when(pl.col("main").is_null())
            .then(pl.format("{},保守治疗", diag))
            .otherwise(pl.format("{},{}", diag, main))
            .alias("name"),
            layer,
            pl.col("diag").alias("main_diag"),
            pl.when(pl.col("main").is_null())
            .then(pl.lit("conservative"))
            .otherwise(pl.lit("operation"))
            .alias("treatment"),
            pl.col("main").alias("main_oprn"),
        ),
        related.select(
            pl.format("{}:{}+{}", "diag", "main", "related").alias("group_id"),
            pl.format("{},{}伴{}", diag, main, _name(pl.col("related"), table, "diag")).alias("name"),
            layer,
            pl.col("diag").alias("main_diag"),
            pl.lit("operation").alias("treatment"),
            pl.col("main").alias("main_oprn"),
            pl.col("related").alias("related_oprn"),
        ),
        comprehensive.select(
            _comprehensive_id().alias("group_id"),
            pl.format(
                "{}类,{}",
                "category",
                pl.col("kind").replace_strict(range(5), KIND_TITLES, return_dtype=pl.String),
            ).alias("name"),
            pl.lit(COMPREHENSIVE).alias("layer"),
            pl.col("category").alias("main_diag"),
            pl.col("kind").replace_strict(range(5), KINDS, return_dtype=pl.String).alias("treatment"),
        ),
    ]
    return pl.concat(rows, how="diagonal").with_columns(pl.lit("本地新增").alias("note"))


def build_catalog(
    observed: pl.DataFrame,
    base: DipCatalog,
    policy: Policy,
    meta: CatalogMeta,
    *,
    regroup: pl.DataFrame | None = None,
    diagnoses: pl.DataFrame | None = None,
) -> Built:
    """Build a local catalogue.

    ``observed``: what :func:`observe` returned for the whole history under ``base``. ``regroup``: the same
    under the base rows that
    are kept (see :func:`kept_rows`), needed if the base has rows. ``diagnoses``: a code book (code, name)
    for group names.
    """
    rules = policy.weights
    combos = observed.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("stays"))
    threshold = choose_threshold(combos["stays"], rules.threshold)
    kept, dropped = kept_rows(observed, base, threshold)
    rest = (observed if regroup is None else regroup).filter(pl.col("group_id").is_null())
    left = rest.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("stays")).sort(*KEY)
    coded = pl.col("main").is_null() | pl.col("main").str.contains(OPERATION)
    core = left.filter((pl.col("stays") >= threshold) & coded)
    related = _related_groups(rest, threshold, Fraction(rules.related_cost_share))
    related = related.join(core.select(KEY), on=KEY, how="semi", maintain_order="left")
    cells = (
        rest.join(core.select(KEY), on=KEY, how="anti", nulls_equal=True)
        .group_by("category", "kind")
        .agg(pl.len().cast(pl.Int64).alias("stays"))
        .sort("category", "kind")
    )
    in_comprehensive = int(cells["stays"].sum())
    small = cells.filter(pl.col("stays") < threshold)
    if rules.drop_small_comprehensive:
        cells = cells.filter(pl.col("stays") >= threshold)
        dropped = pl.concat(
            [
                dropped,
                small.select(
                    _comprehensive_id().alias("group_id"),
                    "stays",
                    pl.lit("comprehensive_below_threshold").alias("reason"),
                ),
            ]
        )
    added = _groups(core, related, cells, (diagnoses, base.operations))
    own = base.groups.filter(pl.col("group_id").is_in(kept.implode()))
    groups = pl.concat([own, added], how="diagonal")
    catalog = make_catalog(
        meta, groups, code_sets=base.code_sets, exclusions=base.exclusions, operations=base.operations
    )
    counts: dict[str, int | float] = {
        "stays": observed.height,
        "combinations": combos.height,
        "combinations_at_threshold": combos.filter(pl.col("stays") >= threshold).height,
        "threshold": threshold,
        "base_rows_kept": own.height,
        "base_rows_dropped": dropped.filter(pl.col("reason") == "base_row_below_threshold").height,
        "local_core_groups": core.height,
        "local_related_groups": related.height,
        "comprehensive_groups": cells.height,
        "comprehensive_below_threshold": small.height,
        "groups": groups.height,
        "stays_in_core_groups": observed.height - in_comprehensive,
    }
    counts["coverage"] = counts["stays_in_core_groups"] / observed.height if observed.height else 0.0
    return Built(catalog, counts, dropped, _additions(added, (core, related, cells)))


def _additions(added: pl.DataFrame, parts: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Return the local rows with where they come from; ``added``: rows of ``parts``, one part below the other."""
    found = [
        part.select(pl.lit(origin).alias("origin"), "stays", *(["cost_share"] if origin == RELATED else []))
        for origin, part in zip(ORIGINS, parts, strict=True)
    ]
    empty = pl.DataFrame(schema={"origin": pl.String, "stays": pl.Int64, "cost_share": pl.Float64})
    return added.select("group_id").hstack(pl.concat([empty, *found], how="diagonal"))


def kept_rows(observed: pl.DataFrame, base: DipCatalog, threshold: int) -> tuple[pl.Series, pl.DataFrame]:
    """Return the codes of base rows that reach the threshold, and the others with their stays and the reason."""
    counts = observed.group_by("group_id").agg(pl.len().cast(pl.Int64).alias("stays"))
    rows = (
        base.groups.filter(pl.col("layer") != COMPREHENSIVE)
        .select("group_id")
        .join(counts, on="group_id", how="left", maintain_order="left")
        .with_columns(pl.col("stays").fill_null(0))
    )
    dropped = rows.filter(pl.col("stays") < threshold).with_columns(
        pl.lit("base_row_below_threshold").alias("reason")
    )
    return rows.filter(pl.col("stays") >= threshold)["group_id"], dropped


def compiled_base(base: DipCatalog, policy: Policy, kept: pl.Series | None = None) -> CompiledDip:
    """Compile the core rows of a base catalogue (all, or those in ``kept``) for :func:`observe`."""
    return compile_dip(_core_only(base, kept), policy.grouping)
