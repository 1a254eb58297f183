"""The served page of the small region of tests/cli: what is shown to whom, and what the answers say."""

from __future__ import annotations

import csv
import io
import re
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import polars as pl
import pytest

from cli.calls import done, runs_of
from cli.small import write_small
from fenzhi.errors import InputError, OutputError
from fenzhi.money import format_e4, format_fen
from fenzhi.server import serve
from fenzhi.server.year import Once, last_run
from fenzhi.simulation import load_simulation, scenario_of
from fenzhi.simulation.forecast_write import forecast_region
from server.asking import User, served


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = write_small(tmp_path_factory.mktemp("serve") / "small")
    done("run", made, "--no-reports")
    return made


@pytest.fixture(scope="module")
def region(folder):
    """The page of everybody."""
    with served(folder) as page:
        yield page


@pytest.fixture(scope="module")
def own(folder):
    """The page of the hospital A1."""
    with served(folder, hospital="A1") as page:
        yield page


def ids(folder, *hospitals):
    cases = pl.read_parquet(runs_of(folder)[0] / "cases.parquet")
    return cases.filter(pl.col("fixmedins_code").is_in(hospitals))["setl_id"].to_list()


def test_only_this_machine_is_listened_to(region):
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/\?token=[\w-]{43}", region.address)
    assert region.socket.getsockname()[0] == "127.0.0.1"


def test_nobody_comes_in_without_the_token(region):
    stranger = User(region, enter=False)
    for path in ("/", "/scenario", "/static/serve.js", "/whole/cases.csv?hospital=A1", "/?token=x"):
        got = stranger.get(path)
        assert got.status == 403
        assert "A1" not in got.text
    assert stranger.get("/answer/scenario", b"{}").status == 403
    assert stranger.get("/", Host="evil.example").status == 421


def test_the_overview_of_the_region_and_of_a_hospital(region):
    user = User(region)
    whole, one = user.get("/"), user.get("/?hospital=A1")
    assert whole.status == one.status == 200
    assert "小区域" in whole.text
    assert 'id="hospitals"' in whole.text
    assert 'id="hospitals"' not in one.text
    assert 'id="months"' in one.text
    # No script, style or picture of a page may come from anywhere else, and none stands in it.
    for page in (whole.text, one.text):
        assert "<style" not in page
        assert " style=" not in page
        assert not re.findall(r'(?:src|href)="(?!/|#|\?)', page.replace('xlink:href="#', ""))


def test_parts_about_one_hospital_ask_for_one(region):
    user = User(region)
    for part in ("scenario", "departments", "case"):
        assert "请先在上方选择一家机构" in user.get(f"/{part}").text
    assert user.get("/take/departments/departments.csv").status == 404
    assert user.get("/nothing").status == 404
    assert user.get("/take/nothing/x.csv").status == 404
    assert user.get("/static/../app.py").status == 404


def test_every_link_to_take_something_away_works(region):
    user = User(region)
    page = user.get("/export?hospital=B2").text
    links = re.findall(r'href="((?:/take|/whole)/[^"]+)"', page)
    assert len(links) > 15
    for link in links:
        got = user.get(link.replace("&amp;", "&"))
        assert got.status == 200, link
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.body
    assert user.get("/take/overview/months.png?hospital=B2").status == 400
    assert user.get("/whole/other.csv?hospital=B2").status == 400


def test_a_table_as_csv_is_the_table_of_the_run(region, folder):
    got = User(region).get("/take/overview/months.csv?hospital=A1")
    rows = list(csv.reader(io.StringIO(got.body.decode("utf-8-sig"))))
    months = pl.read_parquet(runs_of(folder)[0] / "months.parquet").filter(pl.col("fixmedins_code") == "A1")
    booked = (
        rows[0].index("基金记账金额(元)") if "基金记账金额(元)" in rows[0] else rows[0].index("基金记账金额")
    )
    assert round(float(rows[-1][booked]) * 100) == months["booked_fen"].sum()


class TestOneHospital:
    """A page for one hospital shows nothing of the stays of others."""

    def test_no_other_hospital_can_be_chosen(self, own):
        user = User(own)
        page = user.get("/").text
        assert "<select" not in page
        for path in ("/?hospital=B2", "/departments?hospital=B2", "/whole/cases.csv?hospital=B2"):
            got = user.get(path)
            assert got.status == 400
            assert "SERVE_HOSPITAL" in got.text
        # Unknown and foreign are answered alike.
        texts = {user.get(f"/?hospital={code}").text.replace(code, "X") for code in ("B2", "Q9")}
        assert len(texts) == 1
        assert user.ask("scenario", hospital="B2", volume="5")["error"] == "SERVE_HOSPITAL"

    def test_nothing_of_others_is_in_any_file(self, own, folder):
        user = User(own)
        page = user.get("/export").text
        others = set(ids(folder, "B2")) - set(ids(folder, "A1"))
        assert len(others) > 3
        assert set(ids(folder, "A1"))
        for link in re.findall(r'href="((?:/take|/whole)/[^"]+(?:csv|html|svg))"', page):
            text = user.get(link).text
            assert not [one for one in others if re.search(rf"\b{one}\b", text)], link
        cases = user.get("/whole/cases.csv").body.decode("utf-8-sig")
        assert {row["setl_id"] for row in csv.DictReader(io.StringIO(cases))} == set(ids(folder, "A1"))

    @pytest.mark.parametrize(
        "toml",
        [
            'hospital = "B2"',
            '[[volume]]\nhospital = "B2"\nstays = -1000',
            '[[coefficient]]\nhospital = "B2"\nvalue = 1',
            '[[coding]]\nsetl_ids = ["{other}"]\ndrop = ["K35.800"]',
            '[[review]]\nsetl_id = "{other}"\noutcome = "refused"',
        ],
    )
    def test_a_scenario_names_no_other(self, own, folder, toml):
        other = next(one for one in ids(folder, "B2") if one not in ids(folder, "A1"))
        said = User(own).ask("scenario", toml=toml.replace("{other}", other))
        assert said["error"] == "SERVE_HOSPITAL"
        assert "others.growth" in said["html"]


class TestScenario:
    def test_the_answer_is_that_of_the_simulation(self, region, folder):
        said = User(region).ask("scenario", hospital="B2", volume="50", others="-20")
        data = {"hospital": "B2", "volume": [{"growth": "0.5"}], "others": {"growth": "-0.2"}}
        outcome = load_simulation(folder).run(scenario_of(data))
        sums = outcome.own.select(pl.col("before_fen", "after_fen", "difference_fen").sum()).row(
            0, named=True
        )
        assert {name: said[name] for name in sums} == sums
        assert sums["difference_fen"] != 0
        assert scenario_of(tomllib.loads(said["toml"])).model_dump() == scenario_of(data).model_dump()
        assert "<svg" in said["html"]
        assert 'id="causes"' in said["html"]

    def test_nothing_moved_changes_nothing(self, region):
        said = User(region).ask("scenario", hospital="B2", group="", department="")
        assert said["difference_fen"] == 0
        assert tomllib.loads(said["toml"]) == {"hospital": "B2"}

    def test_every_slider_is_a_part_of_the_scenario(self, region):
        page = User(region).get("/scenario?hospital=B2").text
        sliders = re.findall(r'type="range" name="([^"]+)"', page)
        assert {"volume", "cost", "los_days", "mix", "to_share", "coefficient", "others"} <= set(sliders)
        assert "budget:employee" in sliders
        group = re.search(r'<select name="group">.*?<option value="(\w[^"]*)"', page, re.S)[1]
        choices = {"group": group, "to_group": group, "to_hospital": "A1"}
        found = {}
        for name in sliders:
            said = User(region).ask("scenario", hospital="B2", **choices, **{name: "1"})
            found[name] = said.get("toml") or said["error"]
        # A group cannot give way to itself: the engine's own words.
        assert found.pop("mix") == "SCENARIO_SENSE"
        parts = {name: set(tomllib.loads(text)) - {"hospital"} for name, text in found.items()}
        assert parts["volume"] == {"volume"}
        assert parts["cost"] == parts["los_days"] == {"cost"}
        assert parts["to_share"] == {"move"}
        assert parts["others"] == {"others"}
        assert parts["coefficient"] == {"coefficient"}
        assert parts["budget:employee"] == {"budget"}
        assert all(len(one) == 1 for one in parts.values())

    @pytest.mark.parametrize(
        ("asked", "code", "words"),
        [
            ({"mix": "5"}, "SERVE_CHOICE", "choose group"),
            ({"volume": "many"}, "SERVE_ASK", "no number"),
            ({"toml": "volume ="}, "SCENARIO_SYNTAX", "no TOML"),
            ({"toml": "[[volume]]\ngrowht = 0.1"}, "SCENARIO_VALUE", "growth"),
            ({"volume": "5", "group": "none"}, "SCENARIO_SENSE", "none"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_words(self, region, asked, code, words):
        said = User(region).ask("scenario", hospital="B2", **asked)
        assert said["error"] == code
        assert words in said["html"]
        assert "Traceback" not in said["html"]

    def test_a_question_that_is_none(self, region):
        user = User(region)
        for body in (b"", b"[]", b"{", b"\xff"):
            assert user.get("/answer/scenario", body).json["error"] == "SERVE_ASK"
        assert user.ask("scenario", volume="5")["error"] == "SERVE_ASK"
        assert user.get("/answer/nothing", b"{}").status == 404

    def test_what_is_taken_away_of_an_answer_is_the_answer(self, region):
        user = User(region)
        form = re.findall(
            r'action="(/take/[^"]+)"><input[^>]*value="([^"]*)"',
            user.ask("scenario", hospital="B2", volume="50")["html"],
        )
        assert {path.rsplit(".")[-1] for path, _ in form} == {"csv", "xlsx", "svg", "png"}
        from html import unescape
        from urllib.parse import urlencode

        for path, ask in form:
            got = user.get(path, urlencode({"ask": unescape(ask)}).encode())
            assert got.status == 200, path
        path, ask = next(one for one in form if "causes.csv" in one[0])
        rows = csv.reader(io.StringIO(user.get(path, urlencode({"ask": unescape(ask)}).encode()).text[1:]))
        last = list(rows)[-1]
        assert (
            round(float(last[-1]) * 100) == user.ask("scenario", hospital="B2", volume="50")["difference_fen"]
        )

    def test_users_at_once_have_their_own_answers(self, region):
        users = [User(region) for _ in range(2)]
        asked = [{"hospital": code, "volume": str(n)} for code in ("A1", "B2") for n in (-40, -20, 20, 50)]
        alone = [users[0].ask("scenario", **one)["after_fen"] for one in asked]
        assert len(set(alone)) > 4
        with ThreadPoolExecutor(8) as pool:
            for _ in range(2):
                at_once = pool.map(lambda n: users[n % 2].ask("scenario", **asked[n])["after_fen"], range(8))
                assert list(at_once) == alone


class TestCase:
    """What `fenzhi case` answers, of stays of the chosen hospital only."""

    def test_a_stay_of_the_hospital_has_the_points_of_the_run(self, region, folder):
        cases = pl.read_parquet(runs_of(folder)[0] / "cases.parquet")
        row = cases.filter(pl.col("fixmedins_code") == "B2", pl.col("outcome") == "grouped").row(
            0, named=True
        )
        said = User(region).ask("case", hospital="B2", setl_id=row["setl_id"])
        assert row["group_id"] in said["html"]
        assert format_e4(row["points_e4"]) in said["html"]
        assert format_fen(row["standard_fen"]) in said["html"]
        assert 'id="candidates"' in said["html"]

    def test_a_stay_of_another_hospital_is_as_unknown_as_none(self, region, own, folder):
        other = next(one for one in ids(folder, "B2") if one not in ids(folder, "A1"))
        texts = set()
        for user, code in ((User(region), "A1"), (User(own), "A1")):
            for setl_id in (other, "nothing"):
                said = user.ask("case", hospital=code, setl_id=setl_id)
                assert said["error"] == "SERVE_CASE"
                texts.add(said["html"].replace(setl_id, "X"))
        assert len(texts) == 1

    def test_a_record_typed_in(self, own):
        typed = {"diag": "K35.800", "sex": "1", "age": "50", "days": "6", "cost": "9000.00"}
        said = User(own).ask("case", **typed)
        assert "error" not in said
        assert "9,000.00" in said["html"]
        assert "不寻找支付更高的编码" in User(own).get("/case").text
        refused = User(own).ask("case", **typed | {"cost": "nine"})
        assert refused["error"] == "CASE_RECORD"


class TestForecast:
    def test_the_answer_is_that_of_the_forecast(self, region, folder):
        user = User(region)
        days = re.findall(r"<option>([0-9-]+)</option>", user.get("/forecast?hospital=B2").text)
        assert days
        day = date.fromisoformat(days[0])
        said = user.ask("forecast", hospital="B2", as_of=days[0])
        made = forecast_region(folder, day, hospital="B2")
        row = made.tables["accounts"].row(
            by_predicate=pl.col("pool").is_null() & (pl.col("measure") == "final_fen"), named=True
        )
        for end in ("expected", "low", "high"):
            assert format_fen(row[end]) in said["html"]
        assert "error" not in user.ask("forecast", as_of=days[0])

    @pytest.mark.parametrize("day", ["2027-12-31", "2026-05-31", "today", None])
    def test_a_day_that_makes_no_sense(self, region, day):
        assert User(region).ask("forecast", as_of=day)["error"] in ("FORECAST_INPUT", "SERVE_ASK")


class TestDepartments:
    def test_the_sums_are_those_of_the_run(self, own, folder):
        got = User(own).get("/take/departments/departments.csv").body.decode("utf-8-sig")
        *_, last = csv.reader(io.StringIO(got))
        hospitals = pl.read_parquet(runs_of(folder)[0] / "hospitals.parquet")
        mine = hospitals.filter(pl.col("fixmedins_code") == "A1")
        heads = got.split("\r\n")[0].split(",")
        assert int(last[heads.index("病例数")]) == mine["cases"].sum()
        assert round(float(last[heads.index("付费口径费用")]) * 100) == mine["cost_fen"].sum()


def test_the_folder_of_a_hospital_alone(folder, tmp_path):
    alone = tmp_path / "alone"
    load_simulation(folder).write_hospital("B2", alone)
    done("run", alone, "--no-reports")
    with served(alone) as page:
        user = User(page)
        sliders = re.findall(r'type="range" name="([^"]+)"', user.get("/scenario").text)
        assert {"elasticity", "value:employee", "value:resident"} <= set(sliders)
        assert not {name for name in sliders if name.startswith(("others", "budget", "to_"))}
        said = user.ask("scenario", **{"volume": "50", "elasticity": "-0.5", "value:employee": "9.5"})
    data = {
        "hospital": "B2",
        "volume": [{"growth": "0.5"}],
        "point_value": {"elasticity": "-0.5", "values": {"employee": "9.5"}},
    }
    outcome = load_simulation(alone).run(scenario_of(data))
    assert said["after_fen"] == outcome.own["after_fen"].sum() != said["before_fen"]


def test_english(folder):
    with served(folder, lang="en", hospital="A1") as page:
        user = User(page)
        for path in ("/", "/forecast", "/scenario", "/departments", "/case", "/export"):
            text = user.get(path).text
            assert '<html lang="en">' in text
            assert not re.findall("总览|情景|科室|导出", text)


def test_a_folder_that_changed_since_the_run_answers_no_scenario(folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("simulation"))
    budget = copy / "budget.toml"
    budget.write_text(budget.read_text("utf-8").replace('"20000.00"', '"20001.00"'), encoding="utf-8")
    with served(copy, hospital="A1") as page:
        said = User(page).ask("scenario", volume="5")
    assert said["error"] == "RUN_STALE"


class TestNoPage:
    def test_without_a_run(self, tmp_path):
        with pytest.raises(InputError) as refused:
            last_run(write_small(tmp_path / "small"))
        assert refused.value.code == "SERVE_NO_RUN"
        assert "fenzhi run" in refused.value.remedy

    def test_an_unknown_hospital(self, folder):
        with pytest.raises(InputError) as refused:
            serve(folder, hospital="Q9")
        assert refused.value.code == "SERVE_HOSPITAL"

    def test_a_port_in_use(self, folder, region):
        with pytest.raises(OutputError) as refused:
            serve(folder, port=region.socket.getsockname()[1])
        assert refused.value.code == "SERVE_PORT"


def test_what_is_made_once_is_made_once():
    once, made, both = Once(), [], threading.Barrier(2)

    def make():
        made.append(1)
        return len(made)

    def get():
        both.wait()
        return once.get("key", make)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: get(), range(2))) == [1, 1]
    assert once.get("other", lambda: 7) == 7


def test_an_error_is_not_kept():
    once = Once()
    with pytest.raises(InputError):
        once.get("key", lambda: (_ for _ in ()).throw(InputError("no")))
    assert once.get("key", lambda: 3) == 3
