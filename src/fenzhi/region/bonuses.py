"""What the policy's coefficients ask of the region: bonuses.csv complete, every level in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import to_e4
from fenzhi.policy.coefficients import Coefficients

SCHEMA: dict[str, type[pl.DataType]] = {"fixmedins_code": pl.String, "item": pl.String, "value_e4": pl.Int64}


def _first(rows: pl.DataFrame, message: str, code: str, file: Path, field: str, remedy: str) -> None:
    """Raise for the first of the rows, if there are any."""
    if rows.height:
        row = rows.row(0, named=True)
        raise RegionError(
            message.format(**row),
            code=code,
            file=file,
            row=row["row"],
            field=field,
            value=row[field],
            remedy=remedy,
        )


def complete_bonuses(
    bonuses: pl.DataFrame, hospitals: pl.DataFrame, rules: Coefficients, file: Path
) -> pl.DataFrame:
    """Return a value for every hospital without given coefficient and every item of the policy; no rows without items.

    Raises :class:`RegionError` for an item that the policy does not have, a negative factor of a product, and a
    value that is missing and has no default. ``bonuses``: as :func:`fenzhi.region.tables.read_bonuses` gives them.
    """
    if not rules.items:
        return pl.DataFrame(schema=SCHEMA)
    names = [item.name for item in rules.items]
    _first(
        bonuses.filter(~pl.col("item").is_in(names).fill_null(False)),
        "the policy has no such item",
        "REGION_BONUS_ITEM",
        file,
        "item",
        f"the items of [coefficients] are: {', '.join(names)}",
    )
    if rules.form == "product":
        _first(
            bonuses.filter(pl.col("value_e4") < 0),
            "{item} of hospital {fixmedins_code} is a factor and must not be negative",
            "REGION_NUMBER",
            file,
            "value",
            "correct the value",
        )
    defaults = [None if item.default is None else to_e4(item.default) for item in rules.items]
    items = pl.DataFrame(
        {"item": names, "default_e4": defaults}, schema={"item": pl.String, "default_e4": pl.Int64}
    )
    asked = hospitals.filter(pl.col("coefficient").is_null()).select("fixmedins_code")
    whole = (
        asked.join(items, how="cross", maintain_order="left_right")
        .join(bonuses, on=["fixmedins_code", "item"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("value_e4", "default_e4").alias("value_e4"))
    )
    missing = whole.filter(pl.col("value_e4").is_null())
    if missing.height:
        row = missing.row(0, named=True)
        raise RegionError(
            f"the policy asks for the item {row['item']}, and this hospital has no value",
            code="REGION_BONUS_MISSING",
            file=file,
            field="fixmedins_code",
            value=row["fixmedins_code"],
            remedy="add a row fixmedins_code,item,value, or give the item a default in the policy",
        )
    return whole.select(list(SCHEMA))


def bonuses_of_packs(
    bonuses: pl.DataFrame, hospitals: pl.DataFrame, rules: Sequence[Coefficients], file: Path
) -> tuple[pl.DataFrame, ...]:
    """Return :func:`complete_bonuses` for each of the packs of a year.

    Items of another pack are left out; an item that no pack has is refused.
    """
    known = {item.name for one in rules for item in one.items}
    found = []
    for one in rules:
        others = known - {item.name for item in one.items}
        mine = bonuses.filter(~pl.col("item").is_in(sorted(others)).fill_null(False)) if others else bonuses
        found.append(complete_bonuses(mine, hospitals, one, file))
    return tuple(found)


def require_levels(hospitals: pl.DataFrame, rules: Coefficients, file: Path) -> None:
    """Raise unless every level of the hospitals stands in the policy's tables of levels, where it has such."""
    by_order = rules.level_order if "level" in rules.by else ()
    for key, known in (("levels", tuple(rules.levels)), ("level_order", by_order)):
        if not known:
            continue
        asked = hospitals if key == "level_order" else hospitals.filter(pl.col("coefficient").is_null())
        strange = asked.filter(~pl.col("level").is_in(list(known)).fill_null(False))
        if strange.height:
            row = strange.row(0, named=True)
            raise RegionError(
                f"the policy's [coefficients] {key} does not have the level of hospital {row['fixmedins_code']}",
                code="REGION_LEVEL",
                file=file,
                field="level",
                value=row["level"],
                remedy=f"correct the level or add it to the policy, which has: {', '.join(known)}",
            )
