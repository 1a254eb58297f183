import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.catalogs import Dialect, expand_sets, parse_cell, parse_diagnoses, range_limits, token_kind
from fenzhi.catalogs.dialect import MAX_AND_SETS, is_usual, tidy_cells
from fenzhi.errors import CatalogError

NATIONAL = Dialect("or_of_ands")
OLDER = Dialect("and_of_ors", or_="/")
ALL = Dialect("all", and_=",")


@pytest.mark.parametrize(
    ("text", "dialect", "sets"),
    [
        ("47.0100", NATIONAL, [["47.0100"]]),
        ("47.0100|47.0901", NATIONAL, [["47.0100"], ["47.0901"]]),
        ("A|B+C", NATIONAL, [["A"], ["B", "C"]]),
        ("A+B|C", NATIONAL, [["A", "B"], ["C"]]),
        ("99.2503+99.2800X005", NATIONAL, [["99.2503", "99.2800x005"]]),
        ("81.5100+81.5100", NATIONAL, [["81.5100", "81.5100"]]),
        ("A+B|B+A|A", NATIONAL, [["A", "B"], ["A"]]),
        ("A/B+C", OLDER, [["A", "C"], ["B", "C"]]),
        ("A/B+C/D", OLDER, [["A", "C"], ["A", "D"], ["B", "C"], ["B", "D"]]),
        ("A/B", OLDER, [["A"], ["B"]]),
        ("A/B+A", OLDER, [["A", "A"], ["B", "A"]]),
        ("A,B", ALL, [["A", "B"]]),
        ("A", ALL, [["A"]]),
        ("", NATIONAL, []),
        (" \n\u3000", NATIONAL, []),
    ],
)
def test_a_cell_is_an_or_of_and_sets(text: str, dialect: Dialect, sets: list[list[str]]) -> None:
    assert [list(one) for one in parse_cell(text, dialect)] == sets


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("４７．０１００｜ 47.0901\n＋ 54.2100", NATIONAL),
        ("47.0100|47.0901+54.2100", NATIONAL),
        ("\t47.0100 |\r\n47.0901+54.2100 ", NATIONAL),
    ],
)
def test_blanks_line_breaks_and_full_width_do_not_matter(text: str, dialect: Dialect) -> None:
    assert parse_cell(text, dialect) == (("47.0100",), ("47.0901", "54.2100"))


def test_full_width_signs_of_the_other_dialects() -> None:
    assert parse_cell("A／B＋C", OLDER) == (("A", "C"), ("B", "C"))
    assert parse_cell("A， B", ALL) == (("A", "B"),)


@pytest.mark.parametrize(
    ("text", "dialect", "words"),
    [
        ("A||B", NATIONAL, "nothing before or after a '|'"),
        ("A|", NATIONAL, "nothing before or after a '|'"),
        ("|A", NATIONAL, "nothing before or after a '|'"),
        ("A+", NATIONAL, r"nothing before or after a '\+'"),
        ("A|+B", NATIONAL, r"nothing before or after a '\+'"),
        ("A/+B", OLDER, "nothing before or after a '/'"),
        ("A,,B", ALL, "nothing before or after a ','"),
        ("A,B", NATIONAL, "'A,B' is not an operation code"),
        ("A|B", ALL, "'A|B' is not an operation code"),
        ("@SET", NATIONAL, "'@SET' is not an operation code"),
        ("阑尾切除", NATIONAL, "is not an operation code"),
    ],
)
def test_a_bad_cell_says_what_is_wrong(text: str, dialect: Dialect, words: str) -> None:
    with pytest.raises(CatalogError, match=words.replace("|", r"\|")) as caught:
        parse_cell(text, dialect)
    assert caught.value.code == "CATALOG_CELL"
    assert caught.value.value == text
    assert caught.value.remedy


def test_a_cell_that_explodes_is_refused() -> None:
    factor = "/".join(f"A{i}" for i in range(20))
    assert len(parse_cell(f"{factor}+{factor.replace('A', 'B')}", OLDER)) == 400
    text = "+".join([factor, factor.replace("A", "B"), factor.replace("A", "C")])
    with pytest.raises(CatalogError, match=f"8000 combinations, more than {MAX_AND_SETS}"):
        parse_cell(text, OLDER)


CODES = st.sampled_from(["47.0100", "47.0901", "99.2800x005", "33.6x00", "17.922A0"])


@given(st.lists(st.lists(CODES, min_size=1, max_size=4), min_size=1, max_size=5))
def test_or_of_ands_reads_back_what_was_written(sets: list[list[str]]) -> None:
    text = "|".join("+".join(one) for one in sets)
    parsed = parse_cell(text, NATIONAL)
    assert {tuple(sorted(one)) for one in parsed} == {tuple(sorted(one)) for one in sets}
    assert len(parsed) == len({tuple(sorted(one)) for one in sets})


@given(st.lists(st.lists(CODES, min_size=1, max_size=3, unique=True), min_size=1, max_size=3), st.sets(CODES))
def test_the_two_nestings_mean_what_they_say(factors: list[list[str]], present: set[str]) -> None:
    text = "+".join("/".join(one) for one in factors)
    literally = all(any(code in present for code in one) for one in factors)
    assert any(set(one) <= present for one in parse_cell(text, OLDER)) == literally


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("K35.8|K35.9", ("K35.8", "K35.9")),
        ("A54.301+H13.1*|A54.3", ("A54.301+H13.1*", "A54.3")),
        ("C00-C75｜c80 | @Tumour", ("C00-C75", "C80", "@TUMOUR")),
        ("K35|K35", ("K35",)),
        ("", ()),
    ],
)
def test_diagnosis_cells_know_only_or(text: str, tokens: tuple[str, ...]) -> None:
    assert parse_diagnoses(text, NATIONAL) == tokens


def test_diagnoses_are_separated_by_the_sign_for_or() -> None:
    assert parse_diagnoses("K35.8/K35.9", OLDER) == ("K35.8", "K35.9")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("K35.8|", "nothing before or after"),
        ("C75-C00", "the range C75-C00 ends before it begins"),
        ("K35,8", "neither a diagnosis"),
        ("C00-C7", "neither a diagnosis"),
        ("@", "neither a diagnosis"),
    ],
)
def test_a_bad_diagnosis_cell_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        parse_diagnoses(text, NATIONAL)


@pytest.mark.parametrize(
    ("token", "kind", "usual"),
    [
        ("K35", "category", True),
        ("K35.8", "subcategory", True),
        ("I10.x", "subcategory", True),
        ("K35.800", "full", True),
        ("I10.x00x002", "full", True),
        ("E11.200x011+N08.3*", "full", True),
        ("C00-C75", "range", True),
        ("@TB", "set", True),
        ("K358", "full", False),
        ("K35.80", "full", False),
    ],
)
def test_how_a_token_matches(token: str, kind: str, usual: bool) -> None:
    assert token_kind(token) == kind
    assert is_usual(token) is usual


def test_range_limits() -> None:
    assert range_limits("G00-H59") == ("G00", "H59")


def test_sets_are_replaced_by_their_codes() -> None:
    sets = {"A": ("K35", "K36"), "B": ()}
    assert expand_sets(("K36", "@A", "@B", "K37"), sets) == ("K36", "K35", "K37")
    with pytest.raises(CatalogError, match="the named set @C does not exist") as caught:
        expand_sets(("@C",), sets)
    assert caught.value.code == "CATALOG_SET"
    assert "@A, @B" in str(caught.value)


@pytest.mark.parametrize(
    ("form", "or_", "and_", "field"),
    [
        ("xor", "|", "+", "dialect.form"),
        ("or_of_ands", "||", "+", "dialect.or"),
        ("or_of_ands", "+", "|", "dialect.or"),
        ("or_of_ands", "-", "+", "dialect.or"),
        ("or_of_ands", "|", ".", "dialect.and"),
        ("or_of_ands", "/", "/", "dialect.and"),
    ],
)
def test_a_dialect_must_be_usable(form: str, or_: str, and_: str, field: str) -> None:
    with pytest.raises(CatalogError) as caught:
        Dialect(form, or_, and_)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.field) == ("CATALOG_DIALECT", field)


def test_tidy_cells_keeps_the_order() -> None:
    cells = tidy_cells(pl.Series(["47.0100｜ 47.0901", None, " ", "W00-X59|X60.X00"]))
    assert cells.to_list() == ["47.0100|47.0901", None, None, "W00-X59|X60.x00"]
