"""CHS-DRG 1.1 as tables: imported, checked, written and read again; nothing of it lies in the project."""

import gzip
from pathlib import Path

import pytest

from fenzhi.catalogs.drg import (
    DrgCatalog,
    check_drg_catalog,
    describe,
    import_tables,
    load_drg_catalog,
    save_drg_catalog,
)


@pytest.fixture(scope="module")
def version(reference_data: Path) -> DrgCatalog:
    return import_tables(reference_data / "chs_drg_11")


def test_sizes_are_those_published(version: DrgCatalog, reference_data: Path) -> None:
    summary = describe(version)
    sizes = {
        **{"chapters": 26, "adrgs": 376, "drgs": 628, "mcc": 4678, "cc": 16568, "exclusion_tables": 223},
        **{"exclusion_diagnoses": 28302, "valid_procedures": 10251, "adrg_alternatives": 0},
    }
    assert {name: summary.sizes[name] for name in sizes} == sizes
    kinds = summary.chapters.select("surgical", "procedure", "medical").sum().row(0)
    assert kinds == (166, 24, 186)
    assert summary.switches["ambiguous"] is False
    assert summary.chapters["mdc"].str.slice(3).str.join("").item() == "APYZMNBCDEFGHIJKLOQRSTUVWX"


def test_the_report_finds_what_is_known_of_it(version: DrgCatalog, reference_data: Path) -> None:
    found = check_drg_catalog(version)
    assert not [one for one in found if one.severity == "error"]
    # Diagnoses of a chapter that no medical ADRG takes, by chapter.
    gaps = {
        one.message[:4]: int(one.message.partition("takes ")[2].partition(":")[0].partition(",")[0])
        for one in found
        if one.code == "CATALOG_GAP"
    }
    assert gaps == {
        **{"MDCM": 5, "MDCN": 10, "MDCB": 2, "MDCD": 5, "MDCF": 17, "MDCG": 27},
        **{"MDCJ": 1, "MDCL": 27, "MDCO": 29, "MDCR": 26, "MDCW": 5},
    }
    dead = [one.message for one in found if one.code == "CATALOG_DEAD_CODE"]
    assert any(text.startswith("MDCW: principal diagnoses") and " 121, for example" in text for text in dead)
    (twice,) = [one for one in found if one.code == "CATALOG_CODE_TWICE"]
    assert (twice.severity, twice.file) == ("note", str(reference_data / "chs_drg_11" / "code_list.csv"))
    assert "in 104 lists" in twice.message
    assert {one.code for one in found} == {
        *(
            "CATALOG_GAP",
            "CATALOG_DEAD_CODE",
            "CATALOG_CODE_TWICE",
            "CATALOG_EXCLUSION_EMPTY",
            "CATALOG_MAP_CYCLE",
        ),
    }


def test_packed_it_is_the_same_and_saved_it_loads_quickly(
    version: DrgCatalog, reference_data: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    for file in (reference_data / "chs_drg_11").glob("*.csv"):
        (packed / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), compresslevel=1))
    assert import_tables(packed) == version
    save_drg_catalog(version, tmp_path / "saved")
    assert load_drg_catalog(tmp_path / "saved") == version


def test_the_weights_of_a_city_fit(version: DrgCatalog, reference_data: Path, tmp_path: Path) -> None:
    for file in (reference_data / "chs_drg_11").glob("*.csv"):
        (tmp_path / file.name).symlink_to(file)
    weights = (reference_data / "chs_drg11_weights_city_unknown.csv").read_bytes()
    (tmp_path / "weights.csv").write_bytes(weights)
    catalog = import_tables(tmp_path)
    assert catalog.tables["weights"].height == 638
    found = {one.code: one.message for one in check_drg_catalog(catalog)}
    assert found["CATALOG_NO_WEIGHT"].startswith("groups without weight: 11, for example AA19")
    assert found["CATALOG_WEIGHT_GROUP"].startswith("weights for stays without a group are not used: 21, ")
