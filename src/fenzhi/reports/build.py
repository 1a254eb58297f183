"""The page of a built catalogue: what came out, by which rules, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.reports.build_texts import MEASURES, BuildWords, measure_text, shown_measures
from fenzhi.reports.display import Cell, Head, Table, code, count, e4, index, rate, text, yuan
from fenzhi.reports.pages import TEMPLATES

#: Rows of a table on the page; the rest is in the files.
SHOWN = 40
CRITERIA = ("core", "cases_met", "share_met", "cv_met", "selected")
#: Figures of building; all others are of quality.
COUNTED = tuple(MEASURES)[: list(MEASURES).index("cv_groups")]


def build_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a built catalogue (``build.json`` and its tables, quality/columns.py).

    Raises ``OutputError`` REPORT_LANGUAGE for an unknown language.
    """
    from fenzhi.reports.build_charts import build_charts

    w = BuildWords(lang)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = summary["figures"]
    shown = [
        figures_table("counts", w("counts"), figures, COUNTED, w),
        _rules(summary["rules"], w),
        _additions(summary, tables["additions"], w),
        _dropped(tables["dropped"], w),
        _flagged(summary, tables["weights"], w),
        _weights(tables["weights"], w),
        *_classes(tables, w),
        *_grassroots(tables, w),
        *_auxiliary(tables, w),
        figures_table("quality", w("quality"), figures, [n for n in MEASURES if n not in COUNTED], w),
        _contradictions(tables["contradictions"], w),
        _unspecific(tables["unspecific"], w),
        _missing(tables["missing_codes"], w),
        _use(tables, w),
        _files(tables, w),
    ]
    catalog = summary["catalog"]
    return environment.get_template("build.html").render(
        w=w,
        manifest={"run_id": w("list").join(map(str, summary["years"]))},
        synthetic=catalog["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=catalog["title"],
        head=_head(summary, w),
        sentence=_sentence(summary, w),
        figures=[
            (w("figure_groups"), count(figures["groups"])),
            (w("figure_coverage"), rate(figures["coverage"])),
            (w("figure_cv"), index(figures["cv_mean"])),
            (w("figure_riv"), rate(figures["riv"])),
        ],
        charts=build_charts(tables, figures["threshold"], w),
        shown=shown,
    )


def _head(summary: Mapping[str, Any], w: BuildWords) -> list[tuple[str, str]]:
    policy, base = summary["policy"], summary["base"]
    return [
        (w("policy"), f"{policy['title']} ({policy['id']})"),
        (w("base"), w("no_base") if base is None else f"{base['title']} {base['version']} ({base['id']})"),
        (w("history"), w("list").join(map(str, summary["years"]))),
    ]


def _sentence(summary: Mapping[str, Any], w: BuildWords) -> str:
    figures = summary["figures"]
    return w(
        "sentence",
        years=w("list").join(map(str, summary["years"])),
        stays=f"{figures['history_counted']:,}",
        groups=f"{figures['groups']:,}",
        coverage=measure_text("coverage", figures["coverage"]),
        cv=measure_text("cv_mean", figures["cv_mean"]),
        riv=measure_text("riv", figures["riv"]),
    )


def figures_table(
    name: str, caption: str, figures: Mapping[str, Any], names: Sequence[str], w: BuildWords
) -> Table:
    """Return figures by name, those that are known."""
    table = Table(name, caption, [Head(w("item"), False), Head(w("figure"))])
    if name == "quality":
        table.note = w("quality_note")
    known = shown_measures(figures)
    for one in names:
        if one in known:
            table.add(text(w.measure(one)), Cell(measure_text(one, figures[one]), "num"))
    return table


def _rules(rules: Sequence[Mapping[str, str]], w: BuildWords) -> Table:
    heads = [Head(w(h), False) for h in ("item", "key", "value", "cite", "confidence")]
    table = Table("rules", w("rules"), heads, w("rules_note"))
    for rule in rules:
        sure = w.name("confidence", rule["confidence"])
        table.add(text(rule[w.lang]), code(rule["key"]), text(rule["value"]), text(rule["cite"]), text(sure))
    return table


def _cut(name: str, caption: str, heads: list[Head], note: str, rows: int, w: BuildWords) -> Table:
    """Return a table whose note says how many rows are left out."""
    if rows > SHOWN:
        note += w("more", n=f"{SHOWN:,}", all=f"{rows:,}", file=f"{name}.csv")
    return Table(name, caption, heads, note)


def _group(row: Mapping[str, Any]) -> Cell:
    return text(row["group_id"], note=row["name"])


def _additions(summary: Mapping[str, Any], frame: pl.DataFrame, w: BuildWords) -> Table:
    core = frame.filter(pl.col("origin") != "comprehensive").sort(
        "stays", "group_id", descending=[True, False]
    )
    heads = [Head(w("group"), False), Head(w("origin"), False), Head(w("stays")), Head(w("cost_share"))]
    note = w("additions_note", share=f"{float(summary['related_cost_share']):.0%}")
    table = _cut("additions", w("additions"), heads, note, core.height, w)
    for row in core.head(SHOWN).iter_rows(named=True):
        origin = text(w.word("origin", row["origin"]))
        table.add(_group(row), origin, count(row["stays"]), rate(row["cost_share"]))
    return table


def _dropped(frame: pl.DataFrame, w: BuildWords) -> Table:
    heads = [Head(w("group"), False), Head(w("stays")), Head(w("reason"), False)]
    table = _cut("dropped", w("dropped"), heads, w("dropped_note"), frame.height, w)
    for row in frame.head(SHOWN).iter_rows(named=True):
        table.add(_group(row), count(row["stays"]), text(w.word("reason", row["reason"])))
    return table


def _flagged(summary: Mapping[str, Any], weights: pl.DataFrame, w: BuildWords) -> Table:
    comprehensive = weights.filter(pl.col("origin") == "comprehensive")
    above = comprehensive.filter("cv_above").sort("cases", "group_id", descending=[True, False])
    note = w(
        "flagged_note",
        limit=summary["comprehensive_cv_max"],
        n=f"{comprehensive.height:,}",
        above=f"{above.height:,}",
    )
    heads = [Head(w("group"), False), Head(w("stays")), Head(w("cv_before")), Head(w("cv"))]
    table = Table("flagged", w("flagged"), heads, note)
    if above.height > SHOWN:
        table.note += w("more", n=f"{SHOWN:,}", all=f"{above.height:,}", file="weights.csv")
    for row in above.head(SHOWN).iter_rows(named=True):
        table.add(_group(row), count(row["cases"]), index(row["cv_before"]), index(row["cv"]))
    return table


def _weights(weights: pl.DataFrame, w: BuildWords) -> Table:
    titles = ("stays", "rw", "drug_rw", "material_rw", "mean", "cv_before", "cv")
    heads = [Head(w("group"), False), Head(w("origin"), False), *(Head(w(title)) for title in titles)]
    table = Table("weights", w("weights"), heads, w("weights_note"))
    largest = weights.sort("cases", "group_id", descending=[True, False]).head(SHOWN)
    for row in largest.iter_rows(named=True):
        table.add(
            _group(row),
            text(w.word("origin", row["origin"])),
            count(row["cases"]),
            *(e4(row[name]) for name in ("weight_e4", "drug_weight_e4", "material_weight_e4")),
            yuan(row["mean_cost_fen"]),
            index(row["cv_before"]),
            index(row["cv"]),
        )
    return table


def _classes(tables: Mapping[str, pl.DataFrame], w: BuildWords) -> list[Table]:
    if "classes" not in tables or tables["classes"].is_empty():
        return []
    heads = [Head(w("class"), False), Head(w("stays")), Head(w("mean")), Head(w("coefficient"))]
    table = Table("classes", w("classes"), heads, w("classes_note"))
    for row in tables["classes"].iter_rows(named=True):
        level, _, kind = row["class"].partition("|")
        named = " ".join(
            part for part in (w.known("level", level) or level, w.known("type", kind) or kind) if part
        )
        table.add(
            text(named, note=row["class"]),
            count(row["cases"]),
            yuan(row["mean_fen"]),
            e4(row["coefficient_e4"]),
        )
    return [table]


def _grassroots(tables: Mapping[str, pl.DataFrame], w: BuildWords) -> list[Table]:
    if "grassroots" not in tables:
        return []
    table = Table(
        "grassroots",
        w("grassroots"),
        [Head(w("criterion"), False), Head(w("groups"))],
        w("grassroots_note"),
    )
    for name in CRITERIA:
        table.add(text(w(name)), count(int(tables["grassroots"][name].fill_null(False).sum())))
    return [table]


def _auxiliary(tables: Mapping[str, pl.DataFrame], w: BuildWords) -> list[Table]:
    if "auxiliary_tried" not in tables:
        return []
    found = (
        tables["auxiliary_tried"]
        .group_by("family", "status")
        .agg(pl.col("group_id").n_unique().cast(pl.Int64).alias("groups"))
        .sort("family", "status", nulls_last=True)
    )
    heads = [Head(w("family"), False), Head(w("status"), False), Head(w("groups"))]
    table = Table("auxiliary", w("auxiliary"), heads, w("auxiliary_note"))
    for row in found.iter_rows(named=True):
        table.add(text(row["family"]), text(w.word("status", row["status"])), count(row["groups"]))
    return [table]


def _contradictions(frame: pl.DataFrame, w: BuildWords) -> Table:
    heads = [Head(w("test"), False), Head(w("heavy"), False), Head(w("stays")), Head(w("rw"))]
    heads += [Head(w("light"), False), Head(w("stays")), Head(w("rw")), Head(w("gap"))]
    note = w("contradictions_note")
    table = _cut("contradictions", w("contradictions"), heads, note, frame.height, w)
    for row in frame.head(SHOWN).iter_rows(named=True):
        table.add(
            text(w.word("test", row["test"])),
            _side(row["group_id"], row["name"], row["level"], w),
            count(row["cases"]),
            e4(row["value_e4"]),
            _side(row["other_id"], row["other_name"], row["other_level"], w),
            count(row["other_cases"]),
            e4(row["other_value_e4"]),
            rate(row["gap_e4"] / 10_000),
        )
    return table


def _side(group: str, name: str | None, level: str | None, w: BuildWords) -> Cell:
    return text(group if level is None else w("level_of", group=group, level=level), note=name)


def _unspecific(frame: pl.DataFrame, w: BuildWords) -> Table:
    heads = [Head(w("code_head"), False), Head(w("why"), False), Head(w("stays")), Head(w("hospitals"))]
    table = _cut("unspecific", w("unspecific"), heads, w("unspecific_note"), frame.height, w)
    for row in frame.head(SHOWN).iter_rows(named=True):
        why = text(w.word("why", row["why"]))
        table.add(code(row["code"]), why, count(row["stays"]), count(row["hospitals"]))
    return table


def _missing(frame: pl.DataFrame, w: BuildWords) -> Table:
    heads = [Head(w("kind"), False), Head(w("code_head"), False), Head(w("mentions"))]
    table = _cut("missing_codes", w("missing_codes"), heads, "", frame.height, w)
    for row in frame.head(SHOWN).iter_rows(named=True):
        table.add(text(w.word("kind", row["kind"])), code(row["code"]), count(row["mentions"]))
    return table


def _use(tables: Mapping[str, pl.DataFrame], w: BuildWords) -> Table:
    heads = [Head(w("where"), False), Head(w("value"), False), Head(w("meaning"), False)]
    table = Table("use", w("use"), heads, w("use_note"))
    region, pack = "region.toml [region]", "policy.toml"
    table.add(text(region), code('catalog = "…"'), text(w("use_catalog")))
    if "hospitals" in tables:
        table.add(text(region), code('hospitals = "…/hospitals.csv"'), text(w("use_hospitals")))
    if "auxiliary" in tables:
        table.add(text(region), code('auxiliary = "…/auxiliary.csv"'), text(w("use_auxiliary")))
    table.add(text(f"{pack} [weights]"), code('method = "given"'), text(w("use_weights")))
    if "auxiliary" in tables:
        table.add(text(f"{pack} [auxiliary]"), code('source = "listed"'), text(w("use_listed")))
    return table


def _files(tables: Mapping[str, pl.DataFrame], w: BuildWords) -> Table:
    heads = [Head(w("file"), False), Head(w("file_rows")), Head(w("meaning"), False)]
    table = Table("files", w("files"), heads)
    for name, frame in tables.items():
        file = f"{name}.csv"
        table.add(text(file, href=file), count(frame.height), text(w(f"file.{name}")))
    return table
