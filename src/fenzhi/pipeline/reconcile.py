"""Our groups beside the official results 3605 / 3606: regroup, compare, reduce the differences, write a folder."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog, compares_exactly, load_catalog
from fenzhi.comparison import Compared, compare, find_changes, official_side, reduce_records
from fenzhi.comparison.compare import AGREE, DIFFERENCES, ONE_SIDE
from fenzhi.comparison.reduce import FIGURES, GROUPED, Engine
from fenzhi.errors import InputError
from fenzhi.files import new_dir
from fenzhi.grouping import Compiled, compile_catalog
from fenzhi.money import SCALE, round_half_up
from fenzhi.pipeline.parts import PART, divided, engine_of, together
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Progress,
    columns_for,
    known_codes,
    make_settings,
    map_codes,
    silent,
)
from fenzhi.pipeline.store import read_manifest, read_table, write_csv
from fenzhi.pipeline.year import other_rows
from fenzhi.policy import load_policy
from fenzhi.records import StaysRead, load_columns, read_stays
from fenzhi.records.official import Official, Scheme, load_official_columns, read_official
from fenzhi.region import load_region
from fenzhi.region.scope import cost_of

#: Stays of one pattern of differences that are reduced; the smallest result is shown.
SAMPLE = 3


@dataclass(frozen=True)
class OurSide:
    """Our groups and what reductions need.

    ``ours``: setl_id (unique), group_id (null = not grouped), reason, chapter. ``records``: setl_id, codes and
    figures of the stays that grouping took. ``engine``: groups such records. ``scored``: ours have
    ours_score_e4, the RW of their groups (1/10,000). ``facts``: where this comes from, for the summary.
    """

    scheme: Scheme
    groups: pl.DataFrame
    chapters: pl.DataFrame
    ours: pl.DataFrame
    records: pl.DataFrame
    engine: Engine
    scored: bool
    facts: dict[str, Any]


@dataclass(frozen=True)
class Reconciliation:
    """A finished comparison: its folder, its figures (summary.json) and the tables that it wrote as CSV."""

    folder: Path
    summary: dict[str, Any]
    tables: dict[str, pl.DataFrame]


@dataclass(frozen=True)
class ReconcileInputs:
    """What is compared.

    ``source``: a file or folder of stays, or the folder of a finished run (its region gives records, catalogue,
    policy and weights then). ``official``: results of 3605 or 3606. ``catalog``, ``policy``, ``columns``: for
    stays only. ``official_columns``: mapping file for foreign names in the official results.
    """

    source: Path
    official: Path
    catalog: str | Path | None = None
    policy: str | Path = "national-dip-3.0"
    columns: Path | None = None
    official_columns: Path | None = None

    @property
    def is_run(self) -> bool:
        """Whether the source is the folder of a finished run."""
        return (self.source / "manifest.json").is_file()


def _our_side(inputs: ReconcileInputs) -> OurSide:
    if inputs.is_run:
        return our_side_of_run(inputs.source)
    if inputs.catalog is None:
        raise InputError(
            "stays are compared by a catalogue, and none is given",
            code="CATALOG_MISSING",
            field="catalog",
            remedy="give --catalog, or the folder of a run instead of stays",
        )
    return our_side(inputs.source, inputs.catalog, inputs.policy, inputs.columns)


def our_side(
    source: Path, catalog: str | Path, policy: str | Path = "national-dip-3.0", columns: Path | None = None
) -> OurSide:
    """Group a file or folder of stays by a catalogue. Scores are not known without a region."""
    rules = load_policy(policy)
    loaded = load_catalog(catalog)
    compiled = compile_catalog(loaded, rules.grouping)
    cmap = columns_for(None if columns is None else load_columns(columns), compares_exactly(catalog))
    read = read_stays(source, columns=cmap, needs="grouping")
    return _side(read, read.stays, [loaded], [compiled], None)


def our_side_of_run(run: Path) -> OurSide:
    """Group the records of a run's region again; the weights of the run are the scores.

    Raises :class:`InputError` RUN_STALE if any stay gets another group than in the run: then records, policy
    or catalogue have changed since.
    """
    read_manifest(run)
    region = load_region(run.resolve().parents[1])
    settings = make_settings(region)
    weights = read_table(run, "groups")
    read = read_stays(
        region.path(region.meta.records),
        columns=settings[0].columns,
        quality=region.quality,
        known=known_codes(region),
    )
    parts = divided(read.stays, [one.period for one in settings])
    compiled, priced, scores = [], [], []
    for setting, stays in zip(settings, parts, strict=True):
        policy, catalog = setting.region.policy, setting.catalog
        mine = pl.col("policy") == policy.meta.id, pl.col("catalog") == catalog.meta.id
        own = weights.filter(*mine)
        by_cost = COST_CRITERIA & set(policy.grouping.precedence)
        compiled.append(compile_catalog(catalog, policy.grouping, own) if by_cost else setting.compiled)
        cost = cost_of(stays, policy.scope).alias("cost_fen")
        priced.append(map_codes(stays.with_columns(cost), setting))
        known = own.filter(pl.col("rw_e4").is_not_null())
        scores.append(dict(zip(known["group_id"], known["rw_e4"], strict=True)))
    side = _side(read, together(priced), [one.catalog for one in settings], compiled, scores)
    cases = read_table(run, "cases").filter(pl.col("group_id").is_not_null()).select("setl_id", "group_id")
    moved = cases.join(side.ours, on="setl_id", how="left").filter(
        pl.col("group_id").ne_missing(pl.col("group_id_right"))
    )
    if moved.height:
        raise InputError(
            f"{moved.height} stays get another group now than in this run: its inputs have changed since",
            code="RUN_STALE",
            file=run,
            remedy="run the year again and compare the new run",
        )
    return replace(side, facts=side.facts | {"synthetic": region.meta.synthetic, "run": run.name})


def _side(
    read: StaysRead,
    stays: pl.DataFrame,
    catalogs: Sequence[DipCatalog | DrgCatalog],
    compiled: Sequence[Compiled],
    scores: Sequence[dict[str, int]] | None,
) -> OurSide:
    """Group stays. ``catalogs``, ``compiled``, ``scores``: of each part of the year."""
    engine = engine_of(compiled)
    frame = engine(stays)
    letter = stays["diag_codes"].list.first().str.strip_chars().str.slice(0, 1).str.to_uppercase()
    ours = frame.select(
        "setl_id",
        pl.when(pl.col("outcome").is_in(GROUPED)).then("group_id").alias("group_id"),
        pl.col("reason").cast(pl.String),
        letter.alias("chapter"),
    )
    if scores is not None:
        score = pl.lit(None, pl.Int64)
        for at, known in enumerate(scores):
            mine = stays[PART] == at if PART in stays.columns else pl.lit(True)
            worth = pl.col("group_id").replace_strict(known, default=None, return_dtype=pl.Int64)
            score = pl.when(mine).then(worth).otherwise(score)
        ours = ours.with_columns(score.alias("ours_score_e4"))
    # A row that is no stay (rejected, refunded) stands for its settlement unless a stay has the same key.
    others = (
        other_rows(read)
        .filter(pl.col("setl_id").is_not_null())
        .unique("setl_id", keep="first", maintain_order=True)
        .join(ours, on="setl_id", how="anti", maintain_order="left")
    )
    ours = pl.concat([ours, others.select("setl_id", "reason")], how="diagonal")
    columns = ["group_id", "name", "layer"]
    tables = [one.tables["mdc"].select("mdc", "name") for one in catalogs if isinstance(one, DrgCatalog)]
    chapters = pl.DataFrame(schema={"mdc": pl.String, "name": pl.String})
    if tables:
        columns += ["mdc", "adrg"]
        chapters = _once(tables, "mdc")
    figures = [name for name in FIGURES if name in stays.columns]
    # The newest catalogue of the year is the one that is named.
    meta = catalogs[-1].meta
    return OurSide(
        scheme=meta.scheme,
        groups=_once([one.groups.select(columns) for one in catalogs], "group_id"),
        chapters=chapters,
        ours=ours,
        records=stays.select(
            "setl_id", "diag_codes", "oprn_codes", *figures, *(n for n in stays.columns if n == PART)
        ),
        engine=engine,
        scored=scores is not None,
        facts={
            "catalog": {name: getattr(meta, name) for name in ("id", "title", "version", "kind")},
            "rows": read.rows_in,
            "stays": stays.height,
            "synthetic": False,
            "run": None,
            "notices": list(read.notices),
        },
    )


def _once(tables: Sequence[pl.DataFrame], key: str) -> pl.DataFrame:
    """Return the rows of several catalogues, each key once, as the newest has it."""
    if len(tables) == 1:
        return tables[0]
    return pl.concat(tables[::-1]).unique(key, keep="first", maintain_order=True)


def reconcile(
    inputs: ReconcileInputs, target: Path, *, lang: str = "zh", progress: Progress = silent
) -> Reconciliation:
    """Compare our groups with official results and write a new folder.

    Writes differences.csv, patterns.csv, by_chapter.csv, by_layer.csv, by_group.csv, one_side.csv, summary.json
    and reconcile.html (docs/reference/official-results.md). Raises :class:`fenzhi.errors.FenzhiError`; then
    nothing is left behind.
    """
    from fenzhi.reports.reconcile import reconcile_page

    # Opened first: a folder that cannot be written is said before the work.
    with new_dir(target) as aside:
        progress("read records", 0.0)
        side = _our_side(inputs)
        progress("read official results", 0.4)
        columns = inputs.official_columns
        cmap = None if columns is None else load_official_columns(columns)
        official = read_official(inputs.official, side.scheme, cmap)
        theirs, column = official_side(official, side.groups)
        progress("compare", 0.6)
        compared = compare(side.ours, theirs, side.groups)
        progress("reduce differences", 0.7)
        tables = _tables(side, theirs, compared, explain_patterns(side, compared))
        summary = _summary(side, official, column, compared) | {"official_file": inputs.official.name}
        progress("write", 0.9)
        for name, frame in tables.items():
            write_csv(frame, aside / f"{name}.csv")
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        (aside / "summary.json").write_text(text, encoding="utf-8")
        (aside / "reconcile.html").write_text(reconcile_page(summary, tables, lang), encoding="utf-8")
    progress("done", 1.0)
    return Reconciliation(target, summary, tables)


def explain_patterns(side: OurSide, compared: Compared) -> pl.DataFrame:
    """Return per pattern the smallest of a few reduced records and the change that gives the official group.

    Columns: pattern, example_setl_id, minimal_diagnoses, minimal_operations, minimal_figures, change,
    change_at, change_code (see :func:`fenzhi.comparison.find_changes`). Patterns without a record of a stay
    (rejected rows) and differences of score alone have no row.
    """
    codes = pl.col("diag_codes").list.len() + pl.col("oprn_codes").list.len()
    sample = (
        compared.cases.filter(pl.col("pattern").is_not_null() & (pl.col("kind") != "other_score"))
        .select("setl_id", "pattern", "theirs")
        .join(side.records, on="setl_id")
        .sort("pattern", codes, "setl_id")
        .group_by("pattern", maintain_order=True)
        .head(SAMPLE)
    )
    records = sample.select(side.records.columns)
    figures = [name for name in FIGURES if name in records.columns]
    texts = [pl.when(pl.col(f).is_not_null()).then(pl.format(f"{f}={{}}", pl.col(f))) for f in figures]
    minimal = reduce_records(records, side.engine).select(
        codes.alias("codes"),
        pl.sum_horizontal(pl.col(figures).is_not_null()).alias("figures"),
        pl.col("diag_codes").list.join("|").alias("minimal_diagnoses"),
        pl.col("oprn_codes").list.join("|").alias("minimal_operations"),
        pl.concat_str(texts, separator=" ", ignore_nulls=True).alias("minimal_figures"),
    )
    best = (
        pl.concat([sample, minimal], how="horizontal")
        .with_row_index("at")
        .sort("pattern", "codes", "figures", "setl_id")
        .unique("pattern", keep="first", maintain_order=True)
    )
    changes = find_changes(best.select(side.records.columns), best["theirs"], side.engine)
    shown = best.select(
        "pattern",
        pl.col("setl_id").alias("example_setl_id"),
        "minimal_diagnoses",
        "minimal_operations",
        "minimal_figures",
    )
    return pl.concat([shown, changes], how="horizontal")


def _tables(
    side: OurSide, theirs: pl.DataFrame, compared: Compared, explained: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    own = dict(zip(side.groups["group_id"], side.groups["name"], strict=True))
    named = theirs.drop_nulls(["group_id", "name"]).unique("group_id", keep="first", maintain_order=True)
    names = dict(zip(named["group_id"], named["name"], strict=True)) | own

    def name(column: str) -> pl.Expr:
        return pl.col(column).replace_strict(names, default=None, return_dtype=pl.String)

    patterns = compared.patterns.join(explained, on="pattern", how="left", maintain_order="left").select(
        "pattern",
        "kind",
        "cases",
        "theirs",
        name("theirs").alias("theirs_name"),
        "ours",
        name("ours").alias("ours_name"),
        "reason",
        *explained.columns[1:],
    )
    cases = compared.cases
    differences = (
        cases.filter(pl.col("kind").is_in(DIFFERENCES))
        .select(
            *("setl_id", "kind", "theirs", "ours", "reason", "message"),
            pl.col("diagnosis").alias("theirs_diagnosis"),
            pl.col("operation").alias("theirs_operation"),
            *("theirs_score_e4", "ours_score_e4", "pattern"),
        )
        .join(explained, on="pattern", how="left", maintain_order="left")
    )
    chapters = compared.by("chapter").join(
        side.chapters.rename({"mdc": "chapter"}).with_columns(pl.col("chapter").str.strip_prefix("MDC")),
        on="chapter",
        how="left",
        maintain_order="left",
    )
    one_side = cases.filter(pl.col("kind").is_in(ONE_SIDE)).select(
        "setl_id", "kind", "theirs", "ours", "reason"
    )
    return {
        "differences": differences,
        "patterns": patterns,
        "by_chapter": chapters.select("chapter", "name", pl.exclude("chapter", "name")),
        "by_layer": compared.by("layer"),
        "by_group": compared.by_group().select(
            "group_id", name("group_id").alias("name"), pl.exclude("group_id")
        ),
        "one_side": one_side,
    }


def _summary(side: OurSide, official: Official, column: str, compared: Compared) -> dict[str, Any]:
    counts = compared.counts
    differ = sum(counts[kind] for kind in DIFFERENCES)
    both = counts[AGREE] + differ
    codes = compared.cases["theirs"].drop_nulls()
    unknown = codes.filter(~codes.is_in(side.groups["group_id"].implode()))
    ours = side.facts["catalog"]["version"]
    return {
        "fenzhi": version("fenzhi"),
        "scheme": side.scheme,
        **{key: value for key, value in side.facts.items() if key != "notices"},
        "official": {
            "column": column,
            "versions": list(official.versions),
            "rows": official.rows_in,
            "settlements": official.results.height,
            "void": official.void_rows,
            "superseded": official.superseded_rows,
            "without_key": official.keyless_rows,
        },
        "other_version": any(not same_version(theirs, ours) for theirs in official.versions),
        "counts": counts,
        "compared": both,
        "agree": counts[AGREE],
        "differ": differ,
        "agreement_e4": round_half_up(Fraction(counts[AGREE] * SCALE, both)) if both else None,
        "patterns": compared.patterns.height,
        "unknown_codes": {"cases": unknown.len(), "codes": unknown.n_unique()},
        "scores_compared": side.scored and side.scheme == "dip",
        "notices": [*side.facts["notices"], *official.notices],
    }


def same_version(one: str, two: str) -> bool:
    """Tell whether two texts name the same version: letters and digits alone count, a leading ``v`` does not."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]+", "", text).casefold().removeprefix("v")

    return plain(one) == plain(two)
