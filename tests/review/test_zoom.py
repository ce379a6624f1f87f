"""Every page at 200 % zoom: half as many pixels each way. Nothing is scrolled to sideways, and nothing is covered."""

from __future__ import annotations

import pytest

from pipeline.review.auth.current_user import SESSION
from tests.review.coding import browser, server, shelf
from tests.review.conftest import Room
from tests.review.routes import calls

pytestmark = pytest.mark.engines

ZOOMED = {"width": 640, "height": 400}
"""What is left of 1280 by 800."""

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
COVERED = """() => {
  const wrong = [];
  for (const one of document.querySelectorAll("a, button, input, select, textarea, summary, h1, h2")) {
    if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = one.getClientRects()[0];
    if (!box || box.width < 3 || box.height < 3) continue;
    const x = box.left + box.width / 2, y = box.top + Math.min(box.height / 2, 20);
    if (one.matches(".skip, .unseen, .unseen *")) continue;
    const there = document.elementFromPoint(x, y);
    const label = one.labels && [...one.labels].some((each) => each.contains(there));
    if (!there || !(one.contains(there) || there.contains(one) || label)) {
      wrong.push(`${one.outerHTML.slice(0, 80)} under ${there ? there.outerHTML.slice(0, 60) : "the edge"}`);
    }
  }
  window.scrollTo(0, 0);
  return wrong;
}"""
"""What cannot be seen even when it is scrolled to."""


def test_nothing_is_hidden_and_nothing_scrolls_sideways_at_200_percent(room: Room) -> None:
    address, port = room.addressed()
    group = room.group()
    ivy = room.person("Ivy", group, role="coordinator", is_admin=True)
    tape = shelf.put_tape(room.home, group, ivy, room.clock(), 20, 1.5)
    draft = room.tape(group, ivy, state="draft")
    here = room.signed_in(ivy)
    here.client.base_url = address
    here.client.cookies.set(SESSION, here.client.cookies[SESSION])
    for kind, text in (("strength", "I waited, and it went on."), ("suggestion", "Ask less, and wait longer.")):
        assert here.post(f"/tapes/{tape}/feedback", {"kind": kind, "text": text}).status_code == 303
    pass_ids = []
    for _ in range(2):
        begun = here.post(f"/tapes/{tape}/coding", {"task": "all", "codebook": "pretags"})
        pass_ids.append(begun.headers["location"].rpartition("/")[2])
        here.post(f"/tapes/{tape}/passes/{pass_ids[-1]}/lock")
    meeting = here.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    ids = {"tape_id": tape, "group_id": group, "pass_id": pass_ids[-1], "person_id": ivy}
    ids["meeting_id"] = meeting.split("/")[-1].partition("?")[0]
    pages = [address for call in calls(room.app) if call.method == "GET" for address in call.addresses(ids)]
    pages += [f"/tapes/{draft}/recording"]
    shown_pages = [address for address in pages if _is_page(here.get(address))]
    assert len(shown_pages) > 20
    wrong = {}
    with browser.chromium() as chromium, server.serving(room.app, port):
        context = chromium.new_context(
            base_url=address, viewport=ZOOMED, device_scale_factor=2, reduced_motion="reduce"
        )
        context.add_cookies([{"name": SESSION, "value": here.client.cookies[SESSION], "url": address}])
        page = context.new_page()
        for address in shown_pages:
            page.goto(address)
            if address.endswith(f"/passes/{ids['pass_id']}") or "/together" in address:
                page.wait_for_selector("[data-ready]", timeout=30_000)
            faults = page.evaluate(COVERED)
            if page.evaluate(WIDER) > 0:
                faults.append(f"{page.evaluate(WIDER)} pixels too wide")
            if faults:
                wrong[address.replace(tape, "TAPE").replace(group, "GROUP")] = faults
        context.close()
    assert wrong == {}


def _is_page(answer: object) -> bool:
    return answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")  # type: ignore[attr-defined]
