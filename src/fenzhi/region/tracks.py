"""The region's tables of other tracks: prices, quotas, communities, outpatient rows, items outside, savings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.budget import Budget
from fenzhi.codes import normalise_diagnosis, normalise_operation, read_table, require_columns
from fenzhi.errors import RegionError
from fenzhi.money import to_e4, yuan_to_fen
from fenzhi.policy import Policy

_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")
_SHARE = re.compile(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?")
_UNITS = re.compile(r"[0-9]{1,7}")
_POINTS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")
_NAME = re.compile(r"[^\s]+")


@dataclass(frozen=True)
class _Cell:
    """How the cells of a column are read; ``name``: the column that comes out. ``says``: the form, for the remedy."""

    name: str
    dtype: type[pl.DataType]
    form: re.Pattern[str]
    convert: Callable[[str], Any]
    says: str
    optional: bool = False


def _fen(name: str, *, optional: bool = False) -> _Cell:
    says = "yuan, not negative, with at most two decimals"
    return _Cell(f"{name}_fen", pl.Int64, _AMOUNT, yuan_to_fen, says, optional)


def _text(name: str, *, optional: bool = False) -> _Cell:
    return _Cell(name, pl.String, _NAME, str, "text without blanks", optional)


def _share(name: str, *, optional: bool = False) -> _Cell:
    return _Cell(
        f"{name}_e4", pl.Int64, _SHARE, to_e4, "a share from 0 to 1 with at most four decimals", optional
    )


def _month(name: str) -> _Cell:
    return _Cell(name, pl.Int8, re.compile("0?[1-9]|1[0-2]"), int, "a month from 1 to 12")


_HOSPITAL = _text("fixmedins_code")
_UNIT = _Cell("units", pl.Int64, _UNITS, int, "a whole number")
_POINT = _Cell("points_e4", pl.Int64, _POINTS, to_e4, "points with at most four decimals", optional=True)

#: file -> its columns, in the order of docs/reference; the key of a row; the kinds of track that read it.
COLUMNS: Mapping[str, Mapping[str, _Cell]] = {
    "prices": {
        "track": _text("track"),
        "diagnosis": _text("diagnosis"),
        "operation": _text("operation", optional=True),
        "price": _fen("price"),
        "patient_share": _share("patient_share"),
    },
    "quotas": {
        "track": _text("track"),
        "pool": _text("pool", optional=True),
        "fixmedins_code": _text("fixmedins_code", optional=True),
        "level": _text("level", optional=True),
        "amount": _fen("amount"),
    },
    "communities": {
        "track": _text("track"),
        "community": _text("community"),
        "pool": _text("pool"),
        "areas": _Cell("areas", pl.String, re.compile(r"[^\s|]+(\|[^\s|]+)*"), str, "codes joined by |"),
        "amount": _fen("amount", optional=True),
        "income": _fen("income", optional=True),
        "share": _share("share", optional=True),
        "lead": _text("lead", optional=True),
    },
    "outpatient": {
        "track": _text("track"),
        "fixmedins_code": _HOSPITAL,
        "pool": _text("pool"),
        "month": _month("month"),
        "item": _text("item", optional=True),
        "units": _UNIT,
        "price": _fen("price", optional=True),
        "points": _POINT,
    },
    "outside": {
        "track": _text("track"),
        "fixmedins_code": _HOSPITAL,
        "pool": _text("pool"),
        "month": _month("month"),
        "item": _text("item"),
        "amount": _fen("amount"),
    },
    "savings": {
        "track": _text("track"),
        "fixmedins_code": _HOSPITAL,
        "pool": _text("pool"),
        "saved": _fen("saved"),
        "share": _share("share"),
    },
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "prices": ("track", "diagnosis", "operation"),
    "quotas": ("track", "pool", "fixmedins_code", "level"),
    "communities": ("track", "pool", "community"),
    "outpatient": ("track", "fixmedins_code", "pool", "month", "item"),
    "outside": ("track", "fixmedins_code", "pool", "month", "item"),
    "savings": ("track", "fixmedins_code", "pool"),
}
KINDS: Mapping[str, tuple[str, ...]] = {
    "prices": ("price_per_disease",),
    "quotas": ("average_quota", "total_cap"),
    "communities": ("community",),
    "outpatient": ("outpatient",),
    "outside": ("outside_budget",),
    "savings": ("procurement_savings",),
}
FILES = tuple(f"{name}.csv" for name in COLUMNS)


def empty_table(name: str) -> pl.DataFrame:
    """Return a table of :data:`COLUMNS` without rows."""
    schema = {cell.name: cell.dtype for cell in COLUMNS[name].values()}
    return pl.DataFrame(schema={**schema, "row": pl.Int64})


@dataclass(frozen=True)
class _Place:
    """The region around a table: what its cells may name."""

    file: Path
    hospitals: pl.DataFrame
    pools: Sequence[str]
    kinds: Mapping[str, str]  # track -> kind
    forms: Mapping[str, str]  # track of outpatient care -> form

    def wrong(self, message: str, row: int, field: str, value: str | None, remedy: str) -> RegionError:
        return RegionError(
            message,
            code="REGION_TRACK",
            file=self.file,
            row=row,
            field=field,
            value=value,
            remedy=remedy,
        )


def _cells(frame: pl.DataFrame, name: str, place: _Place) -> pl.DataFrame:
    """Convert all cells; an empty or unreadable one names its row."""
    out = []
    for column, cell in COLUMNS[name].items():
        values = []
        texts = frame[column] if column in frame.columns else [None] * frame.height
        for row, text in enumerate(texts, start=1):
            if text is None and not cell.optional:
                raise place.wrong("this cell is empty", row, column, None, f"give {cell.says}")
            if text is not None and not cell.form.fullmatch(text):
                raise place.wrong(
                    "this cell is not of the expected form", row, column, text, f"give {cell.says}"
                )
            values.append(None if text is None else cell.convert(text))
        out.append(pl.Series(cell.name, values, dtype=cell.dtype))
    return pl.DataFrame(out).with_columns(pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("row"))


def _known(table: pl.DataFrame, name: str, place: _Place) -> None:
    """Raise for a track, hospital, pool, level or community that there is not, and for a row that stands twice."""
    own = [track for track, kind in place.kinds.items() if kind in KINDS[name]]
    listed = {
        "track": own,
        "fixmedins_code": place.hospitals["fixmedins_code"].to_list(),
        "lead": place.hospitals["fixmedins_code"].to_list(),
        "pool": list(place.pools),
        "level": place.hospitals["level"].drop_nulls().unique().sort().to_list(),
        "community": place.hospitals["community"].drop_nulls().unique().sort().to_list(),
    }
    words = {
        "track": f"a track of the policy of kind {' or '.join(KINDS[name])}",
        "fixmedins_code": "a hospital of hospitals.csv",
        "lead": "a hospital of hospitals.csv",
        "pool": "a pool of the region",
        "level": "a level of hospitals.csv",
        "community": "a community of hospitals.csv",
    }
    for column in (column for column in listed if column in table.columns):
        strange = table.filter(~pl.col(column).is_in(listed[column]))
        if strange.height:
            some = ", ".join(listed[column][:10]) or "there is none"
            raise place.wrong(
                f"this is not {words[column]}",
                strange["row"][0],
                column,
                strange[column][0],
                f"use one of: {some}",
            )
    twice = table.filter(pl.struct(KEYS[name]).is_duplicated())
    if twice.height:
        raise place.wrong(
            f"this row says the same {', '.join(KEYS[name])} as another",
            twice["row"][1],
            KEYS[name][-1],
            twice[KEYS[name][-1]][1],
            "keep one row for each",
        )


def _first(rows: pl.DataFrame, place: _Place, message: str, field: str, remedy: str) -> None:
    if rows.height:
        raise place.wrong(message, rows["row"][0], field, None, remedy)


def _quotas(table: pl.DataFrame, place: _Place) -> None:
    caps = [track for track, kind in place.kinds.items() if kind == "total_cap"]
    _first(
        table.filter(pl.col("fixmedins_code").is_not_null() & pl.col("level").is_not_null()),
        place,
        "a quota is for a hospital or for a level, not both",
        "level",
        "leave one of fixmedins_code and level empty",
    )
    whole = pl.col("fixmedins_code").is_not_null() & pl.col("pool").is_not_null()
    _first(
        table.filter(pl.col("track").is_in(caps) & ~whole),
        place,
        "a total cap is for a hospital in a pool",
        "fixmedins_code",
        "give fixmedins_code and pool",
    )


def _communities(table: pl.DataFrame, place: _Place) -> None:
    amount, income, share = (pl.col(name).is_not_null() for name in ("amount_fen", "income_fen", "share_e4"))
    _first(
        table.filter(~((amount & ~income & ~share) | (~amount & income & share))),
        place,
        "the package is an amount, or income x share",
        "amount",
        "give amount, or income and share, and leave the other cells empty",
    )
    areas = table.select("track", "pool", "row", pl.col("areas").str.split("|").alias("area")).explode("area")
    twice = areas.filter(pl.struct("track", "pool", "area").is_duplicated())
    if twice.height:
        raise place.wrong(
            "this area belongs to two communities of the pool, or stands twice",
            twice["row"][-1],
            "areas",
            twice["area"][-1],
            "give each area to one community",
        )


def _outpatient(table: pl.DataFrame, place: _Place) -> None:
    points = pl.col("track").replace_strict(place.forms, default="price", return_dtype=pl.String) == "points"
    price, worth = pl.col("price_fen").is_not_null(), pl.col("points_e4").is_not_null()
    _first(
        table.filter(points & (price | ~worth)),
        place,
        "this track is paid by points",
        "points",
        "give points of one unit and no price",
    )
    _first(
        table.filter(~points & (worth | ~price)),
        place,
        "this track is paid by price",
        "price",
        "give the price of one unit and no points",
    )


def _leads(table: pl.DataFrame, place: _Place, policy: Policy) -> None:
    leading = [track.id for track in policy.tracks if getattr(track, "surplus_to", None) == "lead"]
    _first(
        table.filter(pl.col("track").is_in(leading) & pl.col("lead").is_null()),
        place,
        "the policy gives the balance to the lead hospital",
        "lead",
        "give the code of the lead hospital",
    )
    members = place.hospitals.select(pl.col("fixmedins_code").alias("lead"), pl.col("community").alias("of"))
    both = table.join(members, on="lead", how="inner", maintain_order="left")
    _first(
        both.filter(pl.col("of").ne_missing(pl.col("community"))),
        place,
        "the lead hospital is no member of the community",
        "lead",
        "correct the code, or the column community of hospitals.csv",
    )


_CHECKS: Mapping[str, Callable[[pl.DataFrame, _Place], None]] = {
    "quotas": _quotas,
    "communities": _communities,
    "outpatient": _outpatient,
}


def read_track_tables(
    folder: Path, policy: Policy, hospitals: pl.DataFrame, pools: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Read the tables that the policy's tracks need, every cell checked; tables that no track needs are empty.

    The columns are those of :data:`COLUMNS` and ``row``, the row in the file. Raises :class:`RegionError`.
    """
    kinds = {track.id: track.kind for track in policy.tracks}
    forms = {track.id: str(getattr(track, "form", "")) for track in policy.tracks}
    tables = {}
    for name in COLUMNS:
        file = folder / f"{name}.csv"
        needed = any(kind in KINDS[name] for kind in kinds.values())
        if not file.is_file():
            if needed:
                raise RegionError(
                    "this file is missing",
                    code="REGION_FILE_MISSING",
                    file=file,
                    remedy=f"a track of kind {' or '.join(KINDS[name])} needs it; columns: {', '.join(COLUMNS[name])}",
                )
            tables[name] = empty_table(name)
            continue
        place = _Place(file, hospitals, pools, kinds, forms)
        frame = read_table(file, RegionError)
        require_columns(
            frame,
            tuple(column for column, cell in COLUMNS[name].items() if not cell.optional),
            file,
            RegionError,
        )
        table = _cells(frame, name, place)
        if name == "prices":
            table = table.with_columns(
                normalise_diagnosis(table["diagnosis"]), normalise_operation(table["operation"])
            )
        _known(table, name, place)
        if name in _CHECKS:
            _CHECKS[name](table, place)
        if name == "communities":
            _leads(table, place, policy)
        tables[name] = table
    return tables


def require_places(policy: Policy, pools: Sequence[str], budget: Budget, file: Path) -> None:
    """Raise unless every pool that a track names is one of the region, and budget lines name tracks that there are.

    ``file``: the budget.
    """
    for track in policy.tracks:
        strange = [pool for pool in getattr(getattr(track, "who", None), "pools", ()) if pool not in pools]
        if strange:
            raise RegionError(
                f"track {track.id} takes stays of a pool that the region does not have",
                code="REGION_TRACK",
                file=file.parent / "region.toml",
                field="pool.id",
                value=strange[0],
                remedy=f"correct who.pools of the track; the region's pools are {', '.join(pools)}",
            )
    known = [track.funded_by() for track in policy.tracks if track.kind != "outside_budget"]
    known = list(dict.fromkeys((*known, *policy.scope.other_tracks.values())))
    for entry in budget.pool:
        for line in entry.lines:
            if line.track is not None and line.track not in known:
                raise RegionError(
                    "the policy has no track of this name",
                    code="BUDGET_TRACK",
                    file=file,
                    field=f"pool {entry.id}, line {line.name}",
                    value=line.track,
                    remedy=f"use one of: {', '.join(known) or 'none, the policy has no tracks'}",
                )
