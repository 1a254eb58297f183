"""``fenzhi departments``: text and files, agreement with the statement, what is refused, and who is not named."""

from __future__ import annotations

import zipfile

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import HISTORY, STAYS, text_of, write_small
from cli.test_explain import unframed, words
from fenzhi.pipeline.departments import Wanted, departments_of, read_settings
from fenzhi.reports.facts import gather
from fenzhi.reports.tables import RunTables

DOCTOR = "D440100001234"
MORE = {
    "S01": ("A03", DOCTOR, "3000.00", "500.00"),
    "S02": ("A04", "D2", "1000.00", ""),
    "S03": ("A04", DOCTOR, "900.00", "0"),
}


def with_departments(lines: list[str]) -> str:
    """A file of stays with department, doctor, drugs and consumables."""
    head, *rows = text_of(lines).splitlines()
    out = [f"{head},dscg_caty,chfpdr_code,drug_fee,matl_fee"]
    return (
        "\n".join([*out, *(f"{row},{','.join(MORE.get(row[:3], ('A03', '', '', '')))}" for row in rows)])
        + "\n"
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_small(tmp_path_factory.mktemp("departments") / "small")
    (folder / "records" / "2027.csv").write_text(with_departments(STAYS), encoding="utf-8")
    (folder / "history" / "2026.csv").write_text(with_departments(HISTORY), encoding="utf-8")
    done("run", folder, "--no-reports")
    return runs_of(folder)[0]


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "key.txt"
    file.write_text("correct horse battery staple\n", encoding="utf-8")
    return file


TEXT = """\
Departments: point income and cost
department stays income cost balance quota above low
A04 1 8,189.70 5,500.00 2,689.70 - 0 0
A03 1 22,500.00 10,500.00 12,000.00 8,833.33 0 0
Total 2 30,689.70 16,000.00 14,689.70 - 0 0
What the balance is made of
department balance price coefficient deviation settlement length drugs consumables other cost
A04 2,689.70 2,904.83 2,460.09 0.00 -2,675.22 0.00 0.00 0.00 0.00
A03 12,000.00 11,546.93 6,453.13 0.00 -6,000.06 0.00 0.00 0.00 0.00
Total 14,689.70 14,451.76 8,913.22 0.00 -8,675.28 0.00 0.00 0.00 0.00
"""


def test_the_text_of_a_hospital(run, monkeypatch):
    """A1 has S01 (A03) and S03 (A04), each the only stay of its group, so that its cost is the region's mean.

    S01, at 14.3480: RW 1,536.5854 -> 22,046.93 - 10,500 = 11,546.93; h: 1,986.3439 -> 28,500.06: + 6,453.13; the fund
    pays 19,000.00 and others 3,500.00 = 22,500.00: - 6,000.06. S03, at 11.4866: RW 731.7073 -> 8,404.83 - 5,500 =
    2,904.83; h: 945.8780 -> 10,864.92: + 2,460.09; 5,389.70 + 2,800.00 = 8,189.70: - 2,675.22.
    Quota of A03: six stays of the history, 53,000 / 6 = 8,833.33.
    """
    monkeypatch.setenv("COLUMNS", "400")
    said = fenzhi("departments", run, "--hospital", "A1", "--lang", "en")
    assert (said.code, said.err) == (0, "")
    lines = [words(line) for line in unframed(said.out).splitlines() if line.strip(" ─")]
    expected = [words(line) for line in TEXT.splitlines()]
    assert lines[: len(expected)] == expected
    assert "point income - cost" in said.out


def test_sums_are_those_of_the_statement(run):
    tables = RunTables.read(run)
    for hospital in ("A1", "B2"):
        mine = departments_of(run, hospital).tables["departments"].sort("dscg_caty")
        names = ["dscg_caty", "cases", "cost_fen", "points_e4", "payable_fen", "booked_fen", "balance_fen"]
        stated = gather(tables, hospital).departments.sort("dscg_caty").select(names)
        assert mine.select(names).equals(stated)


def test_every_hospital_of_the_demo_region_adds_up(demo_run):
    hospitals = pl.read_parquet(demo_run / "hospitals.parquet")
    [code] = hospitals.sort("cases", descending=True)["fixmedins_code"].head(1)
    found = departments_of(demo_run, code)
    mine = hospitals.filter(fixmedins_code=code)
    for name in ("departments", "groups"):
        table = found.tables[name]
        for column in ("cases", "points_e4", "cost_fen", "booked_fen"):
            assert table[column].sum() == mine[column].sum(), (name, column)
    assert found.summary["has_costs"]
    assert found.tables["departments"]["quota_fen"].null_count() == 0


def test_a_folder_holds_page_workbook_and_tables(run, tmp_path, key):
    target = tmp_path / "out"
    files = done("departments", run, "--hospital", "A1", "--doctors", key, "-o", target).splitlines()
    assert [line.removeprefix(f"{target}/") for line in files] == [
        *("departments.html", "departments.xlsx", "departments.parquet", "departments.csv", "groups.parquet"),
        *("groups.csv", "doctors.parquet", "doctors.csv", "watch.parquet", "watch.csv"),
    ]
    page = (target / "departments.html").read_text(encoding="utf-8")
    assert "第一医院：2027 年科室分值收入与费用" in page
    assert "14,689.70" in page
    assert (target / "departments.html").stat().st_mode & 0o077 == 0
    assert zipfile.is_zipfile(target / "departments.xlsx")


def test_doctors_appear_by_pseudonym_with_the_hospitals_key_only(run, tmp_path, key):
    target = tmp_path / "out"
    done("departments", run, "--hospital", "A1", "--doctors", key, "-o", target)
    doctors = pl.read_parquet(target / "doctors.parquet")
    assert doctors.select("dscg_caty", "cases").sort("dscg_caty").rows() == [("A03", 1), ("A04", 1)]
    [pseudonym] = doctors["doctor"].unique()
    assert pseudonym.startswith("D")
    assert len(pseudonym) == 13
    for file in target.iterdir():
        assert DOCTOR.encode() not in file.read_bytes(), file.name
    other = tmp_path / "other.txt"
    other.write_text("another secret of sixteen\n", encoding="utf-8")
    assert departments_of(run, "A1", Wanted(doctors=other)).tables["doctors"]["doctor"][0] != pseudonym
    assert departments_of(run, "A1").tables["doctors"].is_empty()
    assert DOCTOR not in done("departments", run, "--hospital", "A1")


def test_one_department_and_set_quotas(run, tmp_path):
    quotas = tmp_path / "quotas.csv"
    quotas.write_text("dscg_caty,quota\nA03,2000.00\n", encoding="utf-8")
    found = departments_of(run, "A1", Wanted(quotas=quotas, department="A03"))
    [row] = found.tables["departments"].rows(named=True)
    # 10,500 is more than 4 x 2,000 and 8,500 above it.
    assert (row["dscg_caty"], row["quota_fen"], row["quota_source"]) == ("A03", 200_000, "set")
    assert (row["over_quota_fen"], row["above_quota_cases"]) == (850_000, 1)
    assert found.tables["watch"].select("list", "setl_id", "multiple_e4").rows() == [
        ("above_quota", "S01", 52_500)
    ]


def test_limits_of_the_lists_are_settings(run, tmp_path):
    assert (str(read_settings().watch.above_quota), read_settings().watch.below_yuan) == ("4", 3000)
    file = tmp_path / "settings.toml"
    file.write_text(
        '[watch]\nabove_quota = 1.1\nbelow_yuan = 6000\n[costs]\ndrugs = ["drug_fee"]\nconsumables = []\n',
        encoding="utf-8",
    )
    found = departments_of(run, "A1", Wanted(settings=file)).tables["watch"]
    assert found.select("list", "setl_id").rows() == [("above_quota", "S01"), ("below", "S03")]


@pytest.mark.parametrize(
    ("args", "text", "said"),
    [
        (
            ("--hospital", "A11"),
            "",
            "[REPORT_HOSPITAL_UNKNOWN] the run has no hospital with this code; nearest is 'A1'",
        ),
        (("--hospital", "C3"), "", "[REPORT_DEPARTMENT_EMPTY] no stay of this hospital is paid by points"),
        (
            ("--hospital", "A1", "--department", "A3"),
            "",
            "[REPORT_DEPARTMENT_UNKNOWN] the hospital has no paid stay in this department; nearest is 'A03'",
        ),
        (
            ("--hospital", "A1", "--quotas", "FILE"),
            "dscg_caty,quota\nA03,1\nA99,1\n",
            "[REPORT_DEPARTMENT_UNKNOWN] the hospital has no paid stay in this department",
        ),
        (
            ("--hospital", "A1", "--quotas", "FILE"),
            "dscg_caty,quota\nA03,0\n",
            "[REPORT_QUOTA] this is not a quota",
        ),
        (
            ("--hospital", "A1", "--quotas", "FILE"),
            "dscg_caty,quota\nA03,1\nA03,2\n",
            "[REGION_KEY] a department",
        ),
        (
            ("--hospital", "A1", "--settings", "FILE"),
            "[watch]\nabove_quotas = 4\nbelow_yuan = 1\n[costs]\ndrugs = []\nconsumables = []\n",
            "[REPORT_SETTINGS] this key is unknown; nearest is 'above_quota'",
        ),
        (("--hospital", "A1", "--doctors", "FILE"), "short", "[REPORT_DOCTOR_KEY] the key has 5 characters"),
        (("--hospital", "A1", "--doctors", "nowhere"), "", "[REPORT_DOCTOR_KEY] the key cannot be read"),
        (("--hospital", "A1", "-o", "x.pdf"), "", "[OUTPUT_"),
    ],
)
def test_refused_in_words(run, tmp_path, args, text, said):
    file = tmp_path / "given"
    file.write_text(text, encoding="utf-8")
    found = fenzhi("departments", run, *(file if one == "FILE" else one for one in args))
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(said)
    assert "to do: " in found.err


def test_a_changed_input_is_refused(tmp_path):
    folder = write_small(tmp_path / "small")
    done("run", folder, "--no-reports")
    with (folder / "hospitals.csv").open("a", encoding="utf-8") as file:
        file.write("D4,新医院,1,general\n")
    said = fenzhi("departments", runs_of(folder)[0], "--hospital", "A1")
    assert (said.code, said.err.split("]")[0]) == (2, "[RUN_STALE")
