"""The column mapping file: how a foreign table becomes stays, without code.

A TOML file with the sections ``columns``, ``constants``, ``values``, ``formats``, ``nulls``, ``codes``,
``money``, ``age`` and ``sums``; see docs/reference/records.md. An unknown key is an error.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fenzhi.errors import InputError
from fenzhi.records.schema import BY_NAME, nearest

# Columns of the child tables; a mapping may rename them too.
CHILD_COLUMNS: dict[str, tuple[str, ...]] = {
    "diseinfo": ("setl_id", "diag_code", "diag_type", "maindiag_flag"),
    "oprninfo": (
        "setl_id",
        "oprn_oprt_code",
        "main_oprn_flag",
        "oprn_oprt_type",
        "oprn_oprt_date",
        "oprn_oprt_begntime",
        "oprn_oprt_endtime",
    ),
    "payinfo": ("setl_id", "fund_payamt"),
    "iteminfo": ("setl_id", "amt"),
    "icuinfo": ("setl_id", "scs_cutd_sum_dura", "scs_cutd_inpool_time", "scs_cutd_exit_time"),
}
MAPPABLE = frozenset(BY_NAME) | {name for names in CHILD_COLUMNS.values() for name in names}

AgeUnit = Literal["days", "months", "years", "years+100"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Codes(_Model):
    """Codes written without their dot: ``F200`` -> ``F20.0``, ``4701`` -> ``47.01``.

    ``as_written``: blanks in codes and empty places in lists stay, for catalogues that compare codes exactly.
    """

    undotted_diagnoses: bool = False
    undotted_operations: bool = False
    as_written: bool = False


class MoneyUnit(_Model):
    """The unit of every amount: ``yuan`` (at most two decimals) or ``fen`` (whole numbers)."""

    unit: Literal["yuan", "fen"] = "yuan"


class Age(_Model):
    """An age given as a number and a code of its unit; becomes ``age`` and ``nwb_age``.

    Ages below one year get ``age`` 0 and ``nwb_age`` in days; a month counts 365/12 days, cut.
    """

    value: str
    unit: str
    units: dict[str, AgeUnit]


class ColumnMap(_Model):
    """A mapping file. Keys on the left are the national names, texts on the right are the source's.

    ``columns``: rename, or several source columns into one list in order. ``constants``: the same text in
    every row. ``values``: old text -> new text of a column (``""`` = not known); others stay. ``formats``:
    date formats. ``nulls``: texts that mean "not known". ``sums``: an amount added up from several columns.
    """

    columns: dict[str, str | tuple[str, ...]] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    formats: dict[str, str] = {}
    nulls: dict[str, tuple[str, ...]] = {}
    codes: Codes = Codes()
    money: MoneyUnit = MoneyUnit()
    age: Age | None = None
    empty_age_is_infant: bool = True
    sums: dict[str, tuple[str, ...]] = Field(default={})

    @model_validator(mode="after")
    def _check(self) -> ColumnMap:
        for section in ("columns", "constants", "values", "formats", "nulls", "sums"):
            for name in getattr(self, section):
                if name not in MAPPABLE:
                    near = nearest(name, MAPPABLE)
                    raise ValueError(
                        f"{section}.{name}: there is no column {name!r}"
                        + (f"; nearest is {near!r}" if near else "")
                    )
        for name, source in self.columns.items():
            if not isinstance(source, str) and (
                name not in BY_NAME or BY_NAME[name].kind not in ("list", "money_list")
            ):
                raise ValueError(
                    f"columns.{name}: only a list of codes or amounts takes several source columns"
                )
        for name in self.formats:
            if name in BY_NAME and BY_NAME[name].kind != "date":
                raise ValueError(f"formats.{name}: only dates have a format")
        for name in self.sums:
            if name not in BY_NAME or BY_NAME[name].kind != "money":
                raise ValueError(f"sums.{name}: only an amount can be a sum")
        doubled = sorted(
            (set(self.columns) & set(self.sums))
            | (set(self.constants) & (set(self.columns) | set(self.sums)))
        )
        if doubled:
            raise ValueError(f"{doubled[0]} is given twice")
        if self.age is not None and {"age", "nwb_age"} & (set(self.columns) | set(self.constants)):
            raise ValueError("age is given twice: in the section age and in columns or constants")
        return self

    def source_names(self) -> set[str]:
        """Return every column of the source that the mapping mentions."""
        names: set[str] = set()
        for source in (*self.columns.values(), *self.sums.values()):
            names.update([source] if isinstance(source, str) else source)
        if self.age is not None:
            names.update((self.age.value, self.age.unit))
        return names


def load_columns(path: Path | str) -> ColumnMap:
    """Read a mapping file.

    Raises :class:`InputError` MAPPING_MISSING, MAPPING_SYNTAX, MAPPING_UNKNOWN_KEY (with the nearest valid
    name) or MAPPING_VALUE.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"this is not readable TOML: {error}",
            code="MAPPING_SYNTAX",
            file=path,
            remedy="save the file as UTF-8 and correct the line named",
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot read the mapping file: {error.strerror}",
            code="MAPPING_MISSING",
            file=path,
            remedy="check the path of the mapping file",
        ) from error
    try:
        return ColumnMap.model_validate(data)
    except ValidationError as error:
        raise _mapping_error(error.errors()[0], path) from error


def _mapping_error(first: Any, path: Path) -> InputError:
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        models: dict[tuple[Any, ...], type[BaseModel]] = {
            ("codes",): Codes,
            ("money",): MoneyUnit,
            ("age",): Age,
        }
        valid = models.get(first["loc"][:-1], ColumnMap).model_fields
        near = nearest(str(first["loc"][-1]), valid)
        return InputError(
            "this key is unknown" + (f"; nearest is {near!r}" if near else ""),
            code="MAPPING_UNKNOWN_KEY",
            file=path,
            field=field,
            remedy=f"use one of: {', '.join(sorted(valid))}",
        )
    return InputError(
        str(first["msg"]).removeprefix("Value error, "),
        code="MAPPING_VALUE",
        file=path,
        field=field or None,
        value=None if isinstance(first["input"], dict) else first["input"],
        remedy="see docs/reference/records.md for the keys and their meaning",
    )
