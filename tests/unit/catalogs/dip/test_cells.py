"""Ages, birth weights, degrees and areas of burns as cells say them, worked out by hand."""

from __future__ import annotations

import pytest

from fenzhi.catalogs.dip.cells import area_digits, days_max, degrees, flag, say_weight, weight_band, whole
from fenzhi.catalogs.dip.codes import CellError, diagnoses, operations, restored, without_names
from fenzhi.catalogs.sheets import Number


@pytest.mark.parametrize(
    ("text", "days"),
    [
        *(("<29天", 28), ("＜29天", 28), ("小于29天", 28), ("不足 29 天", 28), ("未满29天", 28)),
        *(("≤28天", 28), ("≦28", 28), ("<=28天", 28), ("不超过28天", 28), ("28天以内", 28), ("28天及以下", 28)),
        *(("出生≤28天", 28), ("新生儿期（<29天）", 28)),
        *(("0-28天", 28), ("0～28天", 28), ("1至28日", 28), ("0≤天龄<29", 28), ("0<=天龄<=28", 28)),
        *(("28", 28), ("28.0", 28)),
    ],
)  # fmt: skip
def test_ages(text: str, days: int) -> None:
    assert days_max(text) == days


@pytest.mark.parametrize("text", ["≥29天", "29天-1岁", "<1月", "新生儿", "7-28天", "<0天", "28.5"])
def test_ages_that_are_not_understood(text: str) -> None:
    with pytest.raises(CellError):
        days_max(text)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        *(("出生体重0-999克", (0, 999)), ("1000—1499g", (1000, 1499)), ("１５００－１９９９克", (1500, 1999))),
        *(("<1000克", (None, 999)), ("≤999克", (None, 999)), ("1000克以下", (None, 1000)), ("低于1000克", (None, 999))),
        *(("≥2500克", (2500, None)), ("2500克及以上", (2500, None)), (">2499克", (2500, None))),
        *(("1000≤出生体重<1500", (1000, 1499)), ("≥1000克且<1500克", (1000, 1499))),
        ("1000克<体重≤1500克", (1001, 1500)),
        *(("1.0-1.499kg", (1000, 1499)), ("<1千克", (None, 999)), ("≥2.5公斤", (2500, None))),
    ],
)  # fmt: skip
def test_weights(text: str, band: tuple[int | None, int | None]) -> None:
    assert weight_band(text) == band


@pytest.mark.parametrize("text", ["999", "低体重", "约1000克", "1000克-"])
def test_weights_that_are_not_understood(text: str) -> None:
    with pytest.raises(CellError):
        weight_band(text)


@pytest.mark.parametrize("band", [(0, 999), (None, 999), (2500, None), (1, 1)])
def test_a_band_as_it_is_written_is_read_again(band: tuple[int | None, int | None]) -> None:
    assert weight_band(say_weight(*band)) == band


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("二度", (2,)),
        ("Ⅲ度", (3,)),
        ("III度", (3,)),
        ("深Ⅱ度", (2,)),
        ("二、三度", (2, 3)),
        ("3度", (3,)),
        ("一度", (1,)),
    ],
)
def test_degrees(text: str, found: tuple[int, ...]) -> None:
    assert degrees(text) == found


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        *(("10%以下", (0,)), ("<10%", (0,)), ("体表面积小于10%", (0,)), ("10%-19%", (1,)), ("10-29%", (1, 2))),
        *(("10％～20％", (1,)), ("≥90%", (9,)), ("90%及以上", (9,)), ("50%以上", (5, 6, 7, 8, 9)), ("0-9%", (0,))),
        *(("90%-100%", (9,)), ("<30%", (0, 1, 2))),
    ],
)  # fmt: skip
def test_areas(text: str, digits: tuple[int, ...]) -> None:
    assert area_digits(text) == digits


@pytest.mark.parametrize("text", ["大面积", "15%-25%", "<15%", "20%-10%"])
def test_areas_that_are_not_understood(text: str) -> None:
    with pytest.raises(CellError):
        area_digits(text)


def test_yes_no_and_whole_numbers() -> None:
    assert [flag(text) for text in ("是", "耐药", " Y", "√", "否", "非耐药", "-", "")] == [True] * 4 + [
        False
    ] * 4
    assert whole("３") == 3
    for read, text in ((flag, "可能"), (whole, "三"), (whole, "1.5")):
        with pytest.raises(CellError):
            read(text)


@pytest.mark.parametrize(
    ("number", "places", "code"),
    [
        *(("47.01", 4, "47.0100"), ("3.3101", 4, "03.3101"), ("47", 4, "47.0000"), ("99.2503", 4, "99.2503")),
        *(
            ("47.009999999999998", 4, "47.0100"),
            ("47.01", 2, "47.01"),
            ("47.0101", 2, None),
            ("147.01", 4, None),
        ),
        ("47.01", 0, None),
    ],
)
def test_zeros_of_numbers(number: str, places: int, code: str | None) -> None:
    assert restored(number, places) == code


def test_a_number_and_its_text_are_not_one_cell() -> None:
    # A text may be a short code of an older scheme; it matches only what is written the same, which is said.
    assert operations("47.01", None) == ("47.01", ("short_code",))
    assert operations("47.0100|47.01", None) == ("47.0100|47.01", ("short_code",))
    assert operations("33.6x00", None) == ("33.6x00", ())
    assert operations(Number("47.01"), None) == ("47.0100", ("number_restored",))


def test_codes_with_their_names_beside_them() -> None:
    assert without_names("I50.900 心力衰竭", "diagnoses") == "I50.900"
    # The digit belongs to the name; a comma of the name is no sign.
    assert without_names("E11.9 2型糖尿病；A16.200肺结核，未提及", "diagnoses") == "E11.9|A16.200"
    assert without_names("47.0100 腹腔镜\n47.0901", "operations") == "47.0100|47.0901"
    assert without_names("保守治疗", "operations") == "保守治疗"
    for text in ("99.2503 化疗+99.2800x005 免疫", "心力衰竭", "I50.9000 心衰"):
        with pytest.raises(CellError):
            without_names(text, "operations" if text[0] == "9" else "diagnoses")


def test_a_plus_without_an_asterisk_is_no_dagger() -> None:
    for text in ("A01.0+A02.0", "B02.2+G53.0"):
        with pytest.raises(CellError):
            diagnoses(text, None)
    assert diagnoses("A01.0†", None) == ("A01.0", ("mark_dropped",))


def test_ranges_and_points_in_chinese_signs() -> None:
    assert diagnoses("K20至K93、C15到C26", None) == ("K20-K93|C15-C26", ())
    assert diagnoses("A01。0|A02·0。", None) == ("A01.0|A02.0", ())
    assert operations("47。0100", None) == ("47.0100", ())


def test_daggers_and_asterisks_of_subcategories() -> None:
    assert diagnoses("B02.2+G53.0*|G01*", None) == ("B02.2|G01", ("mark_dropped",))
    assert diagnoses("A54.301+H13.1*", None) == ("A54.301+H13.1*", ())
