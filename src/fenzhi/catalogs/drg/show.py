"""A DRG catalogue for people to look at: its summary, a chapter, an ADRG, a DRG, or where a code stands."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from fenzhi.catalogs.drg.diff import code_places
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import Term, chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.drg.summary import describe
from fenzhi.catalogs.drg.words import say_terms
from fenzhi.catalogs.show import Section, heading, nothing_found, section

TYPES = {
    "surgical": ("手术", "surgical"),
    "procedure": ("操作", "procedure"),
    "medical": ("内科", "medical"),
}
ITEM, VALUE = ("项目", "item"), ("内容", "value")
NAME, RULE, MDC, ADRG, DRG = (
    ("名称", "name"),
    ("规则", "rule"),
    ("MDC", "MDC"),
    ("ADRG", "ADRG"),
    ("DRG", "DRG"),
)
ORDER, TYPE, ENDED = ("顺序", "order"), ("类型", "type"), ("无DRG时", "if no DRG fits")
SEARCH_ON = ("继续下一组", "search goes on")
_EXAMPLES = 4
_RANGE = r"^[A-Z]?[0-9]{2}-[A-Z]?[0-9]{2}$"


class _View:
    """A catalogue with what its parts need for their words."""

    def __init__(self, catalog: DrgCatalog, lang: str) -> None:
        self.catalog, self.lang = catalog, lang
        self.at = 0 if lang == "zh" else 1
        self.tables = catalog.tables
        self.lists = set(self.tables["code_list"]["list_id"])
        self.lists |= {chapter_list(mdc) for mdc in self.tables["mdc"]["mdc"]}

    def say(self, zh: str, en: str) -> str:
        return zh if self.at == 0 else en

    def conditions(self, adrg: str, alt: int) -> tuple[Term, ...]:
        rows = self.tables["adrg_condition"].filter(pl.col("adrg") == adrg, pl.col("alt") == alt)
        return tuple(
            parse_condition(row, {"file": "adrg_condition.csv"}) for row in rows.iter_rows(named=True)
        )

    def rule(self, text: str | None) -> str:
        return say_terms(parse_drg_rule(text, self.lists, {"file": "drg.csv"}), self.lang)

    def entry(self, mdc: str, text: str | None) -> str:
        return say_terms(parse_entry(text, mdc, self.lists, {"file": "mdc.csv"}), self.lang)

    def label(self, adrg: str, alt: int) -> str:
        return adrg if alt == 1 else f"{adrg}/{alt}"

    def type(self, name: str | None) -> str:
        return TYPES[name][self.at] if name in TYPES else name or ""

    def name_of(self, table: str, code: str) -> str:
        found = self.tables[table].filter(pl.col("code") == code)
        return "" if found.is_empty() else found["name"][0] or ""


def _summary(view: _View) -> list[Section]:
    meta = view.catalog.meta
    held = f"{meta.valid_from or ''} – {meta.valid_to or ''}" if meta.valid_from or meta.valid_to else "-"
    yes = {True: view.say("是", "yes"), False: view.say("否", "no")}
    found = describe(view.catalog)
    n = {name: f"{size:,}" for name, size in found.sizes.items()}
    rows: list[tuple[str, object]] = [
        (view.say("版本", "version"), meta.version),
        (view.say("类别", "kind"), meta.kind),
        (view.say("有效期(出院日期)", "valid (by discharge)"), held),
        (view.say("编码比对", "codes are matched"), meta.code_match),
        (view.say("先转换编码", "codes are translated first"), yes[meta.translate_codes]),
        (
            view.say("无组时以其他手术重试", "tried again with further operations"),
            yes[meta.retry_other_operations],
        ),
        (view.say("歧义病案规则", "rules for ambiguous cases"), yes[meta.ambiguous]),
        ("MDC / ADRG / DRG", f"{n['chapters']} / {n['adrgs']} / {n['drgs']}"),
        (view.say("MDC 主要诊断编码", "diagnoses of the chapters"), n["chapter_diagnoses"]),
        (view.say("编码集(编码)", "code lists (codes)"), f"{n['code_lists']} ({n['listed_codes']})"),
        ("MCC / CC", f"{n['mcc']} / {n['cc']}"),
        (
            view.say("排除表(主要诊断)", "exclusion tables (principal diagnoses)"),
            f"{n['exclusion_tables']} ({n['exclusion_diagnoses']})",
        ),
        (view.say("参与分组的手术操作", "operations valid for grouping"), n["valid_procedures"]),
        (
            view.say("编码库(诊断 / 手术操作)", "code books (diagnoses / operations)"),
            f"{n['diagnosis_book']} / {n['operation_book']}",
        ),
        (view.say("权重", "weights"), n["weights"]),
    ]
    chapters = [
        (order, mdc, name, view.entry(mdc, entry), qy, adrgs, drgs)
        for order, (mdc, name, entry, qy, adrgs, drgs) in enumerate(
            found.chapters.select("mdc", "name", "entry_rule", "qy_rule", "adrgs", "drgs").iter_rows(),
            start=1,
        )
    ]
    columns = [ORDER, MDC, NAME, ("入组", "entry"), ("歧义", "QY"), ADRG, DRG]
    return [
        section(heading(view.catalog), [ITEM, VALUE], rows, view.lang),
        section("MDC", columns, chapters, view.lang),
    ]


def _chapter(view: _View, mdc: str) -> list[Section]:
    row = view.tables["mdc"].row(by_predicate=pl.col("mdc") == mdc, named=True)
    dx = view.tables["mdc_dx"].filter(pl.col("mdc") == mdc)
    facts = [
        (view.say("顺序", "order"), row["eval_order"]),
        (view.say("入组", "entry"), view.entry(mdc, row["entry_rule"])),
        (view.say("歧义规则", "rule for ambiguous cases"), row["qy_rule"] or "off"),
        (view.say("主要诊断编码", "diagnoses"), f"{dx['code'].n_unique():,}"),
    ]
    sites = dx.drop_nulls("trauma_site").group_by("trauma_site", maintain_order=True).len()
    facts += [(f"{view.say('部位', 'site')} {site}", f"{n:,}") for site, n in sites.iter_rows()]
    return [
        section(f"{mdc} {row['name'] or ''}", [ITEM, VALUE], facts, view.lang),
        _adrg_table(view, view.tables["adrg"].filter(pl.col("mdc") == mdc)),
    ]


def _adrg_table(view: _View, adrgs: pl.DataFrame) -> Section:
    rows = [
        (
            row["eval_order"],
            view.label(row["adrg"], row["alt"]),
            view.type(row["type"]),
            row["name"],
            say_terms(view.conditions(row["adrg"], row["alt"]), view.lang),
            row["return_if_no_drg"] or SEARCH_ON[view.at],
        )
        for row in adrgs.iter_rows(named=True)
    ]
    columns = [ORDER, ADRG, TYPE, NAME, ("入组条件(全部满足)", "conditions (all of them)"), ENDED]
    return section("ADRG", columns, rows, view.lang)


def _drg_table(view: _View, drgs: pl.DataFrame) -> Section:
    weights = dict(view.tables["weights"].iter_rows())
    rows = [
        (
            row["test_order"],
            view.label(row["adrg"], row["alt"]),
            row["drg"],
            row["name"],
            view.rule(row["rule"]),
            weights.get(row["drg"]),
        )
        for row in drgs.iter_rows(named=True)
    ]
    columns = [ORDER, ADRG, DRG, NAME, RULE, ("权重", "weight")]
    return section(view.say("DRG(按顺序)", "DRGs, in order"), columns, rows, view.lang)


def _adrg(view: _View, adrg: str) -> list[Section]:
    entries = view.tables["adrg"].filter(pl.col("adrg") == adrg)
    terms = [term for alt in entries["alt"] for term in view.conditions(adrg, alt)]
    rows = []
    for name in dict.fromkeys(term.list_id for term in terms if term.list_id):
        codes = view.tables["code_list"].filter(pl.col("list_id") == name)["code"]
        rows.append((name, f"{len(codes):,}", ", ".join(codes.head(_EXAMPLES))))
    columns = [("编码集", "list"), ("编码数", "codes"), ("例如", "for example")]
    return [
        section(f"{adrg} {entries['name'][0] or ''} ({entries['mdc'][0]})", [ITEM, VALUE], [], view.lang),
        _adrg_table(view, entries),
        section(view.say("编码集", "code lists"), columns, rows, view.lang),
        _drg_table(view, view.tables["drg"].filter(pl.col("adrg") == adrg)),
    ]


def _tokens(view: _View, code: str, codes: Iterable[str]) -> list[str]:
    """Return the codes of the tables that stand for a code."""
    if view.catalog.meta.code_match == "exact":
        return [code]
    starts = {code[:n] for n in range(1, len(code) + 1)}
    found = []
    for token in codes:
        low, sign, high = token.partition("-")
        if token in starts or (sign and low <= code[: len(low)] <= high):
            found.append(token)
    return found


def _code(view: _View, code: str) -> list[Section]:
    """Return where a diagnosis or operation stands; nothing if the catalogue does not know it."""
    tables = view.tables
    rows: list[tuple[str, object]] = []

    def add(table: str, column: str, values: tuple[str, ...], title: str, empty: str = "") -> None:
        codes = tables[table][column]
        tokens = _tokens(view, code, codes.unique().drop_nulls())
        found = tables[table].filter(pl.col(column).is_in(tokens))
        for row in found.unique(maintain_order=True).iter_rows(named=True):
            text = " ".join(str(row[name]) for name in values if row[name]) or empty
            if text:
                rows.append((title, text if row[column] == code else f"{text} ({row[column]})"))

    book = view.say("编码库", "code book")
    add("icd10", "code", ("name",), book)
    add("icd9cm3", "code", ("name",), book)
    target = view.say("转换为", "is translated to")
    unmapped = view.say("不能转换", "cannot be translated")
    for name in ("icd10", "icd9cm3"):
        if tables[name]["map_to"].is_not_null().any():
            add(name, "code", ("map_to",), target, unmapped)
    add("mdc_dx", "code", ("mdc", "trauma_site"), view.say("主要诊断大类", "chapter"))
    names = {
        key: name
        for table in ("adrg", "drg")
        for key, name in tables[table].select(table, "name").iter_rows()
    }
    for side in ("dx", "op"):
        places = code_places(view.catalog, side)
        tokens = _tokens(view, code, places["code"].unique().drop_nulls())
        for token, place, tag, list_id in (
            places.filter(pl.col("code").is_in(tokens)).sort("place").iter_rows()
        ):
            name = names.get(place.partition(":")[0].partition("/")[0]) or ""
            more = "".join(
                (f" = {tag}" if tag else "", f" [{list_id}]", "" if token == code else f" ({token})")
            )
            rows.append(("ADRG", f"{place} {name}{more}"))
    add("cc", "code", ("level", "excl_table"), view.say("CC / MCC 与排除表", "CC / MCC, exclusion table"))
    add(
        "cc_exclusion",
        "main_dx",
        ("excl_table",),
        view.say("作主要诊断时的排除表", "as principal diagnosis: table"),
    )
    tokens = _tokens(view, code, tables["valid_procedure"]["code"])
    if tables["valid_procedure"]["code"].is_in(tokens).any():
        rows.append((view.say("参与分组", "valid for grouping"), view.say("是", "yes")))
    elif tables["icd9cm3"]["code"].is_in(_tokens(view, code, tables["icd9cm3"]["code"])).any():
        rows.append((view.say("参与分组", "valid for grouping"), view.say("否", "no")))
    return [section(code, [ITEM, VALUE], rows, view.lang)] if rows else []


def show_drg(catalog: DrgCatalog, code: str | None, lang: str) -> list[Section]:
    """Return the summary of a DRG catalogue, or what it says of a chapter, ADRG, DRG, diagnosis or operation.

    Raises :class:`CatalogError` (CATALOG_CODE_MISSING) if it has no such code.
    """
    view = _View(catalog, lang)
    if code is None:
        return _summary(view)
    if code in catalog.tables["mdc"]["mdc"]:
        return _chapter(view, code)
    if code in catalog.tables["adrg"]["adrg"]:
        return _adrg(view, code)
    if code in catalog.tables["drg"]["drg"]:
        rows = catalog.tables["drg"].filter(pl.col("drg") == code)
        adrg = rows["adrg"][0]
        shown = _adrg(view, adrg)
        return [section(f"{code} {rows['name'][0] or ''} ({adrg})", [ITEM, VALUE], [], lang), *shown[1:]]
    found = _code(view, code)
    if not found:
        raise nothing_found(code, "chapter, ADRG, DRG, diagnosis or operation")
    return found
