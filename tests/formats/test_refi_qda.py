import io
import zipfile

import pytest

from pipeline.errors import FormatError
from pipeline.formats import refi_qda
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, Mark
from pipeline.timeline import Span
from tests.formats.transcripts import WALK

# In the shape of the standard's own examples: nested codes, two users, a transcript and a selection of the sound.
PROJECT = """<?xml version="1.0" encoding="utf-8"?>
<Project name="MI" xmlns="urn:QDA-XML:project:1.0" origin="another program">
<Users><User guid="u1" name="cora" id="coach"/><User guid="u2" name="Bo"/></Users>
<CodeBook><Codes><Code guid="c1" name="MISC" isCodable="false">
<Code guid="c2" name="C+" isCodable="true"/></Code></Codes></CodeBook>
<Sources><TextSource guid="t0" name="notes" plainTextPath="internal://t0.txt"/>
<AudioSource guid="a1" name="session 7" path="internal://a1.m4a">
<Transcript guid="t1" plainTextPath="internal://T1.txt">
<SyncPoint guid="s1" position="3" timeStamp="1200"/><SyncPoint guid="s2" position="10" timeStamp="2500"/>
<TranscriptSelection guid="x" name="Clip 1" fromSyncPoint="s1" toSyncPoint="s2"><Description>hm</Description>
<Coding guid="g1" creatingUser="u1" creationDateTime="2026-11-24T20:15:00Z"><CodeRef targetGUID="c2"/></Coding>
<Coding guid="g2" creatingUser="u2"><CodeRef targetGUID="c2"/></Coding></TranscriptSelection></Transcript>
<AudioSelection guid="y" begin="100" end="900"><Coding guid="g3"><CodeRef targetGUID="c1"/></Coding></AudioSelection>
</AudioSource></Sources></Project>"""


def archive(project: str = PROJECT, **files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("project.qde", project)
        written.writestr("Sources/t1.txt", "\N{BOM}ä: I walk.\n".replace("\N{BOM}", ""))
        for name, text in files.items():
            written.writestr(name, text)
    return file.getvalue()


def read(data: bytes) -> CodedTranscript:
    return refi_qda.read(Source("x.qdpx", data))


def test_reads_the_recording_of_a_project() -> None:
    transcript = read(archive())
    assert transcript.tape_id == "session 7"
    first, second = transcript.utterances
    assert (first.span, first.text, first.marks) == (Span(100, 900), "", (Mark("MISC"),))
    assert (second.span, second.text) == (Span(1200, 2500), "I walk.")
    assert second.marks == (Mark("C+", "cora", "coach", "2026-11-24T20:15:00Z"), Mark("C+", "Bo"))


def test_the_project_by_hand() -> None:
    with zipfile.ZipFile(io.BytesIO(refi_qda.write(WALK))) as result:
        project, text = result.namelist()
        assert project == "project.qde"
        assert result.read(text).decode() == "What would you like?\nI could walk.\nmm-hm\n"
        assert b' xmlns="urn:QDA-XML:project:1.0"' in result.read(project)
        root = Source(project, result.read(project)).xml("Project")
    points = [(each.get("position"), each.get("timeStamp")) for each in root.iterfind(".//SyncPoint")]
    assert points == [("0", "0"), ("20", "900"), ("21", "1200"), ("34", "2500"), ("35", "2400"), ("40", "2600")]
    assert [each.get("name") for each in root.iterfind(".//User")] == ["ana", "machine"]
    guids = [each.get("guid") for each in root.iter() if each.get("guid")]
    assert len(guids) == len(set(guids))


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ('fromSyncPoint="s1"', 'fromSyncPoint="s9"', "TR-F07", "without synchronization"),
        ('timeStamp="2500"', 'timeStamp="25"', "TR-F07", "ends before"),
        ('timeStamp="2500"', "", "TR-F07", "for a time"),
        ('position="3"', 'position="-3"', "TR-F07", "position"),
        ('targetGUID="c1"', 'targetGUID="c9"', "TR-F07", "a code that it does not define"),
        ("AudioSource", "PictureSource", "TR-F03", "lacks"),
        ("Source", "Thing", "TR-F07", "0 texts with codings (none); put a transcript or a coded recording"),
        ("T1.txt", "../../etc/passwd", "TR-F03", "lacks"),
        ("<Project", "<!DOCTYPE Project [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Project", "TR-F04", "DOCTYPE"),
        ("Project", "Codebook", "TR-F03", "not <Project>"),
    ],
)
def test_a_wrong_project_is_named(old: str, new: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(archive(PROJECT.replace(old, new)))
    assert caught.value.code == code
    assert message in str(caught.value)


def test_an_archive_that_leads_out_of_itself_is_refused() -> None:
    with pytest.raises(FormatError, match="TR-F05 .*leads out"):
        read(archive(**{"../x.txt": "out"}))


def test_an_archive_of_something_else_is_named() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("word/document.xml", "<w/>")
    with pytest.raises(FormatError, match=r"TR-F03 .*holds no project\.qde"):
        read(file.getvalue())


def test_two_recordings_are_too_many() -> None:
    again = PROJECT.replace(
        "</Sources>", '<AudioSource guid="a2" name="b"><AudioSelection begin="0" end="1"/></AudioSource></Sources>'
    )
    with pytest.raises(FormatError, match="TR-F07 .*2 recordings"):
        read(archive(again))
