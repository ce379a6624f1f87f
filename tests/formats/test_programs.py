"""Transcripts as programs write them and people save them; each was misread or refused once."""

# ruff: noqa: E501 (rows of a file and what it says stand side by side)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.formats import registry
from tests.formats.talks import ASKS, NAMED, WALKS, Row, of, rows

TEXTS: dict[str, tuple[str, list[Row]]] = {
    "zoom.txt": (f"[Ann Lee] 09:01:23\n{ASKS}\n\n[Bo] 09:01:30\n{WALKS}\n", of(("Ann Lee", "Bo"), (0, 7000))),
    "zoom_captions.txt": (
        f"[11:59:58.331 AM] Ann Lee\n{ASKS}\n[12:00:02.100 PM] Bo Lee\n{WALKS}\n",
        of(("Ann Lee", "Bo Lee"), (0, 3769)),
    ),
    "zoom_chat.txt": (f"00:00:05\tAnn Lee:\t{ASKS}\n00:00:09\tBo:\t{WALKS}\n", of(("Ann Lee", "Bo"), (5000, 9000))),
    "zoom.vtt": (
        f"WEBVTT\n\n1\n00:00:02.190 --> 00:00:05.220\nAnn Lee (she/her): {ASKS}\n\n"
        f"2\n00:00:05.220 --> 00:00:09.430\nBo: {WALKS}\n",
        of(("Ann Lee (she/her)", "Bo"), (2190, 5220)),
    ),
    "teams.txt": (
        f"Meeting-20240501-Recording\n\nMay 1, 2024, 2:03PM\n23m 11s\n\nLee, Ann   0:03\n{ASKS}\n\nOh, Bo   1:02:15\n{WALKS}",
        of(("Lee, Ann", "Oh, Bo"), (3000, 3_735_000)),
    ),
    "vtt.txt": (
        f"WEBVTT\r\n\r\n1\r\n00:00:02.190 --> 00:00:05.220\r\nAnn: {ASKS}\r\n\r\n2\r\n00:00:06.000 --> 00:00:07.000\r\nBo: {WALKS}\r\n",
        of(("Ann", "Bo"), (2190, 6000)),
    ),
    "srt.txt": (
        f"1\n00:00:03,000 --> 00:00:06,000\nAnn: {ASKS}\n\n2\n00:00:07,000 --> 00:00:09,000\nBo: {WALKS}\n",
        of(("Ann", "Bo"), (3000, 7000)),
    ),
    "otter.srt": (
        f"1\n00:00:03,000 --> 00:00:06,000\nAnn: {ASKS}\n\n2\n00:00:07,000 --> 00:00:09,000\nBo: {WALKS}\n",
        of(("Ann", "Bo"), (3000, 7000)),
    ),
    "descript.txt": (f"[00:00:03] Ann: {ASKS}\n\n[00:00:07] Bo: {WALKS}\n", of(("Ann", "Bo"), (3000, 7000))),
    "descript.md": (f"**Ann:** [00:00:03] {ASKS}\n\n**Bo:** [00:00:07] {WALKS}\n", of(("Ann", "Bo"), (3000, 7000))),
    "happy_scribe.txt": (
        f"[00:00:03.20] - Speaker 1\n{ASKS}\n\n[00:00:07.10] - Speaker 2\n{WALKS}\n",
        of(("Speaker 1", "Speaker 2"), (3200, 7100)),
    ),
    "youtube.sbv": (
        f"0:00:00.160,0:00:02.010\nTherapist: {ASKS}\n\n0:00:02.010,0:00:04.010\nClient: {WALKS}\n",
        of(("Therapist", "Client"), (160, 2010), NAMED),
    ),
    "noscribe.txt": (
        f"tape\nTranscribed with noScribe vers. 0.6.2\nAudio source: tape.wav\nMark pause: short\n\nS00: {ASKS}\n\nS01: {WALKS}",
        of(("S00", "S01")),
    ),
    "noscribe.html": (
        f'<p><a name="ts_0_2000_S00">S00: {ASKS}</a></p><p><a name="ts_2000_4000_S01">//S01: {WALKS}//</a></p>',
        of(("S00", "S01"), (0, 2000)),
    ),
    "dashes.txt": (f"Therapist - {ASKS}\nClient – {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "tabs.txt": (f"Therapist\t{ASKS}\nClient\t{WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "turns.txt": (f"1. T: {ASKS}\n2. C: {WALKS}\n", of(("T", "C"), roles=NAMED)),
    "lines.txt": (f"1  T: {ASKS}\n2  C: I want\n3     to walk.\n", of(("T", "C"), roles=NAMED)),
    "brackets.txt": (f"[T] {ASKS}\n(C) {WALKS}\n", of(("T", "C"), roles=NAMED)),
    "marks.txt": (f">> Therapist: {ASKS}\n>> Client: {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "above.txt": (f"THERAPIST\n{ASKS}\n\nCLIENT\n{WALKS}\n", of(("THERAPIST", "CLIENT"), roles=NAMED)),
    "one_line.txt": (f"Therapist: {ASKS} Client: {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "both.vtt": (
        f"WEBVTT\n\n00:01.000 --> 00:02.000\nTherapist: {ASKS}\nClient: {WALKS}\n",
        of(("Therapist", "Client"), (1000, 1000), NAMED),
    ),
    "both.srt": (
        f"1\n00:00:01,000 --> 00:00:02,000\nTherapist: {ASKS}\nClient: I want\n\n2\n00:00:02,000 --> 00:00:03,000\nto walk.\n",
        [*of(("Therapist", "Client"), (1000, 1000), NAMED)[:1], ("client", "Client", 1000, "I want"), ("client", "Client", 2000, "to walk.")],
    ),
    "heading.txt": (
        f"SESSION 4\nDate: 3 March 2024\nClient: P07\nTherapist: Ann\n\nTHERAPIST: {ASKS}\nCLIENT: {WALKS}\n",
        of(("THERAPIST", "CLIENT"), roles=NAMED),
    ),
    "german.csv": (
        f'Sprecher;Äußerung;Beginn;Ende\nTherapeut;{ASKS};0,5;2,25\nKlientin;{WALKS};2,5;4\n',
        of(("Therapeut", "Klientin"), (500, 2500), NAMED),
    ),
    "french.csv": (
        f"Locuteur;Texte;Début;Fin\nThérapeute;{ASKS};0,5;2,25\nClient;{WALKS};2,5;4\n",
        of(("Thérapeute", "Client"), (500, 2500), NAMED),
    ),
    "spanish.csv": (
        f"Hablante;Texto;Inicio;Fin\nTerapeuta;{ASKS};0,5;2,25\nCliente;{WALKS};2,5;4\n",
        of(("Terapeuta", "Cliente"), (500, 2500), NAMED),
    ),
    "units.csv": (
        f'Speaker,Text,Start (mm:ss)\nT,{ASKS},01:05\nC,{WALKS},1:02:03\n',
        of(("T", "C"), (65_000, 3_723_000), NAMED),
    ),
    "half_days.csv": (
        f"Time,Speaker,Text\n11:59:58 PM,T,{ASKS}\n12:00:02 AM,C,{WALKS}\n",
        of(("T", "C"), (0, 4000), NAMED),
    ),
    "dates.csv": (
        f"Timestamp,Speaker,Text\n2024-05-01 10:02:11.5,T,{ASKS}\n2024-05-01T10:02:15,C,{WALKS}\n",
        of(("T", "C"), (0, 3500), NAMED),
    ),
    "thousands.csv": (f'Speaker,Text,Start\nT,{ASKS},0.5\nC,{WALKS},"1,200.5"\n', of(("T", "C"), (500, 1_200_500), NAMED)),
    "nvivo.csv": (
        f"ID,Timespan,Content,Speaker\n1,0:00.5 - 0:03.2,{ASKS},T\n2,0:03.2 - 0:05.0,{WALKS},C\n",
        of(("T", "C"), (500, 3200), NAMED),
    ),
    "maxqda.csv": (
        f'"Document","Speaker","Segment","Beginning","End"\n"a","T","{ASKS}","1","1"\n"a","C","{WALKS}","2","2"\n',
        of(("T", "C"), roles=NAMED),
    ),
    "annomi.csv": (
        f"transcript_id,utterance_id,interlocutor,timestamp,utterance_text\n0,0,therapist,00:00:13,{ASKS}\n"
        f"0,1,client,00:00:24,{WALKS}\n",
        of(("therapist", "client"), (13_000, 24_000), NAMED),
    ),
    "turns.csv": (f"Turn,Speaker,Text\n1,T,{ASKS}\n1,C,{WALKS}\n", of(("T", "C"), roles=NAMED)),
    "voices.csv": (f"speaker_id,text\n0,{ASKS}\n1,{WALKS}\n", of(("0", "1"))),
    "whisper_cpp.json": (
        json.dumps({"transcription": [{"offsets": {"from": 0, "to": 900}, "text": f" {ASKS}", "speaker": "0"},
                                      {"offsets": {"from": 900, "to": 2000}, "text": f" {WALKS}", "speaker": "1"}]}),
        of(("0", "1"), (0, 900)),
    ),
    "segments.json": (
        json.dumps([{"start": 0, "end": 0.9, "text": ASKS, "speaker": "A"}, {"start": 0.9, "text": WALKS, "speaker": "B"}]),
        of(("A", "B"), (0, 900)),
    ),
    "chunks.json": (
        json.dumps({"chunks": [{"timestamp": [0.0, 0.9], "text": ASKS}, {"timestamp": [0.9, None], "text": WALKS}]}),
        of(("", ""), (0, 900)),
    ),
    "rev.json": (
        json.dumps({"monologues": [
            {"speaker": 0, "elements": [{"value": "What would"}, {"value": " "}, {"value": "you like?", "ts": 0.5, "end_ts": 1}]},
            {"speaker": 1, "elements": [{"value": WALKS, "ts": 2.0, "end_ts": 2.5}]}], "speakers": [{"id": 0, "name": "Ann"}]}),
        of(("Ann", "Speaker 1"), (500, 2000)),
    ),
    "whisperx.json": (
        json.dumps({"segments": [{"start": 0, "end": 4, "text": f" {ASKS} {WALKS}", "speaker": "S0", "words": [
            *({"word": word, "start": 0, "end": 1, "speaker": "S0"} for word in ASKS.split()),
            *({"word": word, "start": 2, "end": 3, "speaker": "S1"} for word in WALKS.split())]}]}),
        of(("S0", "S1"), (0, 2000)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_programs_file_says_who_said_what_and_when(tmp_path: Path, name: str) -> None:
    content, expected = TEXTS[name]
    (tmp_path / name).write_text(content)
    assert rows(tmp_path / name) == expected


@pytest.mark.parametrize("name", TEXTS)
def test_what_can_be_coded_can_be_converted(tmp_path: Path, name: str) -> None:
    content, expected = TEXTS[name]
    (tmp_path / name).write_text(content)
    utterances = registry.read(tmp_path / name).utterances
    assert [(utterance.speaker, utterance.span.start, utterance.text) for utterance in utterances] == [
        (speaker or "unknown", start or 0, text) for _, speaker, start, text in expected
    ]


def test_subtitles_that_name_nobody_have_no_role(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(
        f"WEBVTT\n\n00:00.000 --> 00:02.000\n{ASKS}\n\n00:02.000 --> 00:04.000\n{WALKS}\n"
    )
    assert rows(tmp_path / "talk.vtt") == of(("", ""), (0, 2000))
