"""What a member reads where an error of ours reaches a page, and the status of the answer, code by code.

`pipeline.errors` writes for the operator: its messages name files, commands and tables, and go to the log. A code that
is added there needs a sentence here.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import TapeReviewError
from pipeline.tapes.reserve import disk_full


@dataclass(frozen=True)
class Answer:
    """The status, and words that name no file, no command and no table.

    Empty words: the error is about what the member typed, and its own words are meant for that member.
    """

    status: int
    words: str


NO_ACCESS = "You do not have access to this tape."

_LATER = "Try again in a few minutes. If the problem continues, give your administrator the number below."
_ANSWERS: tuple[tuple[str, int, str], ...] = (
    (
        "A01 A03 A05 A13 A14 A15",
        422,
        "This recording is damaged or incomplete. Export it again, and upload the new file.",
    ),
    (
        "A02 A09",
        422,
        "This recording has no sound. Listen to the file, and upload one in which both people can be heard.",
    ),
    (
        "A04 A06",
        422,
        "This kind of file is not supported. Export the recording as WAV, FLAC, MP3 or M4A, and upload that file.",
    ),
    (
        "A07 A08",
        422,
        "This recording has an unusual format. Export it with one or two channels at 44.1 kHz, and upload that file.",
    ),
    ("A10 A11", 422, "The part that you chose is too long, or is outside the recording. Choose another part."),
    (
        "A12",
        413,
        "This recording is too long or too large. Cut it to the part that you want to review, and upload that file.",
    ),
    (
        "M01 M02 M03 M04 M05 M06 M07 P03 P14 C04 C07 C08",
        503,
        f"A model for coding tapes is not installed correctly. {_LATER}",
    ),
    ("P01", 422, "No words were found in this recording. Listen to the part that you chose, and choose another part."),
    (
        "P02 P15",
        422,
        "The two people could not be told apart in this recording. Choose another part of it.",
    ),
    (
        "P04",
        422,
        "The transcript does not fit this recording: hardly any of its words were recognized there. "
        "Hand the session in again with its own transcript, or without one.",
    ),
    (
        "P10 P11 P12 P13",
        422,
        "The file with the speakers does not match this recording. Choose the file that was made for it.",
    ),
    ("C01 C02", 422, "This codebook is incomplete or has a wrong value. Export it again, and upload the new file."),
    ("C03", 404, "This codebook does not exist. Choose one from the list."),
    ("C05 C06", 422, "There are too few codes for this yet. Code more tapes first."),
    (
        "T01 T02 T03 T04 T05 T06 T07 T08",
        422,
        "This table is incomplete or has a wrong value. Correct it, and upload it again.",
    ),
    ("D01 D03 D04 D05 D06 D07 D08", 404, NO_ACCESS),
    ("D02", 403, "Your account is closed. Ask your administrator to open it."),
    ("D10", 422, "The permission cannot be read. Fill in the form again."),
    ("D11 R03 R04 R10", 422, ""),
    ("R08", 409, ""),
    ("R09", 413, ""),
    ("K01 K02 K03 K05 K06", 503, f"The program cannot reach its records. {_LATER}"),
    ("K04", 503, "Others are saving right now, so this was not saved. Go back, and try again in a minute."),
    ("K07", 404, "This person or group does not exist. Go back, and choose another one."),
    ("K08", 409, "This person or group already exists. Go back, and check the list."),
    ("K09", 422, "A name, address or role is not valid. Go back, and correct it."),
    (
        "F01 F03 F06 F07 F08 F09 F10",
        422,
        "This is not the kind of file that is needed here. Export it again, and upload the new file.",
    ),
    ("F02", 413, "This file is too large. Upload a smaller one."),
    (
        "F04 F05",
        422,
        "This file has parts that could be harmful, and was not opened. Export it again, and upload the new file.",
    ),
    ("F11", 422, "Nothing in this file matches this tape. Choose the file that belongs to this tape."),
    ("F12", 422, "This file does not say what its times count from. Export it again from the whole recording."),
    ("J01", 404, "This tape is not being processed. Reload the tape's page."),
    ("J02", 409, "The work on this tape started or ended in the meantime. Reload the tape's page."),
    (
        "J03 J04",
        500,
        "The computer could not process this tape. Try again. If it fails again, tell your administrator.",
    ),
    ("J05", 503, f"The computer cannot start processing this tape. {_LATER}"),
    (
        "J06 V08",
        507,
        "The server's disk is full or cannot be written. This was not saved. Tell your administrator, and try again.",
    ),
    (
        "R01",
        413,
        "This file is too large for this program. Cut it or export it in a smaller format, and upload that file.",
    ),
    (
        "R02",
        409,
        "This does not continue the upload that was started. Reload the page, and choose the file again.",
    ),
    (
        "R05",
        503,
        "You cannot sign in with your organization right now. Sign in with your password, or ask your administrator.",
    ),
    (
        "R06",
        422,
        "This scan has an unknown format or is too large. Upload a PDF, PNG, JPEG or TIFF with less detail.",
    ),
    ("R07 S01 S02 S03 S04 O01 O02 O03 O04", 500, f"The program is not set up correctly. {_LATER}"),
    (
        "V01 V02",
        500,
        "Part of this is damaged or missing. Give your administrator the number below. A backup may have it.",
    ),
    ("V03 V15", 404, NO_ACCESS),
    ("V04 V05 V06 V07 V19", 503, f"The program's key cannot be used. {_LATER}"),
    ("K10 V10 V11 V12 V13", 422, "This file is damaged, or was not made by this program. Choose another one."),
    (
        "V14",
        500,
        "A copy of this tape is left, or a program is still working on it. Give your administrator the number below.",
    ),
    ("V18", 409, "This tape is being destroyed, or its key is being changed. Reload the page in a minute."),
    ("V16 V17", 409, "This cannot be done in the current state. Give your administrator the number below."),
)

ANSWERS: dict[str, Answer] = {
    code: Answer(status, words) for codes, status, words in _ANSWERS for code in codes.split()
}
"""Code -> what a member reads."""

UNKNOWN = Answer(500, f"This did not work. {_LATER}")


def answer(error: TapeReviewError) -> Answer:
    """What a member reads of an error."""
    if disk_full(error):
        return ANSWERS["J06"]
    given = ANSWERS.get(error.code.removeprefix("TR-"), UNKNOWN)
    own = f"{error.value[:1].upper()}{error.value[1:]}; {error.remedy}."
    return given if given.words else Answer(given.status, own)


def words(code: str | None) -> str:
    """What a member reads where nothing but an error's code is known, ``TR-J03`` say."""
    return ANSWERS.get((code or "J04").removeprefix("TR-"), UNKNOWN).words
