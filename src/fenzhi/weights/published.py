"""Weights as an agency publishes them, for who has no history of the region: a table of weights, given coefficients.

docs/rules.md, "One case".
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from fenzhi.codes import read_table, require_columns
from fenzhi.errors import CatalogError
from fenzhi.money import to_e4, yuan_to_fen
from fenzhi.policy.models import Policy
from fenzhi.weights.by_group import exempt_groups
from fenzhi.weights.coefficients import CLASSES
from fenzhi.weights.measure import Weights

#: Further columns of the table: last year's mean cost in yuan, of all levels and of one.
MEAN, LEVEL_MEAN = "mean_cost", "mean_cost_"


def _error(message: str, path: Path, row: int, field: str, value: str | None) -> CatalogError:
    return CatalogError(
        message,
        code="WEIGHT_PUBLISHED",
        file=path,
        row=row,
        field=field,
        value=value,
        remedy="group_id once, weight with at most four decimals and above 0, means in yuan with at most two",
    )


def read_published(path: Path, group_ids: pl.Series) -> pl.DataFrame:
    """Read published weights: group_idx, rw_e4, and as far as given ``mean_cost`` and ``mean_cost_LEVEL`` in fen.

    The table needs ``group_id`` and ``weight`` (points of the group). Groups that ``group_ids`` lacks are left out.
    Raises :class:`CatalogError` naming the row, and if no group of the catalogue has a weight.
    """
    table = read_table(path, CatalogError)
    require_columns(table, ("group_id", "weight"), path, CatalogError)
    means = [name for name in table.columns if name == MEAN or name.startswith(LEVEL_MEAN)]
    index = {group: at for at, group in enumerate(group_ids)}
    rows: dict[int, list[int | None]] = {}
    for row, cells in enumerate(table.iter_rows(named=True), start=1):
        group, weight = cells["group_id"], _number(path, row, "weight", cells["weight"], True)
        if group not in index:
            continue
        if index[group] in rows:
            raise _error("this group has two weights", path, row, "group_id", group)
        if not weight:
            raise _error("this is not a weight", path, row, "weight", cells["weight"])
        rows[index[group]] = [weight, *(_number(path, row, name, cells[name], False) for name in means)]
    if not rows:
        raise _error("no group of the catalogue has a weight here", path, 1, "group_id", None)
    schema = {"group_idx": pl.Int32, "rw_e4": pl.Int64} | dict.fromkeys(means, pl.Int64)
    return pl.DataFrame([(at, *cells) for at, cells in sorted(rows.items())], schema=schema, orient="row")


_POINTS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_YUAN = re.compile(r"[0-9]{1,11}(\.[0-9]{1,2})?")


def _number(path: Path, row: int, field: str, text: str | None, points: bool) -> int | None:
    """Return a weight at 1/10,000 or an amount in fen; null for an empty cell."""
    if text is None:
        return None
    if not (_POINTS if points else _YUAN).fullmatch(text):
        raise _error("this is not a number", path, row, field, text)
    return to_e4(text) if points else yuan_to_fen(text)


def published_weights(
    table: pl.DataFrame, groups: pl.DataFrame, hospitals: pl.DataFrame, policy: Policy
) -> Weights:
    """Return published weights in the form of measured ones; what is not published is not known.

    ``table``: see :func:`read_published`. ``groups``: all groups, row = group_idx. ``hospitals``: fixmedins_code,
    level, coefficient (text; null = not published: then 1 holds).
    There is no mean of all stays (``mean_fen`` 0), no CV, no coefficient by group and no auxiliary type.
    """
    size = pl.DataFrame({"group_idx": pl.arange(groups.height, dtype=pl.Int32, eager=True)})
    every = size.join(table, on="group_idx", how="left", maintain_order="left")
    mean = pl.col(MEAN) if MEAN in table.columns else pl.lit(None, pl.Int64)
    none = [pl.lit(None, pl.Int64).alias(name) for name in ("low_fen", "high_fen")]
    rows = every.select(
        "group_idx",
        pl.lit(0, pl.Int64).alias("history_cases"),
        mean.alias("mean_cost_fen"),
        mean.alias("last_mean_fen"),
        pl.lit(None, pl.Float64).alias("cv"),
        pl.lit(0, pl.Int64).alias("trimmed_cases"),
        pl.lit(None, pl.Boolean).alias("stable"),
        *none,
        "rw_e4",
    )
    given = [None if text is None else to_e4(text) for text in hospitals["coefficient"]]
    coefficients = hospitals.select(
        "fixmedins_code",
        "level",
        pl.Series("coefficient_e4", given, dtype=pl.Int64),
        pl.lit("given").alias("coefficient_source"),
        pl.lit(None, pl.String).alias("class"),
    )
    return Weights(
        groups=rows,
        level_means=_level_means(table),
        coefficients=coefficients,
        classes=pl.DataFrame(schema=CLASSES),
        mean_fen=0,
        years=(),
        exempt=exempt_groups(groups, policy.coefficients),
    )


def _level_means(table: pl.DataFrame) -> pl.DataFrame:
    """Return group_idx, level, cases (not known: 0), mean_fen."""
    levels = [name for name in table.columns if name.startswith(LEVEL_MEAN)]
    schema = {"group_idx": pl.Int32, "level": pl.String, "cases": pl.Int64, "mean_fen": pl.Int64}
    parts = [pl.DataFrame(schema=schema)]
    for name in levels:
        level = pl.lit(name.removeprefix(LEVEL_MEAN)).alias("level")
        mean = pl.col(name).alias("mean_fen")
        parts.append(table.select("group_idx", level, pl.lit(0, pl.Int64).alias("cases"), mean).drop_nulls())
    return pl.concat(parts)
