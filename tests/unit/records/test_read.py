"""Reading as a whole: sources, readings, order, counts, bad input."""

from pathlib import Path

import polars as pl
import pytest

from fenzhi.errors import ConservationError, InputError
from fenzhi.records import ColumnMap, Known, QualityRules, read_stays
from fenzhi.records.contract import check_stays
from fenzhi.records.schema import STAY_COLUMNS
from fenzhi.results import REJECTED

from .clean import ROW, texts, typed


def test_the_contract_holds_for_every_source_and_reading(tmp_path: Path) -> None:
    typed({}, {"gend": "5"}).write_parquet(tmp_path / "a.parquet")
    texts({"setl_id": "T1"}, {"setl_id": "T2", "medfee_sumamt": "x"}).write_csv(tmp_path / "b.csv")
    for needs in ("all", "weights", "grouping"):
        read = read_stays(tmp_path, needs=needs)  # type: ignore[arg-type]
        check_stays(read.stays)
        assert read.rejected.schema == {"row_idx": pl.UInt32} | {c.name: c.dtype for c in REJECTED}
        assert read.warnings.schema == read.rejected.schema
        assert read.netted.schema == {
            "row_idx": pl.UInt32,
            "setl_id": pl.String,
            "source_file": pl.String,
            "source_row": pl.Int64,
            "reason": pl.String,
        }
        assert read.summary.schema == {
            "rule": pl.String,
            "severity": pl.String,
            "fixmedins_code": pl.String,
            "rows": pl.Int64,
        }
        order = [c.out for c in STAY_COLUMNS if c.out in read.stays.columns and c.out != "setl_id"]
        assert read.stays.columns == ["row_idx", "setl_id", "source_file", "source_row", *order]


def test_a_broken_contract_is_an_error() -> None:
    stays = read_stays(typed({}, {})).stays
    for broken, message in (
        (pl.concat([stays, stays]), "primary_key"),
        (stays.drop("age"), "missing columns"),
        (stays.with_columns(pl.col("age").cast(pl.Int64)), "columns of the wrong type: age"),
    ):
        with pytest.raises(ConservationError, match=message):
            check_stays(broken)


def test_rows_know_where_they_came_from(tmp_path: Path) -> None:
    texts({"setl_id": "M2"}).write_csv(tmp_path / "2027-02.csv")
    texts({"setl_id": "M1"}, {"setl_id": None}, {"setl_id": "M1b"}).write_csv(tmp_path / "2027-01.csv")
    (tmp_path / "README.md").write_text("notes")
    (tmp_path / ".hidden.csv").write_text("x")
    read = read_stays(tmp_path)
    assert read.stays.select(
        "row_idx", "setl_id", pl.col("source_file").cast(pl.String), "source_row"
    ).rows() == [
        (0, "M1", "2027-01.csv", 1),
        (2, "M1b", "2027-01.csv", 3),
        (3, "M2", "2027-02.csv", 1),
    ]
    assert read.rejected.select("row_idx", "source_file", "source_row").rows() == [(1, "2027-01.csv", 2)]
    assert read.notices == (f"{tmp_path / 'README.md'}: not a file of records, left out",)


def test_a_list_of_sources_and_folders_of_folders(tmp_path: Path) -> None:
    for year in ("2025", "2026"):
        (tmp_path / year).mkdir()
        typed({"setl_id": f"Y{year}"}).write_parquet(tmp_path / year / "stays.parquet")
    whole = read_stays(tmp_path).stays
    assert whole.select("setl_id", pl.col("source_file").cast(pl.String)).rows() == [
        ("Y2025", "2025/stays.parquet"),
        ("Y2026", "2026/stays.parquet"),
    ]
    several = read_stays(
        [tmp_path / "2026", str(tmp_path / "2025"), typed({}), texts({"setl_id": "last"})]
    ).stays
    assert several["setl_id"].to_list() == ["Y2026", "Y2025", "S1", "last"]
    assert several["row_idx"].to_list() == [0, 1, 2, 3]
    assert several["source_file"].cast(pl.String).to_list() == [
        (tmp_path / "2026" / "stays.parquet").as_posix(),
        (tmp_path / "2025" / "stays.parquet").as_posix(),
        "frame 3",
        "frame 4",
    ]


def test_a_column_of_one_file_only_is_unknown_in_the_others() -> None:
    read = read_stays([texts({}), texts({"setl_id": "B"}, drop=("drug_fee", "vent_used_dura"))])
    assert read.stays["drug_fee_fen"].to_list() == [200010, None]


def test_findings_of_later_files_keep_their_place() -> None:
    read = read_stays([texts({}, {}), texts({"setl_id": "B"}, {"setl_id": "C", "age": "old"})])
    assert read.rejected.select("row_idx", "setl_id", "source_file", "source_row", "value").rows() == [
        (3, "C", "frame 2", 2, "old")
    ]


def test_narrow_readings_read_and_check_less() -> None:
    frame = typed({}, {"diag_codes": "K35.800|K35.800"}, {"medfee_sumamt": "0"}, {"setl_id": "S1"})
    everything = read_stays(frame)
    assert everything.rejected["rule"].to_list() == ["cost_zero", "duplicate_key"]
    assert set(everything.warnings["rule"]) == {"diagnosis_repeated", "payers_mismatch", "items_mismatch"}
    weights = read_stays(frame, needs="weights")
    assert weights.rejected["rule"].to_list() == ["cost_zero", "duplicate_key"]
    assert weights.warnings.height == 0
    assert not {"drug_fee_fen", "psn_no"} & set(weights.stays.columns)
    grouping = read_stays(frame, needs="grouping")
    assert grouping.rejected["rule"].to_list() == ["duplicate_key"]
    assert grouping.stays["setl_id"].to_list() == ["S1", "S2", "S3"]
    assert grouping.stays["hifp_pay_fen"].null_count() == 3
    bare = read_stays(frame.select("setl_id", "diag_codes"), needs="grouping")
    assert bare.stays.height == 3
    assert bare.stays["oprn_codes"].to_list() == [[], [], []]
    with pytest.raises(InputError, match="the column fixmedins_code is missing"):
        read_stays(frame.select("setl_id", "diag_codes"), needs="weights")


def test_unknown_hospitals_need_a_list() -> None:
    frame = typed({}, {"fixmedins_code": "H2"})
    assert read_stays(frame).rejected.height == 0
    assert read_stays(frame, known=Known(hospitals=["H2"])).rejected["setl_id"].to_list() == ["S1"]
    assert read_stays(frame, known=Known(hospitals=[])).rejected.height == 2
    assert read_stays(frame, known=Known(hospitals=["H2"]), needs="grouping").rejected.height == 0


def test_everything_rejected_still_adds_up() -> None:
    read = read_stays(texts({"gend": "9"}, {"setl_id": None}))
    assert (read.rows_in, read.stays.height, read.rejected_rows) == (2, 0, 2)
    check_stays(read.stays)
    assert read.summary["rows"].sum() == 2


def test_lost_rows_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fenzhi.records.read._accepted", lambda frame: frame.head(1))
    with pytest.raises(ConservationError, match="2 rows came in, 1 went out"):
        read_stays(typed({}, {}))


def test_settings_and_mapping_do_not_touch_the_input() -> None:
    frame = texts({}, {"medfee_sumamt": "-1"})
    before = frame.clone()
    read_stays(frame, columns=ColumnMap(), quality=QualityRules())
    assert frame.equals(before)


def _file(name: str, data: bytes) -> object:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _frames(**frames: pl.DataFrame) -> object:
    def make(folder: Path) -> Path:
        for name, frame in frames.items():
            frame.write_csv(folder / f"{name}.csv")
        return folder

    return make


_WIDE = texts({"setl_id": "W"}, drop=("diag_codes",)).with_columns(
    wm_dise_code=pl.lit("I10"), wm_dise_code_1=pl.lit("")
)
_TORN = ",".join(ROW).encode() + b"\nS1,P1"


@pytest.mark.parametrize(
    ("make", "code", "row", "field", "message"),
    [
        (lambda folder: folder / "none", "RECORDS_MISSING", None, None, "there is no such file or folder"),
        (
            lambda folder: folder,
            "RECORDS_EMPTY_FOLDER",
            None,
            None,
            "the folder has no Parquet, CSV or Excel file",
        ),
        (_file("a.csv", b""), "RECORDS_EMPTY_FILE", None, None, "the file is empty"),
        (_file("a.parquet", b""), "RECORDS_EMPTY_FILE", None, None, "the file is empty"),
        (
            _file("a.parquet", b"PAR1 cut"),
            "RECORDS_PARQUET",
            None,
            None,
            "this is not a readable Parquet file",
        ),
        (_file("a.json", b"{}"), "RECORDS_FORMAT", None, None, "files of the kind '.json' cannot be read"),
        (
            _file("a.csv", _TORN),
            "RECORDS_RAGGED",
            1,
            None,
            f"this line has 2 fields, the header has {len(ROW)}: the file may be cut off here",
        ),
        (
            _file("a.csv", b"setl_id,age,setl_id\n1,2,3\n"),
            "RECORDS_COLUMN_TWICE",
            None,
            "setl_id",
            "two columns have the same name",
        ),
        (
            _frames(a=texts({}).rename({"diag_codes": "diagcodes"})),
            "RECORDS_COLUMN_MISSING",
            None,
            "diag_codes",
            "the column diag_codes is missing; nearest is 'diagcodes'",
        ),
        (
            _frames(a=texts({}), b=_WIDE),
            "RECORDS_MIXED_SHAPES",
            None,
            None,
            "this file is wide, a.csv is flat",
        ),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path, make: object, code: str, row: int | None, field: str | None, message: str
) -> None:
    assert callable(make)
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        read_stays(path)
    error = caught.value
    assert (error.code, error.row, error.field, error.message) == (code, row, field, message)
    assert str(error.file).startswith(str(tmp_path))
    assert error.remedy


def test_a_missing_column_suggests_a_mapping() -> None:
    with pytest.raises(InputError) as caught:
        read_stays(typed({}).rename({"medfee_sumamt": "medfee_sum"}))
    assert (
        caught.value.remedy
        == 'rename it, or give a mapping file with: [columns] medfee_sumamt = "medfee_sum"'
    )


def test_nothing_to_read() -> None:
    with pytest.raises(InputError, match="there is nothing to read"):
        read_stays([])
    with pytest.raises(InputError, match="the frame has no rows"):
        read_stays(typed({}).clear())


def test_a_torn_parquet_behind_a_good_footer(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    typed(*[{} for _ in range(50)]).write_parquet(path)
    data = bytearray(path.read_bytes())
    data[4:600] = b"\xff" * 596
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="this is not a readable Parquet file"):
        read_stays(path)
