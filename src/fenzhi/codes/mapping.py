"""The mapping of clinical codes (国临版) to insurance codes (医保版), by table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fenzhi.codes.normalise import normalise_diagnosis
from fenzhi.codes.tables import read_table, require_columns
from fenzhi.errors import InputError


@dataclass(frozen=True, eq=False)
class CodeMap:
    """A mapping from code to code.

    ``pairs``: columns ``code`` and ``target``, String, normalised; ``code`` is unique and neither is null.
    """

    pairs: pl.DataFrame
    path: Path | None = None

    @classmethod
    def read(cls, path: Path, *, code: str | None = None, target: str | None = None) -> CodeMap:
        """Read a mapping from CSV.

        Without names the code is column 1, and the target column 3 (code, name, target, name), or column 2 of
        a table with two. Rows without a code or without a target map nothing. Raises
        :class:`InputError` if a column is missing (``TABLE_COLUMN``), or if a code has two targets
        (``MAP_CONFLICT``, naming the second row); the same pair twice is allowed.
        """
        table = read_table(path)
        if len(table.columns) < 2:
            raise InputError(
                "a mapping needs at least two columns",
                code="TABLE_COLUMN",
                file=path,
                remedy="give the code in column 1 and its target in column 2 or 3",
            )
        code = code or table.columns[0]
        target = target or table.columns[2 if len(table.columns) > 2 else 1]
        require_columns(table, (code, target), path, InputError)
        pairs = (
            pl.DataFrame(
                {
                    "code": normalise_diagnosis(table[code]),
                    "target": normalise_diagnosis(table[target]),
                }
            )
            .with_row_index("row", offset=1)
            .drop_nulls()
            .unique(["code", "target"], keep="first", maintain_order=True)
        )
        twice = pairs.filter(~pairs["code"].is_first_distinct())
        if twice.height:
            row, name, other = twice.row(0)
            first = pairs.filter(pl.col("code") == name).row(0, named=True)
            raise InputError(
                f"the code {name} has two targets: {first['target']} (row {first['row']}) and {other}",
                code="MAP_CONFLICT",
                file=path,
                row=row,
                field=code,
                value=name,
                remedy="keep the row that holds",
            )
        return cls(pairs.drop("row"), path)

    def apply(self, codes: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return the mapped codes and a Boolean mask of those that the table does not know, both in order.

        Codes are normalised first. Unknown codes pass through; a null stays null and is not unknown.
        """
        given = normalise_diagnosis(codes)
        target = given.replace_strict(
            self.pairs["code"], self.pairs["target"], default=None, return_dtype=pl.String
        )
        unmapped = target.is_null() & given.is_not_null()
        return target.fill_null(given).alias(codes.name), unmapped.alias("unmapped")
