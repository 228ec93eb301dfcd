"""The evidence behind an interruption: what witnesses said, why we say so, and a person's last word."""

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from support.console_browser import Browser

from analytics.kpi.database import InterruptionRow
from analytics.kpi.ledger import ledger_events
from analytics.kpi.service import KpiService
from analytics.kpi.testimony import Account, Relation, Said, Stretch, Witness
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import Role
from dashboards.console.site import Console
from dashboards.console.texts import local_time
from dashboards.console.views.evidence import read_evidence
from dashboards.console.views.evidence_find import Subject
from dashboards.console.views.evidence_judge import Word, judge
from dashboards.console.views.evidence_reasons import reasons
from dashboards.console.views.evidence_strips import Sentence, choose, draw, window_of
from dashboards.console.views.kpi import read_month
from dashboards.console.views.kpi_span import month_of, region_of
from dashboards.console.words import catalogue
from ingest.changes import Changes
from ingest.register import Plan, Register

SignIn = Callable[[Role], Browser]
MINUTE_MS = 60_000
UTC = ZoneInfo("UTC")
START_MS, END_MS = 600 * MINUTE_MS, 660 * MINUTE_MS
"""10:00 to 11:00."""
NO_REGISTER = Register({}, {}, {}, ())


def outage(*, error_min: int = 2) -> Subject:
    """Feeder f1 out from 10:00 to 11:00."""
    error_ms = error_min * MINUTE_MS
    row = InterruptionRow(
        "t1", START_MS, END_MS, error_ms, error_ms, False, "fault", "f1", 10, 0.95, "terminal", (("s/t1", 0),)
    )
    [event] = ledger_events([row])
    return Subject("f1.x", "interruption", "f1", START_MS, END_MS, error_ms, error_ms, event, None, ("t1",))


def told(device: str, relation: Relation, **facts: object) -> Account:
    """What a device said: silent over the hour, unless it is said otherwise."""
    silent = (Stretch(Said.ALIVE, 0, START_MS), Stretch(Said.SILENT, START_MS, END_MS))
    usual: dict[str, object] = {
        "poll_ms": MINUTE_MS, "stretches": silent, "alive_throughout": False, "alive_before_ms": None,
        "alive_after_ms": None, "without_supply_ms": None, "record": None, "failures_counted": None,
    }  # fmt: skip
    return Account(Witness(device, "f1", relation), **{**usual, **facts})  # type: ignore[arg-type]


def said(sentences: tuple[Sentence, ...]) -> list[tuple[str, Mapping[str, str]]]:
    return [(sentence.key.removeprefix("evidence.why."), sentence.values) for sentence in sentences]


def no_volts(device: str, t_ms: int) -> str:
    return ""


def test_the_last_word_of_life_and_the_next_one_bound_an_interruption() -> None:
    """A meter read 231 V at 09:59 and again at 11:01; its feeder's neighbour never stopped."""
    meter = told("s/t1", "below", alive_before_ms=599 * MINUTE_MS, alive_after_ms=661 * MINUTE_MS)
    other = told("s/f2", "beside", alive_throughout=True, stretches=(Stretch(Said.ALIVE, 0, END_MS),))
    found = reasons(outage(), [meter, other], [], UTC, lambda device, t_ms: "231.0 V")
    assert said(found.began) == [("last_alive_read", {"device": "s/t1", "at": "09:59:00", "read": "231.0 V"})]
    assert said(found.ended) == [("first_alive_read", {"device": "s/t1", "at": "11:01:00", "read": "231.0 V"})]
    assert said(found.not_network) == [("beside_alive", {"device": "s/f2"})]
    assert said(found.no_weight) == [("no_plan", {})]


def test_a_record_and_an_answer_without_supply_stand_before_silence() -> None:
    record = Stretch(Said.ON_RECORD, START_MS + 5000, END_MS - 5000)
    with_record = told("s/t1", "below", record=record, stretches=(record,), failures_counted=1)
    gateway = told(
        "s/gateway", "below", poll_ms=0, without_supply_ms=START_MS,
        stretches=(Stretch(Said.WITHOUT_SUPPLY, START_MS, END_MS),),
    )  # fmt: skip
    found = reasons(outage(), [with_record, gateway], [], UTC, no_volts)
    assert [key for key, _ in said(found.began)] == ["record_start", "mains_lost"]
    assert said(found.ended) == [("record_end", {"device": "s/t1", "at": "10:59:55"})]
    assert [key for key, _ in said(found.not_network)] == ["answered_without", "counted"]


def test_silence_from_long_before_counts_for_nothing() -> None:
    deaf = told("s/t2", "below", alive_before_ms=START_MS - 120 * MINUTE_MS)
    plan = Plan("f1", START_MS, END_MS, "planned", "N7", "poles")
    found = reasons(outage(), [deaf], [plan], UTC, no_volts)
    assert found.began == ()
    assert said(found.no_weight) == [
        ("silent_before", {"device": "s/t2", "at": "08:00:00"}),
        ("plan_elsewhere", {"asset": "f1", "notice": "N7"}),
    ]


def test_every_sentence_stands_in_the_catalogue() -> None:
    """Each key that the code can make, in both languages, with the same places to fill."""
    for key, words in catalogue().items():
        if key.startswith(("evidence.why.", "evidence.remark.")):
            fields = [set(re.findall(r"{(\w+)}", words[language])) for language in ("en", "zh")]
            assert fields[0] == fields[1], key


def test_the_window_shows_what_came_before_and_after() -> None:
    """An hour ± 2 min with 40 % more on each side."""
    window = window_of(outage())
    assert (window.end_ms - window.start_ms) / MINUTE_MS == pytest.approx(64 * 1.8)
    assert (window.at(window.start_ms), window.at(window.end_ms), window.at(0)) == (0.0, 100.0, 0.0)


def test_an_edge_is_never_drawn_beyond_a_word_of_life() -> None:
    """± 20 min, but a meter below was alive at 10:55 and 11:01: the end lies before 11:01."""
    meter = told("s/t1", "below", alive_before_ms=START_MS - MINUTE_MS, alive_after_ms=END_MS + MINUTE_MS)
    drawing = draw(outage(error_min=20), [meter], NO_REGISTER, [], UTC)
    start, end = drawing.edges
    window = drawing.window
    assert start.left_pct == window.at(START_MS - MINUTE_MS)
    assert end.left_pct + end.width_pct == pytest.approx(window.at(END_MS + MINUTE_MS), abs=0.01)


def test_the_witnesses_that_the_inference_names_come_first() -> None:
    many = [told(f"s/t{n}", "below") for n in range(9)]
    chosen = choose([*many, told("s/f1", "here")], outage())
    assert [one.witness.device for one in chosen][:2] == ["s/f1", "s/t1"]
    assert len(chosen) == 5


def events_of(console: Console) -> list[str]:
    """Addresses of the month's closed interruptions."""
    month = month_of("", console.now_ms(), console.centre.timezone)
    page = read_month(console, region_of("1501", console.register), month, "mv")
    return [row.id for row in page.events if not row.is_open]


def test_each_interruption_has_its_evidence(console: Console) -> None:
    for address in events_of(console):
        found = read_evidence(console, address)
        assert found.kind == "interruption"
        assert found.drawing.strips
        assert found.reasons.ended or found.is_open
        keys = [s.key for g in (found.reasons.began, found.reasons.ended, found.reasons.no_weight) for s in g]
        assert set(keys) <= set(catalogue())


def test_the_sentences_name_places_and_not_devices(console: Console, client: SignIn) -> None:
    address = next(one for one in events_of(console) if one.startswith("f1."))
    found = read_evidence(console, address)
    assert found.names["qingshui-substation/feeder1"].name_zh == "那日图嘎查10千伏1线"
    assert found.names["feeder-1/gateway"].name_zh == "那日图嘎查10千伏1线网关"
    page = client("viewer").get(f"/evidence/{address}?lang=zh").text
    assert "那日图嘎查10千伏1线1号台区 自身记录" in page


def test_a_page_of_evidence_leads_to_the_interruptions_before_and_after_it(console: Console, client: SignIn) -> None:
    ids = sorted(events_of(console), key=lambda one: one.rpartition(".")[2])
    found = read_evidence(console, ids[1])
    assert found.before is not None
    assert found.after is not None
    assert (found.before.id, found.after.id) == (ids[0], ids[2])
    assert found.before.start_ms < found.start_ms < found.after.start_ms
    assert ids[0] not in re.sub('href="[^"]*"', "", client("viewer").get(f"/evidence/{ids[1]}").text)
    assert read_evidence(console, ids[0]).before is None


@pytest.mark.parametrize(
    "address",
    ["f1", "f1.2026", "f1.20261399", "nobody.20260518-0610", "f1.20200101-0130", "../etc/passwd", "f1.20260518-9999"],
)
def test_an_address_of_nothing_is_not_found(console: Console, client: SignIn, address: str) -> None:
    with pytest.raises(NotFound):
        read_evidence(console, address)
    assert client("viewer").get(f"/evidence/{quote(address, safe='')}").status_code == 404


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_tells_it_in_both_languages(console: Console, client: SignIn, language: str) -> None:
    page = client("operator").get(f"/evidence/{events_of(console)[0]}?lang={language}")
    assert page.status_code == 200
    assert ("Who saw what" if language == "en" else "各方观测") in page.text
    assert "evidence.why" not in page.text
    client("operator").get("/kpi?lang=en")


def roll_up(console: Console) -> None:
    """What the KPI service does at its next round."""
    with closing(Changes(console.data_dir / "changes.db")) as changes:
        KpiService(console.store(), changes, console.kpi, console.register, console.centre.timezone).step(
            console.now_ms()
        )


def test_a_decision_needs_a_reason_a_role_and_what_was_last_said(console: Console, client: SignIn) -> None:
    address = events_of(console)[0]
    path = f"/evidence/{address}"
    assert client("viewer").post(path, verdict="confirm", why="seen", seen=0).status_code == 403
    assert client("crew").post(path, verdict="confirm", why="seen", seen=0).status_code == 403
    operator = client("operator")
    for fields in (
        {"verdict": "confirm", "why": "  ", "seen": 0},
        {"verdict": "maybe", "why": "seen", "seen": 0},
        {"verdict": "confirm", "why": "seen", "seen": 3},
        {"verdict": "correct", "why": "seen", "seen": 0, "start": "yesterday", "end": "today"},
        {"verdict": "correct", "why": "seen", "seen": 0, "start": "2026-05-18 10:00", "end": "2026-05-18 09:00"},
        {"verdict": "correct", "why": "seen", "seen": 0, "start": "2026-05-18 10:00", "end": "2099-05-18 09:00"},
        {"verdict": "correct", "why": "seen", "seen": 0, "start": "0001-01-01 00:00", "end": "2026-05-18 09:00"},
    ):
        assert operator.post(path, **fields).status_code == 400, fields
    assert console.kpi.judgements() == []


def test_a_rejection_takes_the_interruption_out_at_the_next_roll_up_and_stands_in_the_audit(
    console: Console, client: SignIn
) -> None:
    """The number changes, the page says who did it and why, and the same address still leads there."""
    month = month_of("", console.now_ms(), console.centre.timezone)
    region = region_of("1501", console.register)
    before = read_month(console, region, month, "lv")
    closed = [row for row in before.events if not row.is_open]
    row = max(closed, key=lambda one: one.hours.point)
    operator = client("operator")
    answer = operator.post(f"/evidence/{row.id}", verdict="reject", why="lights were on", seen=0)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/evidence/{row.id}?kept=1")
    assert read_evidence(console, row.id).counted == 0
    assert operator.post(f"/evidence/{row.id}", verdict="reject", why="again", seen=0).status_code == 400
    roll_up(console)
    after = read_month(console, region, month, "lv")
    assert after.supply.high_pct is not None
    assert before.supply.high_pct is not None
    assert after.supply.high_pct > before.supply.high_pct
    assert row.id in [gone.id for gone in after.rejected]
    found = read_evidence(console, row.id)
    assert (found.kind, found.counted, found.judgements[0].why) == ("rejected", 1, "lights were on")
    assert found.changes
    page = operator.get(f"/evidence/{row.id}").text
    assert "lights were on" in page
    deed = console.database.deeds()[0]
    assert (deed.who, deed.act, deed.subject, deed.why) == ("operator", "reject interruption", row.id, "lights were on")


def test_a_correction_moves_the_interruption_and_its_old_address_follows(console: Console) -> None:
    address = events_of(console)[0]
    was = read_evidence(console, address)
    start_ms = was.start_ms - 5 * MINUTE_MS
    zone = console.zone
    word = Word(
        "correct", "switch log", local_time(start_ms, zone, "second"), local_time(was.end_ms, zone, "second"), 0
    )
    kept = judge(console, address, "operator", word)
    assert abs(kept.start_ms - start_ms) < 1000
    roll_up(console)
    moved = read_evidence(console, address)
    assert (moved.kind, moved.evidence) == ("interruption", "person")
    assert abs(moved.start_ms - start_ms) <= 2000


def test_the_api_takes_a_decision_with_the_scope_of_a_judge(console: Console, client: SignIn) -> None:
    address = events_of(console)[-1]
    body = {"verdict": "confirm", "why": "by the log", "seen": 0}
    operator, viewer = client("operator"), client("viewer")
    secret = {"x-csrf-token": operator.csrf()}
    assert (
        viewer.http.post(f"/api/v1/evidence/{address}", json=body, headers={"x-csrf-token": viewer.csrf()}).status_code
        == 403
    )
    assert operator.http.post(f"/api/v1/evidence/{address}", json=body).status_code == 403
    answer = operator.http.post(f"/api/v1/evidence/{address}", json=body, headers=secret)
    assert (answer.status_code, answer.json()["who"]) == (201, "operator")
    assert viewer.get(f"/api/v1/evidence/{address}").json()["judgements"][0]["why"] == "by the log"
    assert operator.http.post(f"/api/v1/evidence/{address}", json=body, headers=secret).status_code == 400


def test_a_word_of_nobody_is_refused(console: Console) -> None:
    with pytest.raises(Unusable):
        judge(console, events_of(console)[0], "operator", Word("confirm", "x" * 501, "", "", 0))


def test_a_person_settles_a_time_that_nobody_knew_and_its_address_stays(console: Console, client: SignIn) -> None:
    """What was unknown is supplied by the operator's word: more of the month is known, and the page stays."""
    month, region = month_of("", console.now_ms(), console.centre.timezone), region_of("1501", console.register)
    before = read_month(console, region, month, "lv")
    address = next(row.id for row in before.questions if read_evidence(console, row.id).kind == "unknown")
    assert (
        client("operator").post(f"/evidence/{address}", verdict="reject", why="crew was there", seen=0).status_code
        == 303
    )
    assert read_evidence(console, address).judgements[0].why == "crew was there"
    roll_up(console)
    after = read_month(console, region, month, "lv")
    assert after.share.unknown_h < before.share.unknown_h
    assert client("operator").get(f"/evidence/{address}").status_code == 200
