"""The page of a comparison with official results: agreement, by chapter, by group, and what differs why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.reports.display import Cell, Head, Table, code, count, percent, text
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.reconcile_texts import TEXTS
from fenzhi.reports.words import Words, language

#: Rows of a table on the page; the rest is in the CSV files.
SHOWN_PATTERNS, SHOWN_GROUPS = 200, 100


class ReconcileWords(Words):
    """The words of every page, and those of this one."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        if key not in TEXTS:
            return super().__call__(key, **values)
        return TEXTS[key][language(self.lang)].format(**values)

    def word(self, kind: str, name: object) -> str:
        """Return the word for a kind of difference, a layer, a change or a reason; the name itself if none."""
        if name is None:
            return self("none")
        if f"{kind}.{name}" in TEXTS:
            return self(f"{kind}.{name}")
        return self.known("reason", name) or self.known("rule", name) or str(name)


def reconcile_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a comparison (``summary.json`` and the tables that are written as CSV).

    Raises ``OutputError`` REPORT_LANGUAGE for an unknown language.
    """
    w = ReconcileWords(lang)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("reconcile.html").render(
        w=w,
        manifest={"run_id": summary["run"] or ""},
        synthetic=summary["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=w(f"title_{summary['scheme']}"),
        head=_head(summary, w),
        sentence=_sentence(summary, w),
        version_note=_version_note(summary, w),
        warnings=_warnings(summary, w),
        figures=[
            (w("compared"), count(summary["compared"])),
            (w("kind.agree"), count(summary["agree"])),
            (w("differ"), count(summary["differ"])),
            (w("agreement"), percent(summary["agreement_e4"])),
        ],
        shown=[
            _kinds(summary, w),
            _shares("by_chapter", tables["by_chapter"], summary["scheme"], w),
            _shares("by_layer", tables["by_layer"], summary["scheme"], w),
            _patterns(tables["patterns"], w),
            _groups(tables["by_group"], w),
            _files(tables, w),
        ],
    )


def _head(summary: Mapping[str, Any], w: ReconcileWords) -> list[tuple[str, str]]:
    catalog, official = summary["catalog"], summary["official"]
    return [
        (w("our_catalog"), f"{catalog['title']} {catalog['version']}"),
        (w("official_file"), summary["official_file"]),
        (w("official_version"), w("list").join(official["versions"]) or w("not_known")),
        (w("official_column"), official["column"]),
        *([(w("run"), summary["run"])] if summary["run"] else []),
    ]


def _sentence(summary: Mapping[str, Any], w: ReconcileWords) -> str:
    if not summary["compared"]:
        return w("sentence_none")
    return w(
        "sentence",
        compared=f"{summary['compared']:,}",
        agree=f"{summary['agree']:,}",
        rate=percent(summary["agreement_e4"]).text,
        patterns=f"{summary['patterns']:,}",
    )


def _version_note(summary: Mapping[str, Any], w: ReconcileWords) -> str:
    if not summary["other_version"]:
        return ""
    versions = w("list").join(summary["official"]["versions"])
    return w("note_version", theirs=versions, ours=summary["catalog"]["version"])


def _warnings(summary: Mapping[str, Any], w: ReconcileWords) -> list[str]:
    official, unknown = summary["official"], summary["unknown_codes"]
    found = []
    if not official["versions"]:
        found.append(w("note_no_version"))
    if unknown["cases"]:
        found.append(w("note_unknown", cases=f"{unknown['cases']:,}", codes=f"{unknown['codes']:,}"))
    for key in ("void", "superseded", "without_key"):
        if official[key]:
            found.append(w(f"note_{key}", rows=f"{official[key]:,}"))
    if not summary["scores_compared"] and summary["scheme"] == "dip":
        found.append(w("note_scores"))
    return found


def _kinds(summary: Mapping[str, Any], w: ReconcileWords) -> Table:
    heads = [Head(w("kind"), False), Head(w("settlements")), Head(w("meaning"), False)]
    table = Table("kinds", w("kinds"), heads, w("kinds_note"))
    for kind, number in summary["counts"].items():
        if number or kind == "agree":
            table.add(text(w(f"kind.{kind}")), count(number), text(w(f"meaning.{kind}")))
    table.add(text(w("total")), count(sum(summary["counts"].values())), text(w("union")), part="total")
    return table


def _shares(name: str, frame: pl.DataFrame, scheme: str, w: ReconcileWords) -> Table:
    chapter = name == "by_chapter"
    title = w(f"{name}_{scheme}") if chapter else w(name)
    kinds = [column for column in frame.columns if f"kind.{column}" in TEXTS and column != "agree"]
    kinds = [kind for kind in kinds if frame[kind].sum()]
    heads = [Head(title, False), *(Head(w(h)) for h in ("settlements", "kind.agree", "differ", "agreement"))]
    table = Table(name, w(f"{name}_caption"), [*heads, *(Head(w(f"kind.{kind}")) for kind in kinds)])
    for row in frame.iter_rows(named=True):
        if chapter:
            label = text(" ".join(part for part in (row["chapter"], row["name"]) if part) or w("nowhere"))
        else:
            label = text(w("nowhere") if row["layer"] is None else w.word("layer", row["layer"]))
        figures = [count(row[column]) for column in ("cases", "agree", "differ")]
        table.add(label, *figures, percent(row["agreement_e4"]), *(count(row[kind]) for kind in kinds))
    return table


def _patterns(frame: pl.DataFrame, w: ReconcileWords) -> Table:
    heads = [Head(w("number")), Head(w("kind"), False), Head(w("settlements"))]
    heads += [Head(w(h), False) for h in ("theirs", "ours", "example", "minimal", "change")]
    note = w("patterns_note")
    if frame.height > SHOWN_PATTERNS:
        note += w("more", n=f"{SHOWN_PATTERNS:,}", all=f"{frame.height:,}", file="patterns.csv")
    table = Table("patterns", w("patterns_caption"), heads, note)
    for row in frame.head(SHOWN_PATTERNS).iter_rows(named=True):
        ours = _group(row["ours"], row["ours_name"], w)
        if row["ours"] is None:
            ours = text(w("not_grouped"), note=w.word("reason", row["reason"]))
        table.add(
            count(row["pattern"]),
            text(w(f"kind.{row['kind']}")),
            count(row["cases"]),
            _group(row["theirs"], row["theirs_name"], w),
            ours,
            code(row["example_setl_id"]),
            text(record_text(row, w)),
            text(change_text(row, w)),
        )
    return table


def _group(group: str | None, name: str | None, w: ReconcileWords) -> Cell:
    return text(w("not_grouped")) if group is None else text(group, note=name)


def record_text(row: Mapping[str, Any], w: ReconcileWords) -> str | None:
    """Return the smallest record of a row of patterns in words, None if it has none."""
    if row["minimal_diagnoses"] is None:
        return None
    parts = [w("diagnoses", codes=row["minimal_diagnoses"].replace("|", " | "))]
    if row["minimal_operations"]:
        parts.append(w("operations", codes=row["minimal_operations"].replace("|", " | ")))
    figures = [figure.split("=", 1) for figure in (row["minimal_figures"] or "").split()]
    parts += [f"{w.word('figure', name)} {value}" for name, value in figures]
    return w("separator").join(parts)


def change_text(row: Mapping[str, Any], w: ReconcileWords) -> str | None:
    """Return the change that gives the official group in words, None where nothing was reduced."""
    change = row["change"]
    if row["minimal_diagnoses"] is None:
        return None
    if change is None:
        return w("no_change")
    shown = w.word("figure", row["change_code"]) if change == "without_figure" else row["change_code"]
    return w(f"change.{change}", code=shown, at=row["change_at"])


def _groups(frame: pl.DataFrame, w: ReconcileWords) -> Table:
    heads = [Head(w("group"), False), *(Head(w(h)) for h in ("theirs_cases", "ours_cases"))]
    heads += [Head(w(h)) for h in ("kind.agree", "agreement")]
    differing = frame.filter((pl.col("theirs") != pl.col("agree")) | (pl.col("ours") != pl.col("agree")))
    note = w("groups_note_reconcile", equal=f"{frame.height - differing.height:,}")
    if differing.height > SHOWN_GROUPS:
        note += w("more", n=f"{SHOWN_GROUPS:,}", all=f"{differing.height:,}", file="by_group.csv")
    table = Table("by_group", w("by_group_caption"), heads, note)
    for row in differing.head(SHOWN_GROUPS).iter_rows(named=True):
        figures = [count(row[column]) for column in ("theirs", "ours", "agree")]
        table.add(text(row["group_id"], note=row["name"]), *figures, percent(row["agreement_e4"]))
    return table


def _files(tables: Mapping[str, pl.DataFrame], w: ReconcileWords) -> Table:
    heads = [Head(w("file"), False), Head(w("rows")), Head(w("meaning"), False)]
    table = Table("files", w("files"), heads)
    for name, frame in tables.items():
        file = f"{name}.csv"
        table.add(text(file, href=file), count(frame.height), text(w(f"file.{name}")))
    return table
