"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from pipeline import languages
from pipeline.timeline import Role, typed

if TYPE_CHECKING:
    from pipeline.formats.written_transcript import WrittenTranscript

Profile = Annotated[
    list[str] | None,
    typer.Option("--profile", metavar="NAME", help="A named set of settings, such as 'gpu'. May be repeated."),
]
Config = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="A settings file (TOML). May be repeated."),
]

Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="The folder that holds the tapes. It overrides tapes.home."),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="TAPE_REVIEW_PERSON",
        metavar="PERSON",
        help="Who you are: your email address or id. The audit records it.",
    ),
]

Start = Annotated[str | None, typer.Option(metavar="TIME", help="Where the segment starts, such as 2:30.")]
End = Annotated[str | None, typer.Option(metavar="TIME", help="Where the segment ends, such as 22:30.")]
Speakers = Annotated[str, typer.Option(metavar="NUMBER", help="How many people speak: a number, or auto.")]
Voice = Annotated[
    str | None,
    typer.Option(metavar="VOICE", help="Which voice is the interviewer's: S1, or a name in the transcript."),
]
Roles = Annotated[
    str | None,
    typer.Option(
        metavar="VOICE=ROLE,...",
        help="Who each voice is: S1=interviewer,S2=client,S3=other. Instead of the option for the interviewer alone.",
    ),
]
Transcript = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A transcript of the session, of any kind that `tape-review code` reads."),
]

Terms = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT|FILE",
        help="Names and terms to listen for, separated by commas, or a text file of them.",
    ),
]

Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        help="The language that is spoken: auto, or a code or name such as en, es, Spanish. It overrides"
        " transcription.language. Only English is coded.",
    ),
]

Tiers = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="NAME=KIND",
        help="What a tier of ELAN or Praat holds: codes, text, words or skip. May be repeated.",
    ),
]


def tiers(given: list[str] | None) -> dict[str, str]:
    """Name and kind of each ``--tier NAME=KIND``; a name may hold ``=`` itself."""
    for option in given or []:
        if "=" not in option:
            raise typer.BadParameter(f"--tier {option!r} says no kind; write it as NAME=codes, text, words or skip")
    return {name: kind for name, _, kind in (option.rpartition("=") for option in given or [])}


def roles(text: str | None, interviewer: str | None) -> dict[str, Role] | None:
    """Voice and role of each part of ``--roles S1=interviewer,S2=client``; None where it is not given."""
    if text is None:
        return None
    if interviewer is not None:
        raise typer.BadParameter("it says who the interviewer is, too; give one of the two", param_hint="--roles")
    named: dict[str, Role] = {}
    for part in text.split(","):
        voice, _, role = (piece.strip() for piece in part.rpartition("="))
        if not voice or role not in get_args(Role):
            expected = "write VOICE=interviewer, =client or =other, such as S1=interviewer,S2=client"
            raise typer.BadParameter(f"{part.strip()!r} names no voice and role; {expected}", param_hint="--roles")
        if voice in named:
            raise typer.BadParameter(f"voice {voice!r} is named twice", param_hint="--roles")
        named[voice] = cast(Role, role)
    return named


def named_transcript(
    path: Path | None, roles: dict[str, Role] | None, interviewer: str | None
) -> tuple[WrittenTranscript | None, dict[str, Role] | None, str | None]:
    """Read ``--transcript``; roles and interviewer go into it where it names voices, else they are of the sound."""
    from pipeline.formats import written_transcript

    written = written_transcript.read(path) if path else None
    if written is None or not written.voices:
        return written, roles, interviewer
    written = written.with_roles(roles) if roles else written
    return written.with_interviewer(interviewer) if interviewer else written, None, None


def voice_count(speakers: str) -> int | None:
    """The number of ``--speakers``; None for "auto"."""
    if speakers == "auto":
        return None
    if not (speakers.isdecimal() and int(speakers) > 0):
        raise typer.BadParameter(f"{speakers!r} is neither a number of voices nor 'auto'", param_hint="--speakers")
    return int(speakers)


def required_target(target_behavior: str) -> str:
    """The text of ``--target-behavior`` without blanks around it; it must not be empty."""
    if not target_behavior.strip():
        value = "change talk cannot be coded without it; name the change"
        raise typer.BadParameter(value, param_hint="--target-behavior")
    return target_behavior.strip()


def language_code(text: str | None) -> str | None:
    """The code of a language that a member types, "auto", or None where none is typed."""
    if text is None or text.strip().lower() == languages.AUTO:
        return None if text is None else languages.AUTO
    code = languages.code(text)
    if code is None:
        message = f"{text!r} is no language that can be transcribed; write auto, or a code or name: en, es, Spanish"
        raise typer.BadParameter(message, param_hint="--language")
    return code


def clock(text: str | None) -> int | None:
    """Milliseconds of a time that a member types: ``90``, ``1:30``, ``0:01:30.5``."""
    if text is None:
        return None
    milliseconds = typed(text)
    if milliseconds is None:
        raise typer.BadParameter(f"{text!r} is not a time; write seconds or minutes:seconds, for example 2:30")
    return milliseconds


def named_terms(value: str | None) -> tuple[str, ...]:
    """Return the names and terms of ``--terms``: those of a text file, if there is one of that name."""
    from pipeline.settings import listed_terms

    if not value:
        return ()
    path = Path(value)
    try:
        is_file = path.is_file()
    except OSError:  # too long for a file's name
        is_file = False
    if not is_file:
        return listed_terms(value)
    try:
        return listed_terms(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{value} is no text file in UTF-8", param_hint="--terms") from error
