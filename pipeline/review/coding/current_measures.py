"""The current measures of a tape: from the group's codes where the viewer may see them, else from the machine's.

Every page that shows a tape's measures uses these, so that a tape has the same figures on each.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.review.authorization import Admitted, sees_codes
from pipeline.review.coding import codebooks, transcripts
from pipeline.review.consensus import consensus
from pipeline.review.consensus.consensus import ConsensusBoard
from pipeline.review.tapes import stored_measures
from pipeline.review.tapes.stored_measures import WRONG_ROLES_BASIS, Figure

MACHINE_BASIS = "Machine suggestions, to be checked by hand"


@dataclass(frozen=True)
class CurrentMeasures:
    """The main figures, and their basis in words; ``by_group`` where people have coded.

    ``note`` says so where the tape has no sound, and ``languages`` how much of it is in no figure for its language.
    """

    figures: tuple[Figure, ...]
    basis: str
    by_group: bool
    note: str
    languages: str


def current_measures(admitted: Admitted) -> CurrentMeasures:
    """Return the measures of a tape for a viewer who may see them (`authorization.is_open`).

    Where passes chose a codebook the figures are in that one, as on "Together", also if they hold no code yet.
    """
    return measures_of(admitted, measured_board(admitted))


def measured_board(admitted: Admitted) -> ConsensusBoard | None:
    """Return the codes that measures are made from; None where nobody has locked a pass, or the viewer is blind."""
    if not (sees_codes(admitted) and consensus.used_codebooks(admitted)):
        return None
    book = codebooks.read(admitted, consensus.group_codebook(admitted))
    board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted), book)
    return board if board.is_measured else None


def measures_of(admitted: Admitted, board: ConsensusBoard | None) -> CurrentMeasures:
    """Return the measures of a tape's `measured_board`; without one, the machine's."""
    note = stored_measures.FROM_TEXT if admitted.tape.from_text else ""
    if board:
        figures = stored_measures.headline_figures(consensus.group_measures(board).as_dict())
        basis = f"Codes: {board.basis}" if board.by_hand else MACHINE_BASIS
        return CurrentMeasures(figures, basis, board.by_hand, note, board.languages)
    spoken = stored_measures.language_note(admitted.session, admitted.tape)
    proposed = stored_measures.read(admitted.session, admitted.home, admitted.tape)
    return CurrentMeasures(proposed, MACHINE_BASIS if proposed else WRONG_ROLES_BASIS, False, note, spoken)
