"""Sniffing: a file's container by its magic bytes.

The name of a file decides nothing, and no decoder is asked: decoders probe, and a probing decoder follows a playlist
that is called ``walk.wav``. Everything here reads a few bytes at given offsets and stays within the file.
`CONTAINERS` is the one list of what we read: messages, the room's file picker and its answers are made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.audio import mpeg_audio
from pipeline.audio.mpeg_audio import ReadAt
from pipeline.errors import AudioError

__all__ = ["CONTAINERS", "AudioContainer", "ReadAt", "identify", "locate", "names", "picker", "refusal"]

HEAD = 1024
"""Bytes by which every container without a tag, zeros or junk in front is known."""

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")  # old QuickTime begins with these
_DICTATION = (b"\x02dss", b"\x03dss", b"\x01ds2", b"\x03ds2", b"\x07ds2", b"\x03enc", b"\x01enc")


@dataclass(frozen=True)
class AudioContainer:
    """A container that we read: its name, FFmpeg's name of its demuxer, and what files of it are called.

    ``kinds`` are media types, the first of which the room answers with; ``endings`` are those of file names.
    """

    name: str
    key: str
    kinds: tuple[str, ...]
    endings: tuple[str, ...]


WAV = AudioContainer("WAV", "wav", ("audio/wav", "audio/x-wav", "audio/vnd.wave"), (".wav", ".bwf"))
RF64 = AudioContainer("RF64", "wav", ("audio/wav",), (".rf64", ".wav"))
W64 = AudioContainer("W64", "w64", ("audio/x-w64",), (".w64",))
AIFF = AudioContainer("AIFF", "aiff", ("audio/aiff", "audio/x-aiff"), (".aif", ".aiff", ".aifc"))
AU = AudioContainer("AU", "au", ("audio/basic",), (".au", ".snd"))
CAF = AudioContainer("CAF", "caf", ("audio/x-caf",), (".caf",))
FLAC = AudioContainer("FLAC", "flac", ("audio/flac", "audio/x-flac"), (".flac",))
OGG = AudioContainer("Ogg", "ogg", ("audio/ogg", "audio/opus", "video/ogg"), (".ogg", ".oga", ".opus", ".spx", ".ogv"))
MP3 = AudioContainer("MP3", "mp3", ("audio/mpeg", "audio/mp3"), (".mp3", ".mp2"))
AAC = AudioContainer("AAC", "aac", ("audio/aac", "audio/aacp"), (".aac",))
AMR = AudioContainer("AMR", "amr", ("audio/amr", "audio/amr-wb", "audio/3gpp"), (".amr", ".awb"))
MP4 = AudioContainer(
    "MP4",
    "mov",
    ("audio/mp4", "audio/x-m4a", "video/mp4", "video/quicktime", "video/3gpp", "audio/3gpp2", "video/3gpp2"),
    (".m4a", ".mp4", ".m4v", ".m4b", ".mov", ".qt", ".3gp", ".3g2", ".3ga"),
)
WEBM = AudioContainer(
    "WebM", "matroska", ("audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"), (".webm", ".mka", ".mkv")
)
ASF = AudioContainer("WMA", "asf", ("audio/x-ms-wma", "video/x-ms-wmv", "video/x-ms-asf"), (".wma", ".wmv", ".asf"))
AVI = AudioContainer("AVI", "avi", ("video/x-msvideo", "video/avi"), (".avi",))
MPEG_TS = AudioContainer("MPEG-TS", "mpegts", ("video/mp2t",), (".ts", ".mts", ".m2ts"))
MPEG_PS = AudioContainer("MPEG-PS", "mpeg", ("video/mpeg", "video/dvd"), (".mpg", ".mpeg", ".vob", ".mod"))

CONTAINERS = (WAV, RF64, W64, AIFF, AU, CAF, FLAC, OGG, MP3, AAC, AMR, MP4, WEBM, ASF, AVI, MPEG_TS, MPEG_PS)


def picker() -> str:
    """Return what a page's file picker offers (HTML's ``accept``): the media types and endings of `CONTAINERS`.

    Both are needed: phones know a file by its type, or by its ending where their system has no type for it.
    """
    return ",".join(dict.fromkeys(item for container in CONTAINERS for item in (*container.kinds, *container.endings)))


def names() -> str:
    """Return the names of `CONTAINERS`, for people."""
    return ", ".join(container.name for container in CONTAINERS)


def refusal(read: ReadAt, thing: str) -> AudioError:
    """Return the error for a file that `identify` does not know; dictation files name their maker's converter."""
    if read(0, 4) in _DICTATION:
        value = "is a dictation file (DSS or DS2), which only its maker's programs can read"
        remedy = (
            "convert it to WAV with the program of the recorder's maker: Olympus or OM System ODMS (File, Export), "
            "Philips SpeechExec (Save as WAV); next time set the recorder to MP3 or WAV"
        )
        return AudioError("A19", thing, value, remedy)
    known = "export it as WAV, FLAC, MP3 or M4A"
    return AudioError("A04", thing, "is not in a sound format that we read, whatever its name says", known)


def identify(read: ReadAt) -> AudioContainer | None:
    """Return the container that the bytes name; None for all others: text, playlists, pictures."""
    location = locate(read)
    return location and location[0]


def locate(read: ReadAt) -> tuple[AudioContainer, int] | None:
    """Return the container and the offset at which it begins: behind tags, zeros or junk in front."""
    offset = mpeg_audio.after_tags(read)
    if container := _magic(read(offset, HEAD)):
        return container, offset
    frames = mpeg_audio.first_frame(read, offset)
    return frames and ({"mp3": MP3, "aac": AAC}[frames[0]], frames[1])


def _magic(head: bytes) -> AudioContainer | None:
    if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return WAV if head[:4] == b"RIFF" else RF64
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[4:8] == b"ftyp" or (head[4:8] in _ATOMS and head[0] < 0x20):
        return MP4
    if head.startswith(b"caff\0\1"):
        return CAF
    magic_words = (
        (b"fLaC", FLAC),
        (b"OggS", OGG),
        (b"\x1aE\xdf\xa3", WEBM),
        (b".snd", AU),
        (b"#!AMR\n", AMR),
        (b"#!AMR-WB\n", AMR),
        (_ASF, ASF),
        (_W64, W64),
        (b"\0\0\1\xba", MPEG_PS),
    )
    for magic, container in magic_words:
        if head.startswith(magic):
            return container
    if any(head[sync : sync + 4 * length + 1 : length] == b"G" * 5 for length in (188, 192) for sync in range(length)):
        return MPEG_TS  # packets of 188 bytes; camcorders put a time of four bytes in front of each
    return None
