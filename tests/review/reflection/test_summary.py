"""The summary: all of a round on a page and on paper."""

from __future__ import annotations

import io

from docx import Document
from pypdf import PdfReader

from tests.review.conftest import Room
from tests.review.peers import Peers


def test_the_summary_says_it_all_on_a_page_and_on_paper(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength", "I waited a long time.")
    peers.say(ben, "strength", "Ты ждала, Łucja.")
    peers.say(ben, "suggestion", "Ask less.")
    assert ada.post(f"{peers.path}/feedback/close").headers["location"].startswith(f"{peers.path}/summary")
    assert peers.say(ben, "strength").status_code == 422
    page = ben.get(f"{peers.path}/summary").text
    answer = ben.get(f"{peers.path}/summary.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    paper = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.content)).pages)
    answer = ben.get(f"{peers.path}/summary.docx")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats-officedocument")
    document = Document(io.BytesIO(answer.content))
    assert (document.core_properties.author, document.core_properties.comments) == ("", "")
    note = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert " ".join(note.split()) == " ".join(paper.split())
    for words in ("drinking less", "I waited a long time.", "Ты ждала, Łucja.", "Ask less.", "1.3", "0.9 to 1.6"):
        assert words in page
        assert words in paper
    for text in (page, paper):
        assert text.index("I waited") < text.index("Ask less.") < text.index("1.3")
