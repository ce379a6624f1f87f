"""Every error that a user can meet, in one tree.

    TapeReviewError
    ├── AudioError      TR-A..  the recording cannot be read, is too long, or holds no sound
    ├── ModelError      TR-M..  a weight is missing, altered or of an unknown kind
    ├── SpeechError     TR-P..  transcription, diarization, turns or roles cannot go on
    ├── CodingError     TR-C..  a codebook, a tagger or training data are wrong
    ├── TableError      TR-T..  a table that we were given lacks a column or holds a wrong value
    ├── ConsentError    TR-D..  the client's permission does not cover this use, or is not valid
    ├── TapesError      TR-K..  the records of the tapes cannot be reached, or do not allow this
    ├── FormatError     TR-F..  a file of another program is damaged or hostile, or cannot store the data
    ├── JobError        TR-J..  the work on a tape cannot begin, go on, or be found
    ├── SettingsError   TR-S..  a setting is unknown or out of range
    ├── OutputError     TR-O..  the results cannot be written
    ├── ReviewError     TR-R..  the review room cannot accept what was sent
    └── VaultError      TR-V..  keys, encrypted files, destruction, certificates, backups

A message names the thing, the value and the remedy, behind a code that stays stable from release to release:
``TR-A02 recording walk.wav holds no audio stream; export the sound as WAV or FLAC and try again``.
Any other exception is a bug, never a user's mistake. The message is for the operator; what a member of the
review room reads instead is in `pipeline.review.errors`, code by code.
"""

from __future__ import annotations


class TapeReviewError(Exception):
    """A problem that a user can solve.

    Parameters
    ----------
    code: stable code without its prefix, for example ``"A02"``; must stand in `CODES`.
    thing: what is concerned, for example ``"recording walk.wav"``.
    value: what is wrong with it, for example ``"holds no audio stream"``.
    remedy: what to do, for example ``"export the sound as WAV"``.
    """

    letter = ""

    def __init__(self, code: str, thing: str, value: str, remedy: str) -> None:
        if code not in CODES:
            raise KeyError(f"error code {code} is not listed in pipeline.errors.CODES")
        if self.letter and not code.startswith(self.letter):
            raise KeyError(f"error code {code} does not belong to {type(self).__name__}")
        self.code, self.thing, self.value, self.remedy = f"TR-{code}", thing, value, remedy
        super().__init__(code, thing, value, remedy)

    def __str__(self) -> str:
        return f"{self.code} {self.thing} {self.value}; {self.remedy}"


class AudioError(TapeReviewError):
    """The recording cannot be read, is too long, or holds no sound."""

    letter = "A"


class ModelError(TapeReviewError):
    """A weight is missing, altered, or of an unknown kind."""

    letter = "M"


class SpeechError(TapeReviewError):
    """Transcription, diarization, turns or roles cannot go on."""

    letter = "P"


class CodingError(TapeReviewError):
    """A codebook, a tagger or its training data are wrong."""

    letter = "C"


class TableError(TapeReviewError):
    """A table that we were given lacks a column or holds a wrong value."""

    letter = "T"


class ConsentError(TapeReviewError):
    """The client's permission does not cover this use, or is not valid."""

    letter = "D"


class TapesError(TapeReviewError):
    """The records of the tapes cannot be reached, or do not allow this."""

    letter = "K"


class FormatError(TapeReviewError):
    """A file of another program is damaged or hostile, or cannot store the data."""

    letter = "F"


class JobError(TapeReviewError):
    """The work on a tape cannot begin, go on, or be found."""

    letter = "J"


class SettingsError(TapeReviewError):
    """A setting is unknown or out of range."""

    letter = "S"


class OutputError(TapeReviewError):
    """The results cannot be written."""

    letter = "O"


class VaultError(TapeReviewError):
    """A key, an encrypted file, a destruction, a certificate or a backup failed its check."""

    letter = "V"


class ReviewError(TapeReviewError):
    """The review room cannot accept what was sent."""

    letter = "R"


CODES: dict[str, str] = {
    # audio
    "A01": "the recording cannot be opened",
    "A02": "the recording holds no sound",
    "A03": "the recording is not a file",
    "A04": "the recording's format is not supported",
    "A05": "the recording is damaged",
    "A06": "the recording's compression is not supported",
    "A07": "the recording's sample rate is out of range",
    "A08": "the recording has too many channels",
    "A09": "the recording holds values that are not numbers",
    "A10": "the segment is longer than the limit",
    "A11": "the segment does not lie within the recording",
    "A12": "the recording is longer or larger than the limit",
    "A13": "the recording is not as long as its header says",
    "A14": "decoding takes too much memory or time",
    "A15": "the decoder crashed",
    "A16": "a file has several sound tracks, and none was named",
    "A17": "two files share no sound that places one against the other",
    "A18": "files do not make up one recording",
    "A19": "the recording is a dictation file that only its maker's programs read",
    # models
    "M01": "a model is not installed",
    "M02": "a model's name is neither in the catalog nor a folder",
    "M03": "the model catalog cannot be read",
    "M04": "a model's wheel cannot be downloaded",
    "M05": "a downloaded file differs from the one in the catalog",
    "M06": "the folder for models cannot be written",
    "M07": "a model's folder lacks a file or holds another kind of model",
    "M08": "a model cannot be downloaded from its hub",
    "M09": "a model's owner asks for an account on its hub",
    "M10": "a model's revision or file is not on its hub any more",
    "M11": "a model for English alone is asked for another language",
    # speech
    "P01": "a recording holds no words",
    "P02": "the named interviewer does not speak",
    "P03": "the weights of the role model are missing or damaged",
    "P04": "a transcript does not fit the recording",
    "P10": "an RTTM file cannot be read",
    "P11": "a line is not RTTM",
    "P12": "an RTTM file belongs to another recording",
    "P13": "an RTTM file names no voice within the segment",
    "P14": "a diarization pipeline cannot be loaded",
    "P15": "the recording's channels do not hold one voice each",
    # coding
    "C01": "a codebook is not valid TOML",
    "C02": "a codebook lacks a key or holds a wrong value",
    "C03": "a codebook cannot be read",
    "C04": "the tagger's folder lacks a file or holds an altered one",
    "C05": "the data to train or evaluate on are missing or incomplete",
    "C06": "a group has too few codes for an adaptation, or they match no coded utterance",
    "C07": "an adaptation is damaged, or made for another tagger",
    "C08": "a package that only training needs is not installed",
    # tables
    "T01": "a table cannot be read",
    "T02": "a table is not CSV in UTF-8",
    "T03": "a table lacks a column",
    "T04": "a table has no rows",
    "T05": "a table holds a wrong value",
    "T06": "a table names an utterance twice",
    "T07": "a date in a table cannot be read",
    "T08": "a transcript does not say who the interviewer is",
    # consent
    "D01": "the tape is destroyed",
    "D02": "the person's account is disabled",
    "D03": "the tape has no consent",
    "D04": "the consent was withdrawn",
    "D05": "the consent has ended",
    "D06": "the consent does not cover this use",
    "D07": "the consent does not name this person or group",
    "D08": "this person may not use the tape in this way",
    "D10": "a consent cannot be read",
    "D11": "a consent lacks a value or holds a wrong one",
    # records of the tapes
    "K01": "the home does not exist",
    "K02": "the home exists already",
    "K03": "the database cannot be reached",
    "K04": "the database is busy",
    "K05": "the database has another version than this program",
    "K06": "the home's audit key is missing or damaged",
    "K07": "a person or group is unknown",
    "K08": "a person, group or membership exists already",
    "K09": "a name, address or role is not valid",
    "K10": "a file matches no row of the audit",
    "K11": "a home with people or tapes cannot become a simulated one",
    # formats
    "F01": "a file cannot be opened, or is not a file",
    "F02": "a file is larger or nested deeper than the limit",
    "F03": "a file does not follow its format",
    "F04": "an XML file declares a document type or an entity",
    "F05": "an archive holds an unsafe path or unpacks to more than the limit",
    "F06": "a file is not text in a known encoding",
    "F07": "a file holds a wrong value",
    "F08": "a format cannot store the data",
    "F09": "a format is unknown",
    "F10": "a database holds more than plain tables",
    "F11": "nothing in a file can be matched with the tape",
    "F12": "a file or a tape does not say what its times count from",
    # jobs
    "J01": "a tape has no job",
    "J02": "a job cannot be canceled or retried in its state",
    "J03": "a job was stopped after several tries",
    "J04": "a job's step failed without a known reason",
    "J05": "the queue cannot be used",
    "J06": "a disk was full or not writable while a job worked",
    # review room
    "R01": "an upload is larger than the limit",
    "R02": "a piece of an upload does not continue the earlier pieces",
    "R03": "a form lacks something or holds a wrong value",
    "R04": "feedback does not keep the order or the limit",
    "R05": "signing in with an organization failed",
    "R06": "a scanned form has an unknown type, or is too large",
    "R07": "the review room cannot use its address and port",
    "R08": "a member has too many drafts",
    "R09": "a member's drafts are too large",
    "R10": "a transcript that was brought cannot be read",
    "R11": "passwords and sound would be sent unencrypted",
    "R12": "the room's certificate, or the authority that signs it, cannot be used",
    "R13": "e-mail is not set up correctly, or a mail was not sent",
    # settings
    "S01": "a settings file cannot be read",
    "S02": "a setting is unknown",
    "S03": "a setting has a wrong value",
    "S04": "a profile does not exist",
    # output
    "O01": "the output folder holds files that are not a tape's results",
    "O02": "the output folder holds the results of another run",
    "O03": "another run is writing to the output folder",
    "O04": "the output folder cannot be written",
    # vault
    "V01": "an encrypted file is missing",
    "V02": "encrypted data was altered, cut or moved",
    "V03": "a tape's key is destroyed",
    "V04": "the master key cannot be read, or exists already",
    "V05": "the master key can be read by others",
    "V06": "the passphrase is missing, too short or wrong",
    "V07": "a key was wrapped by another master key",
    "V08": "a file of this program cannot be written",
    "V10": "a certificate or a key for certificates cannot be read",
    "V11": "a certificate was altered",
    "V12": "a certificate was signed by another key",
    "V13": "a backup or a list of tombstones cannot be read",
    "V14": "a destruction left something behind",
    "V15": "a tape does not exist, or is destroyed",
    "V16": "a location is not empty, or something required is missing",
    "V17": "a backup was made by a newer version of the program",
    "V18": "another process is destroying a tape, or changing its key",
    "V19": "the folder of the keys is missing",
    "V20": "too little room is left on the home's disk",
}
"""Code -> what it means. A code is never reused for another meaning."""
