"""Where one case comes from: options or a small file, checked like any record, or a stay of a region's records."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records import ColumnMap, Known, QualityRules, StaysRead, read_stays
from fenzhi.records.schema import BY_NAME, nearest

# A case names no person: these columns of a stay are not taken, whatever they hold.
_PERSONAL = ("psn_no", "psn_name", "certno")
CASE_ID = "CASE"


def read_case_file(path: Path) -> dict[str, Any]:
    """Read a case from TOML or JSON: columns of a stay -> values, codes as lists or joined by ``|``."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            found = json.loads(text, parse_float=Decimal)
        else:
            found = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the case cannot be read: {error}",
            code="CASE_FILE",
            file=path,
            remedy="give a TOML or JSON file (UTF-8) with one value per column of a stay",
        ) from error
    if not isinstance(found, dict):
        raise InputError(
            "the file holds no table of columns",
            code="CASE_FILE",
            file=path,
            remedy='write it as {"diag_codes": ["K35.800"], "medfee_sumamt": "9000.00"}',
        )
    _require_names(found, path)
    return found


def _require_names(given: Mapping[str, Any], path: Path | None) -> None:
    for name in given:
        if name in _PERSONAL:
            raise InputError(
                "a case names no person",
                code="CASE_COLUMN",
                file=path,
                field=name,
                remedy="leave this column out; setl_id is enough to find the record again",
            )
        if name not in BY_NAME:
            near = nearest(name, BY_NAME)
            raise InputError(
                "a stay has no such column" + (f"; nearest is {near!r}" if near else ""),
                code="CASE_COLUMN",
                file=path,
                field=name,
                remedy="use the names of docs/reference/records.md",
            )


def _text(value: Any) -> str | None:
    """Return a value as a file of records would hold it."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return "|".join(str(one) for one in value) or None
    return str(value).strip() or None


def read_case(
    given: Mapping[str, Any], *, columns: ColumnMap, known: Known, quality: QualityRules, day: date
) -> StaysRead:
    """Return one case, read and checked as a row of records; ``day``: of discharge, unless it is given.

    A cost that is not given is not known. Raises :class:`InputError` with the first rule of quality control that
    refuses the case.
    """
    _require_names(given, None)
    cells = {name: _text(value) for name, value in given.items()}
    if cells.get("diag_codes") is None:
        raise InputError(
            "a case needs its diagnoses, the principal one first",
            code="CASE_RECORD",
            field="diag_codes",
            remedy="give --diag K35.800|E11.900, or diag_codes in the file",
        )
    cells = {"setl_id": CASE_ID, "fixmedins_code": "-", "medfee_sumamt": None} | cells
    cells["dscg_time"] = cells.get("dscg_time") or day.isoformat()
    severity = dict(quality.severity) | {"cost_missing": "off", "items_mismatch": "off"}
    if "psn_pay_sumamt" not in cells:
        severity["payers_mismatch"] = "off"
    rules = quality.model_copy(update={"severity": severity})
    frame = pl.DataFrame(
        {name: [value] for name, value in cells.items()}, schema=dict.fromkeys(cells, pl.String)
    )
    read = read_stays(frame, columns=columns, known=known, quality=rules)
    if read.stays.is_empty():
        row = (
            read.rejected.row(0, named=True)
            if read.rejected.height
            else {"field": "medfee_sumamt", "value": None}
        )
        raise InputError(
            row.get("message") or "this is a refund, not a stay",
            code="CASE_RECORD",
            field=row["field"],
            value=row["value"],
            remedy="correct the case; the rules are in docs/reference/records.md",
        )
    return read


def one_stay(read: StaysRead, setl_id: str, source: Path) -> pl.DataFrame:
    """Return the accepted row with an id. Raises :class:`InputError` if there is none."""
    stay = read.stays.filter(pl.col("setl_id") == setl_id)
    if stay.is_empty():
        why = read.rejected.filter(pl.col("setl_id") == setl_id)["rule"]
        raise InputError(
            f"this row was rejected: {why[0]}" if len(why) else "no row has that settlement id",
            code="CASE_MISSING",
            file=source,
            field="setl_id",
            value=setl_id,
            remedy="`fenzhi check` tells what is wrong with it" if len(why) else "copy the id from the file",
        )
    return stay
