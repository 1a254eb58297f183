"""Lists of diagnoses that tell how ill a patient is besides the principal diagnosis: severity lists, a score."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fenzhi.codes.normalise import normalise_diagnosis
from fenzhi.codes.tables import read_table, require_columns
from fenzhi.errors import CatalogError

SCORE = "cci"
_POINTS = re.compile(r"[0-9]{1,2}")
_COLUMNS = ("list", "category", "code", "points")


def _wrong(message: str, path: Path, row: int, field: str, value: str | None, remedy: str) -> CatalogError:
    return CatalogError(
        message, code="CATALOG_COMORBIDITY", file=path, row=row, field=field, value=value, remedy=remedy
    )


@dataclass(frozen=True)
class Comorbidity:
    """The lists. ``rows``: list, category, code (normalised), points (Int32, of the list ``cci`` only).

    A code stands for itself and every code that begins with it.
    """

    rows: pl.DataFrame

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the lists, the score's among them."""
        return frozenset(self.rows["list"])

    def hits(self, codes: pl.Series) -> pl.DataFrame:
        """Return code, list, category, points for each of the distinct ``codes`` that stands in a list."""
        known = pl.DataFrame({"code": codes, "_text": normalise_diagnosis(codes)}).drop_nulls()
        lengths = self.rows["code"].str.len_chars()
        parts = [
            known.with_columns(pl.col("_text").str.slice(0, length)).join(
                self.rows.filter(lengths == length), left_on="_text", right_on="code"
            )
            for length in lengths.unique().sort()
        ]
        schema = {"code": pl.String, "list": pl.String, "category": pl.String, "points": pl.Int32}
        return pl.concat([pl.DataFrame(schema=schema), *(part.select(*schema) for part in parts)])


def read_comorbidity(path: Path) -> Comorbidity:
    """Read lists of diagnoses: columns list, category, code, points.

    ``list``: the name that a policy uses, ``cci`` for the score; ``category`` and ``points`` (a whole number):
    for the score only; of a category the highest points that a stay has count once. Raises
    :class:`CatalogError` with file and row.
    """
    frame = read_table(path, CatalogError)
    require_columns(frame, ("list", "code"), path, CatalogError)
    missing = [name for name in _COLUMNS if name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing).select(_COLUMNS)
    seen: set[tuple[str, str]] = set()
    frame = frame.with_columns(normalise_diagnosis(frame["code"]).alias("code"))
    for row, (name, category, code, points) in enumerate(frame.iter_rows(), start=1):
        for field, value in (("list", name), ("code", code)):
            if value is None:
                raise _wrong("this cell is empty", path, row, field, None, "fill it or remove the row")
        if (name, code) in seen:
            raise _wrong("this code stands twice in the list", path, row, "code", code, "keep one row")
        seen.add((name, code))
        given = [cell is not None for cell in (category, points)]
        if given != [name == SCORE] * 2:
            raise _wrong(
                f"category and points belong to the list {SCORE}, both of them",
                path,
                row,
                "points",
                points,
                f"give both in rows of {SCORE} and none in other rows",
            )
        if name == SCORE and not _POINTS.fullmatch(points):
            raise _wrong("points are a whole number", path, row, "points", points, "write 1, 2, 3 or 6")
    return Comorbidity(frame.with_columns(pl.col("points").cast(pl.Int32)))
