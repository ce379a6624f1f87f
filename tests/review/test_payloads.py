"""What people type comes out as text and as nothing else: on every page and on paper."""

from __future__ import annotations

import io
import os
import zipfile
from html.parser import HTMLParser
from itertools import product

from httpx import Response
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from tests.review.coding import shelf
from tests.review.conftest import Browser, Room
from tests.review.routes import calls, longest, typed

_OPENERS = ("", '">', "'>", "</textarea>", "</title>", "--><", "]]>", "</script>", "{{7*7}}", "\u202e")
_SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{background:url(//evil.example)}</style>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "<math><mtext></table><mglyph><style><!--</style><img title='--><img src=1 onerror=alert(1)>'>",
    "javascript:alert(1)//${alert(1)}{{constructor.constructor('alert(1)')()}}",
)
PAYLOADS = [opener + script for opener, script in product(_OPENERS, _SCRIPTS)]
"""A hundred ways to get a script into a page."""

ROUNDS = int(os.environ.get("TAPE_REVIEW_PAYLOAD_ROUNDS", "2"))
"""How often every form is filled in, with other payloads each time; 100 puts each payload into each field."""

ENDING = {"/logout", "/account/sign-out-everywhere"}
"""What would end the session."""

NAMED_ADDRESS = "http://localhost:8787/account"
"""The room's own address, to which the account page leads those who add a passkey under a number."""

_CALM = {"script", "style", "iframe", "object", "embed", "math", "base", "link", "meta"}


class Reader(HTMLParser):
    """Collects what a page would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        if tag == "script" and not (known.get("src") or "").startswith("/static/"):
            self.wrong.append(tag)
        if tag in ("link", "meta") and any("evil" in (value or "") for value in known.values()):
            self.wrong.append(tag)
        if tag in _CALM - {"script", "link", "meta"}:
            self.wrong.append(tag)
        self.wrong += [name for name in known if name.startswith("on") or name in ("srcdoc", "style", "autofocus")]
        for name in ("href", "src", "action", "formaction", "data-follow"):
            value = known.get(name)
            picture = tag == "img" and (value or "").startswith("data:image/")  # which runs nothing
            if value is not None and not picture and not value.startswith(("/", "#", NAMED_ADDRESS)):
                self.wrong.append(f"{name}={value[:30]}")


def inert(text: str) -> list[str]:
    reader = Reader()
    reader.feed(text)
    return reader.wrong


def test_the_reader_notices_what_must_not_be_there() -> None:
    are_inert = [
        bool(inert(payload)) for payload in PAYLOADS if "<" in payload and not payload.startswith(("\"'", "--><"))
    ]
    assert sum(are_inert) > 60


def _everywhere(room: Room, browser: Browser, tape: str, meeting: str, group: str, payload: str) -> list[str]:
    """Put a payload into every text field of the flow."""
    at = f"/tapes/{tape}"
    browser.post(f"{at}/first", {"step": "waive", "well": payload, "next": payload, "safety": payload, "shown": "yes"})
    browser.post(f"{at}/feedback", {"kind": "strength", "text": payload})
    browser.post(f"{at}/feedback", {"kind": "suggestion", "text": payload})
    browser.post(f"/meetings/{meeting}/notes", {"notes": payload})
    browser.post(f"/groups/{group}/agreements", {"agreements": payload})
    typed = {"group_id": group, "target_behavior": payload, "pseudonym": payload, "method": payload, "uses": payload}
    refused = browser.post("/tapes", typed | {"people_named": payload, "destroy_by": payload, "signed_on": payload})
    assert refused.status_code == 422
    pages = [at, f"{at}/first", f"{at}/feedback", f"{at}/summary", f"{at}/voices", "/", "/growth", "/meetings"]
    return [refused.text, *(browser.get(path).text for path in [*pages, f"/meetings/{meeting}", f"/groups/{group}"])]


def test_a_hundred_scripts_in_every_text_field_come_out_as_text(room: Room) -> None:
    assert len(set(PAYLOADS)) == 100
    whole = "\n".join(PAYLOADS)
    group = room.group("x<script>alert(1)</script>")
    ada = room.person("Ada", group)
    with room.home.database.writing() as database:
        from pipeline.tapes.db.records import Person

        database.get_one(Person, ada).name = "<img src=x onerror=alert(1)>"
    browser = room.signed_in(ada)
    planned = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"})
    meeting = planned.headers["location"].split("/")[-1]
    # The longest fields take dozens at once; a tape for each share of them keeps the one suggestion a person.
    shares = [whole[start : start + 3900] for start in range(0, len(whole), 3900)]
    for share in shares:
        tape = room.tape(group, ada, target=share)
        for page in _everywhere(room, browser, tape, meeting, group, share):
            assert inert(page) == []
        assert share.split("\n")[1][:20] in browser.get(f"/tapes/{tape}/feedback").text.replace("&lt;", "<").replace(
            "&gt;", ">"
        ).replace("&#34;", '"').replace("&#39;", "'")
        paper = browser.get(f"/tapes/{tape}/summary.pdf")
        assert paper.status_code == 200
        document = PdfReader(io.BytesIO(paper.content))
        root = document.trailer["/Root"]
        assert not {"/AA", "/Names", "/AcroForm"} & set(root)
        assert not isinstance(root.get("/OpenAction"), DictionaryObject)  # a place to show, not a deed
        for sheet in document.pages:
            assert "/Annots" not in sheet
            assert "/AA" not in sheet
        note = browser.get(f"/tapes/{tape}/summary.docx")
        assert note.status_code == 200
        with zipfile.ZipFile(io.BytesIO(note.content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        assert not [name for name, part in parts.items() if b'TargetMode="External"' in part or "vba" in name.lower()]
        assert b"w:fldSimple" not in parts["word/document.xml"]
        kinds = {str(thing.get("/S")) for thing in _dictionaries(document)}
        assert not kinds & {"/JavaScript", "/URI", "/Launch", "/SubmitForm", "/GoToR"}


def test_every_text_field_of_every_form_comes_out_as_text(room: Room) -> None:
    """The forms come from the route table: each text field is typed into, then every page is looked at."""
    group = room.group()
    ada = room.person("Ada", group, role="coordinator", is_admin=True)
    browser, token = (made := room.signed_in(ada)), made.token("/account")
    tape = shelf.put_tape(room.home, group, ada, room.clock(), 4, 0.2)
    browser.post(f"/tapes/{tape}/feedback", {"kind": "strength", "text": "I waited."})
    ids = {"tape_id": tape, "group_id": group, "person_id": ada}
    ids["feedback_id"] = browser.get(f"/tapes/{tape}/feedback").text.split(f"/tapes/{tape}/feedback/")[1].split("/")[0]
    location = browser.post(f"/tapes/{tape}/coding", {"task": "all", "codebook": "pretags"}).headers["location"]
    ids["pass_id"] = location.rpartition("/")[2]
    location = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    ids["meeting_id"] = location.split("/")[-1].partition("?")[0]
    forms = [
        call for call in calls(room.app) if not call.safe and call.path not in ENDING and "{token}" not in call.path
    ]
    forms = [call for call in forms if any(typed(call)) or "files" in call.form(ids)]
    assert len(forms) > 15
    wrong: list[str] = []

    def look(location: str, answer: Response) -> None:
        kind = answer.headers.get("content-type", "")
        faults = inert(answer.text) if kind.startswith("text/html") else []
        wrong.extend(f"{location}: {fault}" for fault in faults)
        assert kind.startswith("text/html") or answer.headers["x-content-type-options"] == "nosniff"

    for number in range(ROUNDS):
        for at, call in enumerate(forms):
            payload = PAYLOADS[(number + at) % len(PAYLOADS)]  # over a hundred rounds, each in each field
            share = "\n".join(PAYLOADS[number % 3 :: 3])[:3900]
            takes, wants = typed(call)
            texts = {name: share if longest(call, name) >= 4000 else payload for name in takes}
            rest = [{name: payload} for name in wants]
            for chosen in [texts, *rest] if texts or not rest else rest:
                sent = call.form(ids, payload)
                if "data" in sent:
                    sent["data"] |= {name: call.form(ids)["data"].get(name) for name in takes}
                    sent["data"] |= {"email": f"x{number}@example.org"} if "email" in wants else {}
                    sent["data"] |= chosen
                headers = {"X-CSRF-Token": token, "accept": "text/html"}
                answer = browser.client.request(call.method, call.address(ids), headers=headers, **sent)
                assert answer.status_code < 500, call.path
                assert answer.status_code != 403, f"{call.path} was not read"
                look(f"{call.path} {sorted(chosen)}", answer)
                if call.path == "/tapes" and answer.status_code == 303:
                    look("the draft", browser.get(answer.headers["location"]))
        if number > 2 and number + 1 < ROUNDS:
            continue  # what is typed over was seen three times; lists are looked at in the end
        for call in calls(room.app):
            for address in call.addresses(ids) if call.method == "GET" else ():
                look(address, browser.get(address))
    assert wrong == []
    seen = browser.get("/people").text + browser.get("/").text + browser.get(f"/meetings/{ids['meeting_id']}").text
    assert "alert(1)" in seen


def _dictionaries(document: PdfReader) -> list[DictionaryObject]:
    objects = [document.get_object(number) for number in range(1, len(document.xref.get(0, {})) + 1)]
    return [thing for thing in objects if isinstance(thing, DictionaryObject)]


def test_names_and_titles_are_escaped_on_the_pages_of_access_too(room: Room) -> None:
    group = room.group('"><script>alert(1)</script>')
    admin = room.signed_in(room.person("Root", is_admin=True))
    form = {"name": "<svg/onload=alert(1)>", "email": "x@example.org", "group_id": group, "role": "member"}
    assert inert(admin.post("/people", form).text) == []
    assert inert(admin.get("/people").text) == []
    guest = room.browser()
    refused = guest.post("/login", {"email": "<script>", "password": "x", "way_on": '"><script>'}, page="/login")
    assert inert(refused.text) == []
    assert inert(guest.get('/login?next=/"><script>alert(1)</script>').text) == []
