"""The page of reports: operators make them, everyone reads them, and nothing in one can run."""

import re
import threading
import time

import pytest

from dashboards.console.errors import Unusable
from dashboards.console.views.reports import period_choices
from dashboards.console.views.reports_jobs import ReportJob, ReportJobs
from edge.errors import BadInput

DEADLINE_S = 60.0


def ended(jobs: ReportJobs, word: str) -> ReportJob:
    until_s = time.monotonic() + DEADLINE_S
    while (job := jobs.get(word)) is not None and job.is_running:
        assert time.monotonic() < until_s, "the report never came"
        time.sleep(0)
    assert job is not None
    return job


@pytest.fixture(scope="module")
def report_id(console, client) -> str:
    """A report of the banner that an operator had made on the page."""
    region = next(one.code for one in console.register.regions.values() if one.level == "banner")
    period = period_choices(console.now_ms(), console.centre.timezone)[0]
    made = client("operator").post("/reports", region=region, period=period)
    assert made.status_code == 303
    job = ended(console.reports, made.headers["location"].split("job=")[1])
    assert job.trouble == ""
    return job.report_id


def test_a_report_is_listed_opened_and_saved(client, report_id):
    page = client("viewer").get("/reports")
    assert page.status_code == 200
    paths = re.findall(rf'href="(/reports/{re.escape(report_id)}/[^"]+)"', page.text)
    assert len(paths) == 4
    kinds = {client("viewer").get(path).headers["content-type"].split(";")[0] for path in paths}
    assert kinds == {"text/html", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def test_the_list_renews_itself_when_a_report_is_whole(client, report_id):
    assert report_id in client("viewer").get("/reports/kept").text


def test_a_report_that_is_opened_can_run_and_load_nothing(client, report_id):
    policy = client("viewer").get(f"/reports/{report_id}/report.en.html").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


def test_the_figures_of_the_api_are_those_of_the_console(console, client, report_id):
    told = client("viewer").get(f"/api/v1/reports/{report_id}").json()
    span = told["period"]["from_day"], told["until_day"]
    voltage = console.published().voltage(told["region"]["code"], *span)
    assert told["voltage"]["composite"]["coverage"] == pytest.approx(voltage.coverage_pct, rel=0, abs=0)
    assert [one["id"] for one in client("viewer").get("/api/v1/reports").json()] == [report_id]


def test_only_operators_make_reports(client):
    assert client("viewer").post("/reports", region="1501", period="2025Q1").status_code == 403
    assert client("crew").post("/reports", region="1501", period="2025Q1").status_code == 403
    assert '<select id="region"' not in client("viewer").get("/reports").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"region": "nowhere", "period": "2025Q1"}, 404),
        ({"region": "", "period": "2025Q1"}, 400),
        ({"region": "1501", "period": "soon"}, 400),
    ],
)
def test_what_makes_no_sense_is_answered_and_not_made(console, client, fields, status):
    banner = next(one.code for one in console.register.regions.values() if one.level == "banner")
    asked = {**fields, "region": banner if fields["region"] == "1501" else fields["region"]}
    assert client("operator").post("/reports", **asked).status_code == status


@pytest.mark.parametrize("path", ["/reports/none/report.zh.html", "/reports/..%2f..%2fdata/report.zh.html"])
def test_a_report_that_is_not_kept_is_not_found(client, path):
    assert client("viewer").get(path).status_code == 404


def test_a_language_or_form_that_is_none_is_refused(client, report_id):
    for name in ("report.fr.html", "report.zh.pdf"):
        assert client("viewer").get(f"/reports/{report_id}/{name}").status_code in (400, 404, 422)


def test_a_future_period_is_said_on_the_page(console, client):
    banner = next(one.code for one in console.register.regions.values() if one.level == "banner")
    made = client("operator").post("/reports", region=banner, period="2099")
    word = made.headers["location"].split("job=")[1]
    assert "in the future" in ended(console.reports, word).trouble
    assert "in the future" in client("operator").get(f"/reports/progress/{word}").text


def test_one_report_is_made_at_a_time_and_trouble_ends_it():
    jobs, go = ReportJobs(), threading.Event()

    def make(told):
        told("readings", 3, 10)
        go.wait(DEADLINE_S)
        raise BadInput("the store is away")

    word = jobs.start(make)
    until_s = time.monotonic() + DEADLINE_S
    while jobs.get(word) != ReportJob(3, 10):
        assert time.monotonic() < until_s
        time.sleep(0)
    with pytest.raises(Unusable):
        jobs.start(make)
    go.set()
    assert ended(jobs, word) == ReportJob(trouble="the store is away", is_running=False)
    assert jobs.get("unknown") is None


def test_the_last_quarters_months_and_years_are_offered():
    offered = period_choices(1_743_642_000_000, "Asia/Shanghai")
    assert offered[:2] == ("2025Q2", "2025Q1")
    assert ("2025-04" in offered, "2024-05" in offered, offered[-2:]) == (True, True, ("2025", "2024"))
