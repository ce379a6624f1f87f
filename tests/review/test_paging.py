"""Long lists: a page costs the same number of statements whatever the size, finds its rows by indexes, and goes on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import review
from pipeline.review.paging import PAGE, Page
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Meeting, Person
from tests.benchmarks import scale
from tests.review.conftest import Browser, Room, created
from tests.tapes.conftest import FakeClock

MOST = 12
"""Statements of a page, with those that write the audit."""


def test_a_page_has_fifty_rows_and_knows_whether_others_come_before_and_behind() -> None:
    full = Page(list(range(PAGE + 1)), "")
    assert (full.rows, full.more, full.is_first) == (list(range(50)), True, True)
    last = Page(list(range(PAGE)), "0123456789abcdef")
    assert (len(last.rows), last.more, last.is_first) == (50, False, False)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Room]]:
    """One group with few tapes, and one with many."""
    made = {}
    for tapes in (5, 120):
        clock = FakeClock()
        home = scale.Home.create(scale.home_settings(tmp_path_factory.mktemp("scale"), ""))
        scale.fill(home, 1, tapes, clock())
        with home.database.writing() as session:
            for number in range(tapes if tapes > PAGE else 0):
                email = f"extra{number}@example.org"
                session.add(Person(name=f"Peer {number % 7}", email=email, created_at=clock()))
                session.add(Meeting(group_id="g0", at=number // 2, ended_at=number))
        room = Room.__new__(Room)
        room.home, room.clock, room.app = home, clock, created(home, clock)
        made[tapes] = room
    yield made
    for room in made.values():
        room.home.close()


def statements(room: Room, browser: Browser, path: str) -> list[str]:
    with scale.metered(room.home) as meter:
        assert browser.get(path).status_code == 200
    return meter.statements


@pytest.mark.parametrize(
    ("person", "path"),
    [
        *((person, "/") for person in ("g0p0", "g0p1", "g0p8", "admin")),
        *(("g0p1", "/meetings"), ("admin", "/people")),
    ],
)
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(
    rooms: dict[int, Room], person: str, path: str
) -> None:
    asked = {}
    for tapes, room in rooms.items():
        browser = room.signed_in(person)
        browser.get("/account")
        asked[tapes] = statements(room, browser, path)
    assert len(asked[5]) == len(asked[120]) <= MOST, asked


def test_page_after_page_shows_each_of_a_member_s_tapes_once(rooms: dict[int, Room]) -> None:
    room = rooms[120]
    browser, path, shown = room.signed_in("g0p1"), "/", []
    assert "The newest tapes" not in browser.get(path).text
    while path:
        page = browser.get(path).text
        shown += [*dict.fromkeys(re.findall(r'<h3><a href="/tapes/(\w{16})', page))]
        more = re.search(r'href="(/\?after=\w{16})">Earlier tapes', page)
        path = more[1] if more else ""
    assert "The newest tapes" in page
    assert len(shown) == len(set(shown)) == 120


@pytest.mark.parametrize(
    ("person", "path", "row", "count"),
    [
        ("admin", "/people", r'action="/people/(\w+)/disable"', 129),
        ("g0p1", "/meetings", r'<li><a href="/meetings/(\w{16})">', 139),
    ],
)
def test_people_and_past_meetings_go_on_behind_the_last_one(
    rooms: dict[int, Room], person: str, path: str, row: str, count: int
) -> None:
    """Many have the same name, or the same time."""
    browser, shown, next_page = rooms[120].signed_in(person), [], path
    while next_page:
        page = browser.get(next_page).text
        shown += re.findall(row, page)
        more = re.search(rf'href="({path}\?after=\w+)">(?:More|Earlier)', page)
        next_page = more[1] if more else ""
    assert len(shown) == len(set(shown)) == count


def test_people_are_found_by_name_and_by_address(rooms: dict[int, Room]) -> None:
    browser = rooms[120].signed_in("admin")
    assert re.findall(r"extra\d+@", browser.get("/people?find=EXTRA77").text) == ["extra77@"]
    assert "Nobody has" in browser.get("/people?find=%25").text
    page = browser.get("/people?find=peer 3").text
    assert "More people" not in page
    assert page.count("/disable") == 17


def test_whoever_may_not_see_a_tape_does_not_learn_where_it_would_be_in_the_list(rooms: dict[int, Room]) -> None:
    room = rooms[120]
    browser = room.signed_in("admin")
    assert browser.get(f"/?after={scale.MEASURED}").text == browser.get(f"/?after={'f' * 16}").text


def test_what_a_person_may_see_is_found_by_indexes(rooms: dict[int, Room]) -> None:
    """Whole tables would be read once there are thousands of tapes."""
    home = rooms[120].home
    with scale.metered(home) as meter, home.database.reading() as session:
        consent.reachable(session, session.get_one(Person, "g0p1"), "show", rooms[120].clock(), None, PAGE)
        (statement,) = [each for each in meter.statements if "consent_groups" in each]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("",) * statement.count("?"))
        steps = [row[3] for row in plan]
    assert any("ix_consent_groups_group_id" in step for step in steps), steps
    assert any("ix_tapes_interviewer_id" in step for step in steps), steps
    assert any("ix_consents_order" in step for step in steps), steps
    assert not [step for step in steps if re.match(r"SCAN (tapes|consents|people|memberships|consent_)", step)], steps


def test_no_page_reads_while_others_wait_to_write(rooms: dict[int, Room]) -> None:
    """What an answer shows is read before; the audit's rows are all that is written."""
    room = rooms[5]
    for person, path in (
        *(("g0p1", page) for page in ("/", f"/tapes/{scale.MEASURED}", "/meetings", "/account")),
        *(("admin", page) for page in ("/people", "/program")),
    ):
        browser = room.signed_in(person)
        with scale.metered(room.home) as meter:
            assert browser.get(path).status_code == 200
        others = [each for each in meter.while_locked if "audit" not in each and "pass_views" not in each]
        assert others == [], path


def test_no_handler_of_a_page_begins_a_transaction_that_writes() -> None:
    writers = [
        f"{path.name}: {function.name}"
        for path in sorted(Path(review.__file__).parent.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("router.get(" in ast.unparse(decorator) for decorator in function.decorator_list)
        and any(isinstance(node, ast.Attribute) and node.attr == "writing" for node in ast.walk(function))
    ]
    assert writers == []
