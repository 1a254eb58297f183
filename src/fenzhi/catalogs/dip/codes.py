"""Cells of codes as people write them: brought into the language of the catalogue, or refused with a reason.

A line break or blank may stand inside a code or between two; several signs mean "or"; signs may be full-width.
What is not certain is refused: two codes glued together, a code without its point, ``/`` beside ``+``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from fenzhi.catalogs.dialect import Dialect, is_usual, parse_tidy_cell, parse_tidy_diagnoses
from fenzhi.catalogs.dip.vocabulary import ANY_WORDS, EMPTY_WORDS, NO_OPERATION_WORDS
from fenzhi.catalogs.sheets import Number
from fenzhi.catalogs.titles import shortest_number
from fenzhi.errors import CatalogError

Book = Literal["diagnoses", "operations"]
NATIONAL = Dialect("or_of_ands", "|", "+")

_OPERATION = re.compile(r"\d{2}\.\d(?:\d{0,3}|x\d{2})(?:x\d{3,4})?")
_DIAGNOSIS = re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9x]\d{0,2}(?:x\d{3,})?)?(?:\+[A-Z]\d{2}(?:\.\d+)?\*?)?")
_SPACE = "\\s\u200b\u200c\u200d\u2060\ufeff"
_RUN = re.compile(f"[{_SPACE}]+")
_BEGINS = {"operations": re.compile(r"\d{2}\.\d"), "diagnoses": re.compile(r"@|[A-Z]\d[0-9A-Z](?![0-9A-Z])")}
_ENDS = {
    "operations": re.compile(rf"(?:^|[|+/,;(])({_OPERATION.pattern})\)?$"),
    "diagnoses": re.compile(rf"(?:^|[|/,;(-])(?:@[A-Z0-9_]+|{_DIAGNOSIS.pattern})[*+]?$"),
}
_DASHES = str.maketrans(dict.fromkeys("—–−―‐‑~〜", "-") | {"、": "|", "×": "x", "．": ".", "†": "+"})
# A Chinese full stop or a raised dot inside a code is its point; elsewhere it ends a sentence.
_POINT = re.compile(r"(?<=\d)[。·•・](?=[\dxX])")
_TO = re.compile(r"(?<=[\d*+])\s*[至到]\s*(?=[A-Za-z]\d)")
_OR = {"|": "|", ",": "|", ";": "|"}
_AND = re.compile(r"且|和|与|及|\bAND\b|&")
_OR_WORD = re.compile(r"或者|或|\bOR\b")
_SUB_RANGE = re.compile(r"([A-Z]\d{2})\.(\d)-(?:([A-Z]\d{2})\.)?(\d)")
_SHORT_RANGE = re.compile(r"([A-Z])(\d{2})-(\d{2})")
_RANGE = re.compile(r"([A-Z]\d{2})-([A-Z]\d{2})")
# A code behind a plus is a manifestation only if it has its asterisk; two diagnoses with a plus are no cell of ours.
_MARKED = re.compile(r"([A-Z]\d[0-9A-Z](?:\.[0-9x])?)(?:[+*]|\+[A-Z]\d{2}(?:\.\d)?\*)")
_SHORT = re.compile(r"\d{2}\.\d{1,3}")
_PIECES = re.compile(r"[|;\n]")
_SOME_CODE = re.compile(r"\d{2}\.\d|[A-Z]\d[0-9A-Z](?:\.|\b)")
_HAN = re.compile(r"[\u4e00-\u9fff]")
MAX_SETS = 2_000


class CellError(Exception):
    """A cell is not understood: ``reason`` is a key of the words of the report, ``part`` what it is about."""

    def __init__(self, reason: str, part: str = "", guess: str = "") -> None:
        super().__init__(reason)
        self.reason, self.part, self.guess = reason, part, guess


def _upper(text: str) -> str:
    return re.sub(r"([0-9.])X", r"\1x", text.upper())


def plain(text: str) -> str:
    """Return a cell in ASCII signs and in the case of codes, its blanks kept."""
    if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
        text = text[1:]
    text = _POINT.sub(".", unicodedata.normalize("NFKC", text)).replace("。", "")
    return _upper(_TO.sub("-", text.translate(_DASHES))).strip()


def without_names(text: str, book: Book) -> str:
    """Return the codes of a cell that holds codes and names, ``I50.900 心力衰竭``; one code stands in each piece."""
    if _RUN.sub("", plain(text)) in (*NO_OPERATION_WORDS, *ANY_WORDS, *EMPTY_WORDS):
        return text
    form = (_OPERATION if book == "operations" else _DIAGNOSIS).pattern
    found = []
    for piece in _PIECES.split(plain(text)):
        code = re.match(rf"(?:{form})(?=[\s\u4e00-\u9fff]|$)", piece.strip())
        if piece.strip() and (code is None or _SOME_CODE.search(piece.strip()[code.end() :])):
            raise CellError("code_words", piece.strip())
        found += [code[0]] if code else []
    return "|".join(found)


def _close(text: str, book: Book) -> str:
    """Drop blanks inside codes; between two complete codes they are a sign for "or"."""
    parts = _RUN.split(text)
    out: str = parts[0]
    for part in parts[1:]:
        apart = _ENDS[book].search(out) and _BEGINS[book].match(part)
        out += f"|{part}" if apart else part
    return _upper(out)


def verbatim(text: str) -> str | None:
    """Return a cell that is in the language of the catalogue already, without blanks."""
    return _upper(_RUN.sub("", plain(text))) or None


def restored(number: str, places: int) -> str | None:
    """Return the operation code that Excel keeps as a number: 47.01 was 47.0100 if codes have four ``places``."""
    text = shortest_number(number)
    found = re.fullmatch(r"(\d{1,2})(?:\.(\d+))?", text)
    if not places or found is None or len(found[2] or "") > places:
        return None
    return f"{int(found[1]):02d}.{(found[2] or '').ljust(places, '0')}"


def _terms(text: str) -> tuple[tuple[str, ...], ...]:
    """Return an expression of codes, ``|``, ``+`` and brackets as an OR of AND-sets."""
    tokens: list[str] = re.findall(r"[|+()]|[^|+()]+", text)
    at = 0

    def peek() -> str:
        return tokens[at] if at < len(tokens) else ""

    def take() -> str:
        nonlocal at
        at += 1
        return tokens[at - 1]

    def either() -> list[tuple[str, ...]]:
        found = both()
        while peek() == "|":
            take()
            found += both()
        return found

    def both() -> list[tuple[str, ...]]:
        found = one()
        while peek() == "+":
            take()
            more = one()
            found = [(*left, *right) for left in found for right in more]
            if len(found) > MAX_SETS:
                raise CellError("cell_too_large", text[:40])
        return found

    def one() -> list[tuple[str, ...]]:
        token = peek()
        if token == "(":
            take()
            found = either()
            if peek() != ")":
                raise CellError("cell_brackets", text[:40])
            take()
            return found
        if token in ("", "|", "+", ")"):
            raise CellError("cell_dangling", text[:40])
        return [(take(),)]

    found = either()
    if at < len(tokens):
        raise CellError("cell_brackets", text[:40])
    return tuple(found)


def _glued(token: str, book: Book) -> str:
    """Return two codes that are written as one, with a blank between, empty if the token is no such thing."""
    form = _OPERATION if book == "operations" else _DIAGNOSIS
    for cut in range(len(token) - 3, 2, -1):
        if form.fullmatch(token[:cut]) and form.fullmatch(token[cut:]) and "." in token[:cut]:
            return f"{token[:cut]} {token[cut:]}"
    return ""


def _require_code(token: str, book: Book) -> None:
    usual = (
        _OPERATION.fullmatch(token)
        if book == "operations"
        else is_usual(token) and _DIAGNOSIS.fullmatch(token)
    )
    if usual:
        return
    if book == "diagnoses" and (token.startswith("@") or _RANGE.fullmatch(token)):
        return
    if _HAN.search(token):
        raise CellError("code_words", token)
    glued = _glued(token, book)
    if glued:
        raise CellError("code_glued", token, glued)
    bare = re.fullmatch(r"(\d{2})(\d{4}(?:x\d{3})?)", token)
    if book == "operations" and bare:
        raise CellError("code_point", token, f"{bare[1]}.{bare[2]}")
    bare = re.fullmatch(r"([A-Z]\d[0-9A-Z])(\d{1,3}(?:x\d{3})?)", token)
    if book == "diagnoses" and bare:
        raise CellError("code_point", token, f"{bare[1]}.{bare[2]}")
    raise CellError("code_form", token)


def _joined(text: str, what: str) -> str:
    """Return a cell with one sign for "or" and one for "and"; blanks are gone."""
    for sign, plain_sign in _OR.items():
        text = text.replace(sign, plain_sign)
    if "/" in text and "+" in text and what == "operations":
        raise CellError("cell_mixed", text[:40])
    text = text.replace("/", "|")
    return re.sub(r"\|{2,}", "|", text).strip("|")


def operations(text: str, dialect: Dialect | None, places: int = 4) -> tuple[str | None, tuple[str, ...]]:
    """Return an operation cell in the language of the catalogue, and remarks (keys of the report's words).

    None: no operation is named. ``dialect``: the cell is written in it; otherwise the signs ``| / , ; 、 或`` and line
    breaks mean or, ``+ & 和 且`` mean and. Raises :class:`CellError`.
    """
    if isinstance(text, Number):
        code = restored(text, places)
        if code is None:
            raise CellError("code_number", shortest_number(text))
        return code, ("number_restored",)
    cell = _operation_cell(text, dialect)
    short = places == 4 and dialect is None and cell and any(map(_SHORT.fullmatch, re.split(r"[|+]", cell)))
    return cell, ("short_code",) if short else ()


@lru_cache(100_000)
def _operation_cell(text: str, dialect: Dialect | None) -> str | None:
    cell = plain(text)
    bare = _RUN.sub("", cell)
    if bare in EMPTY_WORDS or bare in NO_OPERATION_WORDS:
        return None
    if dialect is not None:
        cell = bare.replace("、", dialect.or_)
        try:
            sets = parse_tidy_cell(cell, dialect)
        except CatalogError as error:
            raise CellError("cell_dialect", error.message) from error
        for one in sets:
            for token in one:
                _require_code(token, "operations")
        return cell
    cell = _OR_WORD.sub("|", _AND.sub("+", cell))
    cell = _joined(_close(cell, "operations"), "operations")
    sets = _terms(cell)
    for one in sets:
        for token in one:
            _require_code(token, "operations")
    return "|".join("+".join(one) for one in sets)


def _diagnosis(token: str) -> tuple[list[str], tuple[str, ...]]:
    """Return a token of a diagnosis cell in the language of the catalogue."""
    found = _SUB_RANGE.fullmatch(token)
    if found and found[3] in (None, found[1]) and found[2] <= found[4]:
        return [f"{found[1]}.{digit}" for digit in range(int(found[2]), int(found[4]) + 1)], ()
    found = _SHORT_RANGE.fullmatch(token)
    if found:
        token = f"{found[1]}{found[2]}-{found[1]}{found[3]}"
    found = _RANGE.fullmatch(token)
    if found and found[1] > found[2]:
        raise CellError("code_range", token)
    found = _MARKED.fullmatch(token)
    if found:
        # A dagger or an asterisk on a subcategory or category: codes are found by their first characters.
        return [found[1]], ("mark_dropped",)
    _require_code(token, "diagnoses")
    return [token], ()


def diagnoses(text: str, dialect: Dialect | None) -> tuple[str | None, tuple[str, ...]]:
    """Return a diagnosis cell in the language of the catalogue, and remarks; None: any diagnosis."""
    if isinstance(text, Number):
        raise CellError("code_number", shortest_number(text))
    return _diagnosis_cell(text, dialect)


@lru_cache(100_000)
def _diagnosis_cell(text: str, dialect: Dialect | None) -> tuple[str | None, tuple[str, ...]]:
    cell = plain(text)
    bare = _RUN.sub("", cell)
    if bare in EMPTY_WORDS or bare in ANY_WORDS:
        return None, ()
    sign = "|" if dialect is None else dialect.or_
    if dialect is None:
        cell = _joined(_close(_OR_WORD.sub("|", cell), "diagnoses"), "diagnoses")
    else:
        cell = bare.replace("、", sign)
    tokens: list[str] = []
    remarks: tuple[str, ...] = ()
    for token in cell.split(sign):
        if not token:
            raise CellError("cell_dangling", cell[:40])
        more, said = _diagnosis(token)
        tokens += more
        remarks += said
    out = sign.join(tokens)
    try:
        parse_tidy_diagnoses(out, dialect or NATIONAL)
    except CatalogError as error:
        raise CellError("cell_dialect", error.message) from error
    return out, tuple(dict.fromkeys(remarks))
