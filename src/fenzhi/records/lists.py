"""Lists of codes: from lists or joined text, blanks and empties out, the first place kept honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

_TEXTS = pl.List(pl.String)


def as_lists(column: pl.Series, *, as_written: bool = False) -> pl.Series:
    """Return lists of text; joined text is split at ``|`` (also ``,`` and ``，``). Null stays null.

    ``as_written``: blanks around the text stay.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.List):
        return column if dtype == _TEXTS else column.cast(_TEXTS)
    if isinstance(dtype, pl.Array):
        return column.cast(_TEXTS)
    text = column.cast(pl.String)
    text = text if as_written else text.str.strip_chars()
    text = text.str.replace_all("[,，]", "|").replace("", None)
    return text.str.split("|")


def clean_codes(
    columns: dict[str, pl.Series], nulls: Mapping[str, Sequence[str]], dots: Mapping[str, int]
) -> pl.DataFrame:
    """Return code lists without blanks and empties (never null), and ``_first|name``: is the first there?

    An empty first place stays empty here: the Boolean is False, and quality control decides.
    ``nulls``: texts that mean "no code". ``dots``: put the missing dot after that many characters.
    """
    code = pl.element()
    # Sorting before "!" are the empty text and whatever begins with a blank or control character.
    untidy = (code < "!") | code.str.ends_with(" ") | code.is_null()
    frame = pl.DataFrame([as_lists(column).alias(name) for name, column in columns.items()])
    frame = frame.with_columns(pl.col(n).fill_null([]) for n in frame.columns if frame[n].null_count())
    clean = frame.select(pl.col(n).list.eval(untidy).list.any().any() for n in frame.columns).row(
        0, named=True
    )
    tidied = {
        name: pl.col(name).list.eval(_tidy(nulls.get(name, ()), dots.get(name, 0)))
        for name in frame.columns
        if clean[name] or nulls.get(name) or dots.get(name)
    }
    frame = frame.with_columns(**tidied)
    firsts = [
        (pl.col(n).list.first().is_not_null() if n in tidied else pl.col(n).list.len() > 0).alias(
            f"_first|{n}"
        )
        for n in frame.columns
    ]
    return frame.with_columns(*firsts, *(pl.col(n).list.drop_nulls() for n in tidied))


def codes_as_written(columns: dict[str, pl.Series]) -> pl.DataFrame:
    """Return code lists with every blank and empty place kept (never null), and ``_first|name``.

    For catalogues that compare codes exactly: a blank makes another code, an empty place stays a place.
    """
    lists = [as_lists(column, as_written=True).alias(name) for name, column in columns.items()]
    frame = pl.DataFrame(lists).with_columns(pl.all().fill_null([]))
    frame = frame.with_columns(pl.all().list.eval(pl.element().fill_null("")))
    first = pl.all().list.first().str.strip_chars() != ""
    return frame.with_columns(first.fill_null(False).name.prefix("_first|"))


def _tidy(nulls: Sequence[str], dot_after: int) -> pl.Expr:
    tidy = pl.element().str.strip_chars().replace("", None)
    if nulls:
        tidy = pl.when(~tidy.is_in(list(nulls))).then(tidy)
    if dot_after:
        bare = (tidy.str.len_chars() > dot_after) & ~tidy.str.contains(".", literal=True)
        dotted = tidy.str.slice(0, dot_after) + "." + tidy.str.slice(dot_after)
        tidy = pl.when(bare).then(dotted).otherwise(tidy)
    return tidy


def money_lists(
    column: pl.Series, decimals: int, to_fen: Callable[[pl.Expr, pl.DataType, int], pl.Expr]
) -> tuple[pl.Series, pl.Series]:
    """Return lists of fen, and a Boolean per row that says an amount could not be read."""
    lists = column if isinstance(column.dtype, pl.List) else as_lists(column)
    dtype = lists.dtype.inner if isinstance(lists.dtype, pl.List) else pl.String()
    assert isinstance(dtype, pl.DataType)
    element = pl.element()
    if dtype == pl.String:
        element = element.str.strip_chars().replace("", None)
    frame = (
        lists.alias("x")
        .to_frame()
        .select(
            pl.col("x").list.eval(to_fen(element, dtype, decimals)).alias("fen"),
            pl.col("x")
            .list.eval(element.is_not_null() & to_fen(element, dtype, decimals).is_null())
            .list.any()
            .alias("bad"),
        )
    )
    return frame["fen"].cast(pl.List(pl.Int64)), frame["bad"].fill_null(False)
