"""One key per code, one key per command, and none twice.

A codebook uses the letters that its coders know (``e`` for emphasizing autonomy, ``s`` for seeking collaboration), and
so do commands. The rule: **the code has the key, and the command moves to Shift and the same key**, to Alt where a code
has that one, too. A person's own choices take precedence over the codebook's. ``?`` shows the keys in effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook
from pipeline.tapes.db.records import KeyChoice


@dataclass(frozen=True)
class Command:
    """Something that the page can do; ``repeats`` while its key is held down."""

    action: str
    label: str
    keys: tuple[str, ...]
    repeats: bool = False


COMMANDS = (
    Command("play", "Play from 1.5 seconds back, or pause", ("Space",)),
    Command("back", "Half a second back", ("ArrowLeft",), repeats=True),
    Command("forward", "Half a second forward", ("ArrowRight",), repeats=True),
    Command("back_far", "Five seconds back", ("Shift+ArrowLeft",), repeats=True),
    Command("forward_far", "Five seconds forward", ("Shift+ArrowRight",), repeats=True),
    Command("next_play", "Go to the next utterance and play it", ("n",)),
    Command("again", "Play this utterance again, and stop", ("b",)),
    Command("next", "Next utterance", ("ArrowDown",), repeats=True),
    Command("previous", "Previous utterance", ("ArrowUp",), repeats=True),
    Command("check", "Next utterance to check", ("g",)),
    Command("accept", "Accept the machine's suggestion", ("Enter",)),
    Command("unsure", "Unsure", ("u",)),
    Command("clear", "Uncode", ("z",)),
    Command("speaker", "Swap the interviewer and the client from here on", ("s",)),
    Command("speaker_once", "Swap the speaker of this utterance alone", ("v",)),
    Command("merge", "Join with the previous utterance", ("m",)),
    Command("split", "Split at the cursor", ("x",)),
    Command("text", "Correct the text", ("e",)),
    Command("mask", "Mask the name at the cursor, or show it", ("h",)),
    Command("undo", "Undo", ("Control+z", "Meta+z")),
    Command("redo", "Redo", ("Control+Shift+z", "Meta+Shift+z", "Control+y")),
    Command("slower", "Slower", (",",)),
    Command("faster", "Faster", (".",)),
    Command("follow", "Follow the sound, or stay", ("f",)),
    Command("define", "Show what the codes mean", ("d",)),
    Command("note", "Take a note on this moment", ("t",)),
    Command("search", "Search in the transcript", ("/",)),
    Command("help", "Show the keys", ("?",)),
)
"""Every command with the key that it has where no code wants it."""

SOUND = frozenset({"play", "back_far", "forward_far", "again", "slower", "faster", "follow"})
"""The commands that a tape without sound has no use for."""

WITHOUT_SOUND = {
    "back": "Move the cursor one word back",
    "forward": "Move the cursor one word forward",
    "next_play": "Go to the next utterance",
}
"""The commands that do something else there."""

_KEY_LABELS = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "Control": "Ctrl",
    "Meta": "Cmd",
}


@dataclass(frozen=True)
class Binding:
    """A key's action: ``presses`` as the page handles them, ``shown`` as people read it."""

    action: str
    label: str
    presses: tuple[str, ...]
    shown: str
    repeats: bool = False


def own_keys(session: Session, person_id: str, codebook: str) -> dict[str, str]:
    """Return action -> the key that the person chose for it in a codebook."""
    row = _key_choice(session, person_id, codebook)
    return {str(action): str(key) for action, key in row.keys.items()} if row else {}


def store_own_keys(session: Session, person_id: str, codebook: str, keys: dict[str, str]) -> None:
    """Store all keys that the person chose in a codebook."""
    row = _key_choice(session, person_id, codebook)
    if row:
        row.keys = dict(keys)
    else:
        session.add(KeyChoice(person_id=person_id, codebook=codebook, keys=dict(keys)))


def resolve_bindings(book: Codebook, chosen: Mapping[str, str] | None = None) -> tuple[Binding, ...]:
    """Return all key bindings, codes first.

    Parameters
    ----------
    chosen: action (``"code:question"``, ``"play"``) -> the single character that a person wants for it.
    """
    chosen_keys = dict(chosen or {})
    codes = [
        Binding(f"code:{code.name}", code.label, (key_press(key),), key)
        for code in book.codes
        for key in [chosen_keys.get(f"code:{code.name}", code.key)]
    ]
    taken = {binding.presses[0] for binding in codes}
    wanted = {command.action: chosen_keys[command.action] for command in COMMANDS if command.action in chosen_keys}
    commands = {action: _free_press(key, taken) for action, key in wanted.items()}
    taken |= set(commands.values())
    for command in COMMANDS:
        if command.action not in commands and len(command.keys[0]) == 1:
            commands[command.action] = _free_press(command.keys[0], taken)
            taken.add(commands[command.action])
    return (
        *codes,
        *(
            Binding(command.action, command.label, presses, key_label(presses[0]), command.repeats)
            for command in COMMANDS
            for presses in [(commands[command.action],) if command.action in commands else command.keys]
        ),
    )


def choose(session: Session, person_id: str, name: str, book: Codebook, action: str, key: str) -> str:
    """Store the key that a person wants for an action in the codebook ``name``, or the default for an empty one.

    Return why not; empty if it is stored.
    """
    chosen = own_keys(session, person_id, name)
    chosen.pop(action, None)
    if key:
        problem = key_problem(book, chosen, action, key)
        if problem:
            return problem
        chosen[action] = key
    store_own_keys(session, person_id, name, chosen)
    return ""


def key_problem(book: Codebook, chosen: Mapping[str, str], action: str, key: str) -> str:
    """Return why a person cannot have this key for an action; empty if the key is free."""
    actions = {binding.action: binding for binding in resolve_bindings(book, chosen)}
    if action not in actions or (not action.startswith("code:") and len(_command(action).keys[0]) > 1):
        return "This key cannot be changed."
    if len(key) != 1 or not key.isprintable() or key.isspace():
        return "Choose a single character that you can type."
    for other, binding in actions.items():
        if other != action and other.startswith("code:") and binding.presses[0] == key_press(key):
            return f"{binding.label} already has this key."
    if any(other != action and key_press(own_key) == key_press(key) for other, own_key in chosen.items()):
        return "You already use this key for something else."
    return ""


def key_press(key: str) -> str:
    """Return a character as the page handles it; signs may need Shift on one keyboard and not on another."""
    if key.isalpha() and key.lower() != key.upper():
        return f"Shift+{key.lower()}" if key.isupper() else key
    return f"[Shift]+{key}"


def key_label(pressed: str) -> str:
    """Return a press as people read it."""
    pressed = pressed.removeprefix("[Shift]+")
    if len(pressed) < 2:
        return pressed
    return "+".join(_KEY_LABELS.get(part, part) for part in pressed.split("+"))


def _free_press(key: str, taken: set[str]) -> str:
    """Return the press for a command's key, moved away from presses that are taken."""
    plain = key_press(key)
    moved = [plain, f"Shift+{key}", f"Alt+{key}"] if key.isalpha() and key.islower() else [plain, f"Alt+{key}"]
    return next((press for press in moved if press not in taken), f"Alt+Shift+{key}")


def _command(action: str) -> Command:
    return next(command for command in COMMANDS if command.action == action)


def _key_choice(session: Session, person_id: str, codebook: str) -> KeyChoice | None:
    query = select(KeyChoice).where(KeyChoice.person_id == person_id, KeyChoice.codebook == codebook)
    return session.scalars(query).first()
