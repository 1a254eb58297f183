"""The sheets of workbooks and tables: what each one is, where its headers stand, and its rows by column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fenzhi.catalogs.dip.layout import HEADER_ROWS, ROLES, Column, Role, columns_by_title, title_keys
from fenzhi.catalogs.dip.local import SKIP, LocalLayout, LocalSheet
from fenzhi.catalogs.dip.report import Entry, Place, Report
from fenzhi.catalogs.dip.vocabulary import EXCLUSION_WORDS
from fenzhi.catalogs.sheets import Sheet, read_sheets
from fenzhi.catalogs.titles import half_width, same_title, shortest_number
from fenzhi.codes import read_table
from fenzhi.errors import CatalogError

# Sheets without a telling title are told by their columns, in this order.
_TOLD = (
    *("core", "comprehensive", "excluded_operations", "operations", "burn", "tuberculosis", "tumour"),
    *("pregroup", "meta", "sets"),
)
_BY_COLUMNS = (*((name, ROLES[name].told_by) for name in _TOLD), ("core", ("class", "seq", "main_diag")))
# A sheet called like one of these may as well be something else, so it is left out if its header does not fit.
_MAY_BE_OTHER = (
    "meta",
    "sets",
    "diagnosis_names",
    "operation_names",
    "operations",
    "diagnosis_map",
    "operation_map",
)
_TELLING = {same_title(word) for word in ("主要诊断编码", "主要手术操作编码", "相关手术操作编码")}
_LIKE_A_RULE = re.compile(r"编码|代码|诊断|手术|操作|天龄|体重|耐药|条件|年龄|性别|天数")
_BOOKS = ("diagnosis_names", "operation_names", "operations")
_GROUP_LIKE = (
    "pregroup",
    "merged",
    "burn",
    "tumour",
    "tuberculosis",
    "assisted",
    "basic",
    "core",
    "comprehensive",
)
# A row of codes is never a row of titles.
_LIKE_A_CODE = re.compile(r"\d{2}\.\d|[A-Z]\d\d(?!\d*分类)")
_SUBTITLES = {same_title(word): word for word in ("编码", "代码", "名称", "code", "name")} | {
    same_title(f"{what}{word}"): word
    for word in ("编码", "代码", "名称")
    for what in ("ICD-10", "ICD-9-CM-3", "ICD-9", "医保", "诊断", "手术", "操作", "手术操作")
}
_HEADING = re.compile(
    r"(注|备\s*注|备注说明|说\s*明|单位|来源|(数据|资料)来源)([::\s\d一二三四五六七八九十].*)?|(合|总|小)\s*计.*"
    r"|附(表|件|录|注).*|表\s*[\d一二三四五六七八九十].*|续表.*|\(?续(表|上页)?\)?|共\s*\d.*|第.+页.*"
    r"|[一二三四五六七八九十]+、.*|\([一二三四五六七八九十\d]+\).*|[*※].*|\(?本页.*|[-—]*\(?以[上下].*"
    r"|(制表|审核|填报|编制|打印|发布)(人|日期|时间|单位|机构)?:.*|\d{4}年[\d月日 ]*|国家医疗保障局.*",
    re.DOTALL,
)
_TOTAL = re.compile(r"(合|总|小)\s*计")
# What counts columns, and from how many columns on; a row that is nothing but the number of a page.
_STEMS, _COUNTED = list("甲乙丙丁戊己庚辛壬癸"), 3
_PAGE = re.compile(r"-\s*\d+\s*-|\d+\s*/\s*\d+|—\s*\d+\s*—")
Places = Mapping[str, tuple[int, str]]


@dataclass(frozen=True)
class Line:
    """A row: its cells by column, where each column stands, and the section title above it, if there is one."""

    place: Place
    role: str
    cells: Mapping[str, str]
    columns: Places
    local: LocalSheet | None = None
    section: str = ""

    def get(self, name: str) -> str:
        """Return a cell, empty if the column or the cell is not there."""
        return self.cells.get(name, "")


@dataclass(frozen=True)
class Found:
    """A sheet that is read: what it is, and where it came from."""

    file: Path
    sheet: Sheet
    role: str
    local: LocalSheet | None


def _is_map(role: Role) -> bool:
    return role.name in ("diagnosis_map", "operation_map")


def _map_column(title: str) -> str | None:
    """Return the column of a mapping table by what its title contains: ``医保版2.0编码`` is the target."""
    word = same_title(title)
    side = "target" if "医保" in word else "code" if re.search("国临|临床", word) else ""
    if side and re.search("编码|代码", word):
        return side
    if side and "名称" in word:
        return "target_name" if side == "target" else "name"
    return None


def _book_column(title: str) -> str | None:
    """Return the column of a table of one's own by what its title contains: ``医保版2.0编码`` is the code."""
    word = same_title(title)
    return "code" if re.search("编码|代码", word) else "name" if "名称" in word else None


class _Titles:
    """Titles of a role, those of the mapping file first."""

    def __init__(self, role: Role, local: LocalSheet | None) -> None:
        self.role, self.local = role, local
        self.known: dict[str, Column] = columns_by_title(role)
        self.by_name = {column.name: column for column in role.columns}

    def name(self, title: str) -> str | None:
        for key in title_keys(title):
            if self.local is not None and key in self.local.columns:
                return self.local.columns[key]
            if key in self.known:
                return self.known[key].name
        if _is_map(self.role):
            return _map_column(title)
        return _book_column(title) if self.role.name in _BOOKS else None

    def places(self, row: Mapping[int, str]) -> tuple[dict[str, tuple[int, str]], dict[int, str]]:
        """Return the columns that a row of titles names, and the titles that nobody knows."""
        found: dict[str, tuple[int, str]] = {}
        unknown: dict[int, str] = {}
        for at, title in sorted(row.items()):
            name = self.name(title)
            if name is None or (name in found and name != "ignored"):
                unknown[at] = title.strip()
            else:
                found[name if name != "ignored" else f"ignored {at}"] = (at, title.strip())
        return found, unknown

    def meets(self, names: Mapping[str, object]) -> bool:
        return all(any(name in names for name in group) for group in self.role.needs)

    def missing(self) -> str:
        by_name = {column.name: column.titles[0] for column in self.role.columns}
        return "、".join("/".join(by_name[name] for name in group[:2]) for group in self.role.needs)


def _below(upper: Mapping[int, str], lower: Mapping[int, str]) -> dict[int, str] | None:
    """Return the titles of a header of two rows, None if the lower one holds no subtitles."""
    own = {at: text for at, text in lower.items() if text != upper.get(at)}
    if not own or any(same_title(text) not in _SUBTITLES for text in own.values()):
        return None
    titles = dict(upper)
    above = ""
    for at in range(max([*upper, *lower]) + 1):
        above = upper.get(at, above)
        if at in own:
            titles[at] = f"{above}{_SUBTITLES[same_title(own[at])]}"
    return titles


def _header(sheet: Sheet, titles: _Titles) -> tuple[int, int, dict[int, str]] | None:
    """Return the first and last row of the header and its titles; None if there is none."""
    numbers = sorted(sheet.rows)
    fixed = titles.local.header_row if titles.local is not None else None
    for at, number in enumerate(numbers[:HEADER_ROWS]):
        if fixed is not None and number != fixed:
            continue
        row = sheet.rows[number]
        nxt = numbers[at + 1] if at + 1 < len(numbers) else None
        double = None if nxt is None else _below(row, sheet.rows[nxt])
        if nxt is not None and double is not None and titles.meets(titles.places(double)[0]):
            return number, nxt, double
        if titles.meets(titles.places(row)[0]):
            return number, number, dict(row)
    return None


def _effect_word(text: str) -> bool:
    return any(word in half_width(text) for word in EXCLUSION_WORDS)


def _titles_above(sheet: Sheet, first: int) -> list[str]:
    """Return the titles above a header: rows of one text."""
    rows = [
        {" ".join(text.split()) for text in sheet.rows[n].values()} for n in sorted(sheet.rows) if n < first
    ]
    return [next(iter(texts)) for texts in rows if len(texts) == 1]


def _named(title: str) -> str | None:
    """Return the role that a title names."""
    for role in ROLES.values():
        if title == same_title(role.title):
            return role.name
    for role in ROLES.values():
        if any(all(same_title(word) in title for word in words) for words in role.words):
            return role.name
    return None


def _role_of(sheet: Sheet, layout: LocalLayout) -> tuple[str | None, bool]:
    """Return the role of a sheet, and whether its title tells it.

    A sheet without a telling title is told by the titles above its header, the lowest first, else by its columns.
    """
    name = _named(same_title(half_width(sheet.name)))
    if name is not None:
        return name, True
    local = layout.sheet(sheet.name)
    rows = sorted(sheet.rows)[:HEADER_ROWS]
    first = next((n for n in rows if len(set(sheet.rows[n].values())) > 1), 0)
    for title in reversed(_titles_above(sheet, first)):
        name = _named(same_title(half_width(title)))
        if name is not None and _header(sheet, _Titles(ROLES[name], local)) is not None:
            return name, False
    for name, told_by in _BY_COLUMNS:
        titles = _Titles(ROLES[name], local)
        found = _header(sheet, titles)
        if found is not None and all(column in titles.places(found[2])[0] for column in told_by):
            return name, False
    return None, False


def _parts(sheet: Sheet, role: str, local: LocalSheet | None) -> list[tuple[Sheet, str]]:
    """Return a sheet with its role; in two parts where both lists of what is excluded stand on it."""
    both = ("excluded_diagnoses", "excluded_operations")
    if role not in both:
        return [(sheet, role)]
    other = both[1 - both.index(role)]
    own, next_ = _Titles(ROLES[role], local), _Titles(ROLES[other], local)
    for number, row in sorted(sheet.rows.items()):
        if _LIKE_A_CODE.search("\n".join(row.values())):
            continue
        if next_.meets(next_.places(row)[0]) and not own.meets(own.places(row)[0]):
            cut = [
                {n: one for n, one in sheet.rows.items() if (n < number) is first} for first in (True, False)
            ]
            return [(Sheet(sheet.name, cut[0]), role), (Sheet(sheet.name, cut[1]), other)]
    return [(sheet, role)]


def sheets_of(path: Path) -> list[Sheet]:
    """Return the sheets of a workbook, or a CSV file as one; rows of a CSV count its header as row 1."""
    if path.suffix.lower() in (".csv", ".gz", ".txt"):
        table = read_table(path, CatalogError)
        rows = {1: dict(enumerate(table.columns))}
        for number, row in enumerate(table.iter_rows(), start=2):
            rows[number] = {at: cell for at, cell in enumerate(row) if cell is not None}
        return [Sheet(path.stem.removesuffix(".csv"), rows)]
    return read_sheets(path, computed=True)


def find(
    paths: list[Path], given: list[tuple[Path, str]], layout: LocalLayout, report: Report
) -> list[Found]:
    """Return the sheets to read; the others are counted and named in the report.

    ``paths``: workbooks whose sheets are told by titles and columns. ``given``: tables of one role each; of a
    workbook the first sheet that has the columns of the role.
    """
    found = []
    for path in paths:
        for sheet in sheets_of(path):
            local = layout.sheet(sheet.name)
            role = local.role if local is not None and local.role is not None else None
            told = role is not None
            if role is None:
                role, told = _role_of(sheet, layout)
            place = Place(path.name, sheet.name)
            if role is not None and role != SKIP:
                titles = _Titles(ROLES[role], local)
                if _header(sheet, titles) is not None:
                    if sheet.hidden:
                        report.add(Entry(place, "sheet_hidden"))
                    found += [Found(path, part, name, local) for part, name in _parts(sheet, role, local)]
                    continue
                if told and role not in _MAY_BE_OTHER:
                    report.add(Entry(place, "header", titles.missing()))
                    role = SKIP
            _leave_out(report, place, sheet, quiet=role == SKIP)
    for path, role in given:
        sheets = sheets_of(path)
        fits = [sheet for sheet in sheets if _header(sheet, _Titles(ROLES[role], None)) is not None]
        for sheet in sheets:
            place = Place(path.name, sheet.name)
            if sheet in fits[:1]:
                found.append(Found(path, sheet, role, None))
            else:
                _leave_out(report, place, sheet, quiet=bool(fits))
        if not fits:
            report.add(
                Entry(
                    Place(path.name, sheets[0].name if sheets else ""),
                    "header",
                    _Titles(ROLES[role], None).missing(),
                )
            )
    return found


def _leave_out(report: Report, place: Place, sheet: Sheet, *, quiet: bool) -> None:
    report.sheet(place, "", len(sheet.rows))
    for number in sheet.rows:
        report.mark(Place(place.file, place.sheet, number), "not_read")
    if sheet.rows and not quiet:
        report.add(Entry(place, "sheet_content" if _has_content(sheet) else "sheet_left"))


def _has_content(sheet: Sheet) -> bool:
    """Tell whether a sheet has a column of codes by which groups are told: then it cannot be left in silence."""
    rows = [sheet.rows[number] for number in sorted(sheet.rows)[:HEADER_ROWS]]
    return any(key in _TELLING for row in rows for cell in row.values() for key in title_keys(cell))


def _is_heading(row: Mapping[int, str], titles: set[str]) -> bool:
    """Tell whether a row is a title or a remark: each text worded like one, or a title that stood above.

    A row that counts the columns (1, 2, 3 or 甲, 乙, 丙) is one as well, and so is the number of a page.
    """
    words = [half_width(" ".join(text.split())) for _, text in sorted(row.items())]
    if len(words) >= _COUNTED and (words[0] in ("1", "甲")):
        plain = [shortest_number(word) for word in words]
        letters = sum(word in _STEMS for word in plain)
        if plain == [*_STEMS[:letters], *(str(one) for one in range(1, len(plain) - letters + 1))]:
            return True
    found = set(words)
    if _TOTAL.fullmatch(words[0]):
        found = {word for word in found if not word.replace(".", "").isdecimal()}
    if len(found) == 1 and (words[0] in EXCLUSION_WORDS or words[0] in titles):
        return True
    if len(row) == 1 and _PAGE.fullmatch(words[0]):
        return True
    return all(_HEADING.fullmatch(word) and re.search(r"[\u4e00-\u9fff]", word) for word in found)


def lines(found: Found, report: Report) -> Iterator[Line]:
    """Yield the rows of a sheet; headings are counted, what holds nothing that is known is reported."""
    sheet, place = found.sheet, Place(found.file.name, found.sheet.name)
    titles = _Titles(ROLES[found.role], found.local)
    header = _header(sheet, titles)
    assert header is not None  # `find` looked
    first, last, named = header
    report.sheet(place, found.role, len(sheet.rows))
    columns, unknown = titles.places(named)
    left, skip = dict[tuple[int, str], bool](), 0
    numbers = sorted(sheet.rows)
    above = {half_width(text) for text in _titles_above(sheet, first)}
    section = next((text for text in reversed(_titles_above(sheet, first)) if _effect_word(text)), "")
    for index, number in enumerate(numbers):
        row, here = sheet.rows[number], Place(place.file, place.sheet, number)
        if number <= last or number == skip:
            report.mark(here, "headings")
            continue
        if not _LIKE_A_CODE.search("\n".join(row.values())):
            after = numbers[index + 1] if index + 1 < len(numbers) else number
            double = _below(row, sheet.rows[after])
            named = row if double is None else double
            if titles.meets(titles.places(named)[0]):
                columns, unknown = titles.places(named)
                skip = skip if double is None else after
                report.mark(here, "headings")
                continue
        texts = {" ".join(text.split()) for text in row.values()}
        if _is_heading(row, above):
            section = next(iter(texts)) if len(texts) == 1 else section
            report.mark(here, "headings")
            continue
        cells = {
            name: row[at] for name, (at, _) in columns.items() if at in row and not name.startswith("ignored")
        }
        for at, title in unknown.items():
            if at in row:
                left[at, title] = True
        if not cells:
            report.add(Entry(here, "row_stray", value=" ".join(sorted(texts))[:60]))
            continue
        report.mark(here, "understood")
        yield Line(here, found.role, cells, columns, found.local, section)
    for at, title in left:
        rule = (
            found.role in _GROUP_LIKE
            and _LIKE_A_RULE.search(title)
            and not same_title(title).endswith("名称")
        )
        report.add(Entry(place, "column_rule" if rule else "column_left", column=title, at=at))
