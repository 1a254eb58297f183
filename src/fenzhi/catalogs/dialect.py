"""The cell language of a catalogue: operations as an OR of AND-sets, diagnoses as an OR-list.

Cells are parsed by column, never out of a composed group code (``A15-A16`` contains a separator). A cell is
text in the catalogue's own dialect; :func:`parse_cell` and :func:`parse_diagnoses` give tuples of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

import polars as pl

from fenzhi.codes import normalise_operation
from fenzhi.errors import CatalogError

Form = Literal["or_of_ands", "and_of_ors", "all"]
TokenKind = Literal["full", "subcategory", "category", "range", "set"]

# What no code contains; a separator must not be a part of codes, ranges or set names.
_SEPARATORS = "|/,;+&"
# Above this a cell of nested ORs is a mistake rather than a rule.
MAX_AND_SETS = 5_000

_OPERATION = re.compile(r"[0-9A-Z][0-9A-Zx.]*")
_DIAGNOSIS = re.compile(r"[A-Z0-9][A-Z0-9x.*+/]*")
_CATEGORY = re.compile(r"[A-Z][0-9][0-9A-Z]")
_SUBCATEGORY = re.compile(r"[A-Z][0-9][0-9A-Z]\.[0-9x]")
_FULL = re.compile(r"[A-Z][0-9][0-9A-Z]\.[0-9x][0-9]{2}(x[0-9]{3,})?(\+[A-Z][0-9]{2}(\.[0-9]+)?\*?)?")
_RANGE = re.compile(r"([A-Z][0-9]{2})-([A-Z][0-9]{2})")
_SET = re.compile(r"@[A-Z0-9_]+")
# Cells that need no tidying, which is nearly every one: 12,000 rows are then parsed in a moment.
_TIDY = re.compile(r"[0-9A-Zx.|/,;+&@*_\-]+")
_LARGE_X = re.compile(r"[0-9.]X")


@dataclass(frozen=True)
class Dialect:
    """How operation cells are written.

    ``or_of_ands``: ``A|B+C`` is A or (B and C). ``and_of_ors``: ``A/B+C`` is (A or B) and C. ``all``:
    ``A,B`` is both, and there is no OR. ``or_`` also separates the diagnoses of a list. Raises
    :class:`CatalogError` (``CATALOG_DIALECT``) for an unknown form or an unusable separator.
    """

    form: Form
    or_: str = "|"
    and_: str = "+"

    def __post_init__(self) -> None:
        if self.form not in ("or_of_ands", "and_of_ors", "all"):
            raise CatalogError(
                "the dialect has an unknown form",
                code="CATALOG_DIALECT",
                field="dialect.form",
                value=self.form,
                remedy="use or_of_ands, and_of_ors or all",
            )
        for field, sign in (("dialect.or", self.or_), ("dialect.and", self.and_)):
            # A plus inside a diagnosis belongs to a dagger code, so it cannot mean OR.
            if len(sign) != 1 or sign not in _SEPARATORS or (field == "dialect.or" and sign == "+"):
                raise CatalogError(
                    "this sign cannot separate codes",
                    code="CATALOG_DIALECT",
                    field=field,
                    value=sign,
                    remedy=f"use one of {' '.join(_SEPARATORS)} (and not + for or)",
                )
        if self.or_ == self.and_:
            raise CatalogError(
                "the same sign means both OR and AND",
                code="CATALOG_DIALECT",
                field="dialect.and",
                value=self.and_,
                remedy="choose two different signs",
            )


def tidy_cells(cells: pl.Series) -> pl.Series:
    """Return cells in one spelling: no blanks, ASCII signs, codes normalised; an empty cell is null."""
    return normalise_operation(cells)


def _tidy(text: str) -> str:
    if _TIDY.fullmatch(text) and not _LARGE_X.search(text):
        return text
    return tidy_cells(pl.Series([text], dtype=pl.String))[0] or ""


def _bad(text: str, why: str) -> CatalogError:
    remedy = "correct the cell; docs/reference/dip-catalog.md shows how cells are written"
    return CatalogError(why, code="CATALOG_CELL", value=text, remedy=remedy)


def _terms(part: str, sign: str, whole: str) -> list[str]:
    terms = part.split(sign)
    if "" in terms:
        raise _bad(whole, f"there is nothing before or after a {sign!r}")
    return terms


def _operations(part: str, sign: str, whole: str) -> list[str]:
    terms = _terms(part, sign, whole)
    for term in terms:
        if not _OPERATION.fullmatch(term):
            raise _bad(whole, f"{term!r} is not an operation code in this dialect")
    return terms


# Catalogues repeat their cells by the thousand: each text is parsed once.
_CELLS = 100_000


@lru_cache(_CELLS)
def parse_tidy_cell(text: str, dialect: Dialect) -> tuple[tuple[str, ...], ...]:
    """Parse a cell that :func:`tidy_cells` has been through; see :func:`parse_cell`."""
    if dialect.form == "all":
        sets: Iterable[tuple[str, ...]] = [tuple(_operations(text, dialect.and_, text))]
    elif dialect.form == "or_of_ands":
        sets = [tuple(_operations(part, dialect.and_, text)) for part in _terms(text, dialect.or_, text)]
    else:
        factors = [_operations(part, dialect.or_, text) for part in _terms(text, dialect.and_, text)]
        size = 1
        for factor in factors:
            size *= len(factor)
        if size > MAX_AND_SETS:
            raise _bad(text, f"the cell stands for {size} combinations, more than {MAX_AND_SETS}")
        sets = product(*factors)
    distinct: dict[tuple[str, ...], tuple[str, ...]] = {}
    for one in sets:
        distinct.setdefault(tuple(sorted(one)), one)
    return tuple(distinct.values())


def parse_cell(text: str, dialect: Dialect) -> tuple[tuple[str, ...], ...]:
    """Return an operation cell as an OR of AND-sets of normalised tokens, in written order.

    An AND-set may name a code twice (both sides operated); AND-sets that differ only in order count once. An
    empty cell is ``()``. Raises :class:`CatalogError` (``CATALOG_CELL``) for an empty term, a dangling
    separator or something that is no code.
    """
    tidy = _tidy(text)
    return parse_tidy_cell(tidy, dialect) if tidy else ()


def parse_diagnoses(text: str, dialect: Dialect) -> tuple[str, ...]:
    """Return a diagnosis cell as its distinct tokens, in written order.

    Tokens are full codes, subcategories ``K35.8``, categories ``K35``, ranges ``C00-C75`` (both ends
    included) or named sets ``@SET``. An empty cell is ``()``. Raises :class:`CatalogError`
    (``CATALOG_CELL``).
    """
    tidy = _tidy(text)
    return parse_tidy_diagnoses(tidy, dialect) if tidy else ()


@lru_cache(_CELLS)
def parse_tidy_diagnoses(text: str, dialect: Dialect) -> tuple[str, ...]:
    """Parse a diagnosis cell that :func:`tidy_cells` has been through; see :func:`parse_diagnoses`."""
    tokens = _terms(text, dialect.or_, text)
    for token in tokens:
        limits = _RANGE.fullmatch(token)
        if limits and limits[1] > limits[2]:
            raise _bad(text, f"the range {token} ends before it begins")
        if not limits and not _SET.fullmatch(token) and not _DIAGNOSIS.fullmatch(token):
            raise _bad(text, f"{token!r} is neither a diagnosis, a range of categories nor a named set")
    return tuple(dict.fromkeys(tokens))


@lru_cache(_CELLS)
def token_kind(token: str) -> TokenKind:
    """Return how a diagnosis token matches: everything that is not shorter is a full code."""
    if token.startswith("@"):
        return "set"
    if _RANGE.fullmatch(token):
        return "range"
    if _CATEGORY.fullmatch(token):
        return "category"
    return "subcategory" if _SUBCATEGORY.fullmatch(token) else "full"


def is_usual(token: str) -> bool:
    """Tell whether a diagnosis token has a form of ICD-10 医保版; others can match, but look like a slip."""
    return token_kind(token) != "full" or _FULL.fullmatch(token) is not None


def range_limits(token: str) -> tuple[str, str]:
    """Return the first and last category of a range token: ``C00-C75`` -> ``C00``, ``C75``."""
    first, _, last = token.partition("-")
    return first, last


def expand_sets(tokens: Iterable[str], code_sets: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Replace named sets by their codes; distinct, in order. Raises ``CATALOG_SET`` for an unknown set."""
    out: dict[str, None] = {}
    for token in tokens:
        if not token.startswith("@"):
            out[token] = None
        elif token[1:] in code_sets:
            out.update(dict.fromkeys(code_sets[token[1:]]))
        else:
            known = ", ".join(f"@{name}" for name in code_sets) or "there are none"
            raise CatalogError(
                f"the named set {token} does not exist",
                code="CATALOG_SET",
                value=token,
                remedy=f"define it in code_sets.csv; known sets: {known}",
            )
    return tuple(out)
