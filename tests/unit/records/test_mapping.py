"""The column mapping file: what it can say, and what is wrong with it said in words."""

from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from fenzhi.errors import InputError
from fenzhi.records import ColumnMap, load_columns, read_stays

FOREIGN = pl.DataFrame(
    {
        "ID": ["1", "2"],
        "HOSP": ["H1", "H1"],
        "OUT": ["03.2027", "04.2027"],
        "SEX": ["F", "?"],
        "DX1": ["K358", "0000"],
        "DX2": ["I10", "J189"],
        "OP1": ["4701", ""],
        "A": ["1000", "250"],
        "B": ["50", None],
        "OTHER": ["x", "y"],
    }
)
MAPPING = """
[columns]
setl_id = "ID"
fixmedins_code = "HOSP"
dscg_time = "OUT"
gend = "SEX"
diag_codes = ["DX1", "DX2"]
oprn_codes = ["OP1"]
[constants]
insutype = "310"
[values.gend]
"F" = "2"
[nulls]
gend = ["?"]
diag_codes = ["0000"]
[formats]
dscg_time = "%m.%Y"
[codes]
undotted_diagnoses = true
undotted_operations = true
[money]
unit = "fen"
[sums]
medfee_sumamt = ["A", "B"]
"""


def _load(tmp_path: Path, text: str) -> ColumnMap:
    path = tmp_path / "columns.toml"
    path.write_text(text, encoding="utf-8")
    return load_columns(path)


def test_a_foreign_table_becomes_stays(tmp_path: Path) -> None:
    read = read_stays(FOREIGN, columns=_load(tmp_path, MAPPING))
    assert read.stays.select(
        "setl_id",
        "fixmedins_code",
        "insutype",
        "gend",
        pl.col("dscg_time").dt.to_string("%Y-%m-%d"),
        "diag_codes",
        "oprn_codes",
        "medfee_sumamt_fen",
    ).rows() == [("1", "H1", "310", 2, "2027-03-01", ["K35.8", "I10"], ["47.01"], 1050)]
    # The second row's principal diagnosis is a null token: the other one does not take its place.
    assert read.rejected.select("setl_id", "rule").rows() == [("2", "principal_missing")]
    assert read.warnings.select("setl_id", "rule").rows() == [("2", "sex_missing")]
    assert read.notices == ("frame: columns not used: OTHER",)


def test_a_sum_is_unknown_only_if_every_part_is(tmp_path: Path) -> None:
    frame = FOREIGN.with_columns(A=pl.Series(["10", None]), DX1=pl.lit("K358"))
    read = read_stays(frame, columns=_load(tmp_path, MAPPING), needs="grouping")
    assert read.stays["medfee_sumamt_fen"].to_list() == [60, None]
    bad = read_stays(FOREIGN.with_columns(B=pl.Series(["5O", None])), columns=_load(tmp_path, MAPPING))
    assert bad.rejected.filter(pl.col("rule") == "unreadable").select("field", "value").rows() == [
        ("medfee_sumamt", "5O")
    ]


def test_an_empty_mapping_changes_nothing() -> None:
    assert ColumnMap() == ColumnMap.model_validate({})


def test_a_mapping_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ColumnMap().columns = {}


@pytest.mark.parametrize(
    ("text", "code", "field", "message"),
    [
        ("[column]\n", "MAPPING_UNKNOWN_KEY", "column", "this key is unknown; nearest is 'columns'"),
        (
            "[codes]\nundotted_diagnosis = true\n",
            "MAPPING_UNKNOWN_KEY",
            "codes.undotted_diagnosis",
            "this key is unknown; nearest is 'undotted_diagnoses'",
        ),
        (
            '[columns]\nmedfee_sum = "A"\n',
            "MAPPING_VALUE",
            None,
            "columns.medfee_sum: there is no column 'medfee_sum'; nearest is 'medfee_sumamt'",
        ),
        ('[formats]\nage = "%Y"\n', "MAPPING_VALUE", None, "formats.age: only dates have a format"),
        ('[sums]\nage = ["A"]\n', "MAPPING_VALUE", None, "sums.age: only an amount can be a sum"),
        (
            '[columns]\nage = ["A", "B"]\n',
            "MAPPING_VALUE",
            None,
            "columns.age: only a list of codes or amounts takes several source columns",
        ),
        (
            '[columns]\ninsutype = "A"\n[constants]\ninsutype = "310"\n',
            "MAPPING_VALUE",
            None,
            "insutype is given twice",
        ),
        (
            '[columns]\nage = "A"\n[age]\nvalue = "A"\nunit = "B"\nunits = {}\n',
            "MAPPING_VALUE",
            None,
            "age is given twice: in the section age and in columns or constants",
        ),
        ('[money]\nunit = "dollar"\n', "MAPPING_VALUE", "money.unit", "Input should be 'yuan' or 'fen'"),
        ("[columns\n", "MAPPING_SYNTAX", None, "this is not readable TOML: "),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, text: str, code: str, field: str | None, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, text)
    error = caught.value
    assert (error.code, error.field, error.file) == (code, field, str(tmp_path / "columns.toml"))
    assert error.message.startswith(message) if code == "MAPPING_SYNTAX" else error.message == message
    assert error.remedy


def test_a_missing_mapping_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the mapping file") as caught:
        load_columns(tmp_path / "none.toml")
    assert caught.value.code == "MAPPING_MISSING"


def test_a_source_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_stays(FOREIGN.rename({"HOSP": "HOSPITAL"}), columns=_load(tmp_path, MAPPING))
    error = caught.value
    assert (error.code, error.field) == ("MAPPING_SOURCE_MISSING", "HOSP")
    assert (
        error.message
        == "the mapping file names a column that the source does not have; nearest is 'HOSPITAL'"
    )


def test_admissions_of_brazil_need_a_mapping_only(reference_data: Path) -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "sih-sus-columns.toml"
    source = reference_data / "sih_sus_rs_2019_10k.csv"
    read = read_stays(source, columns=load_columns(example))
    assert (read.rows_in, read.stays.height, read.rejected_rows, read.netted.height) == (10_000, 9_912, 88, 0)
    assert set(read.rejected["rule"]) == {"cost_zero"}
    # Against the file itself, read plainly.
    plain = pl.read_csv(source, infer_schema=False).filter(pl.col("VAL_TOT").cast(pl.Float64) > 0)
    stays = read.stays
    assert stays["setl_id"].equals(plain["ROW_ID"].alias("setl_id"))
    assert stays["medfee_sumamt_fen"].sum() == (plain["VAL_TOT"].cast(pl.Decimal(16, 2)).sum() * 100)
    assert (stays["dscg_way"] == 5).sum() == (plain["MORTE"] == "1").sum()
    assert (stays["gend"] == 2).sum() == (plain["SEXO"] == "3").sum()
    assert (
        stays["diag_codes"]
        .list.first()
        .str.replace(".", "", literal=True)
        .equals(plain["DIAG_PRINC"].alias("diag_codes"))
    )
    assert stays["diag_codes"].list.eval(pl.element().str.contains(r"^[A-Z]\d\d(\.\d)?$")).list.all().all()
    assert stays["dscg_time"].dt.to_string("%Y%m").equals(plain["YM_DISCH"].alias("dscg_time"))
    days = plain.filter(pl.col("COD_IDADE") == "2")["IDADE"].cast(pl.Int16)
    assert stays.filter(pl.Series(plain["COD_IDADE"] == "2"))["nwb_age"].equals(days.alias("nwb_age"))
    assert stays["age"].null_count() == 0
    assert stays["age"].max() == 107
