"""The calibrated baseline: how coders agreed with the gold of calibration tapes, for the charts of coder and coach.

The points stand before a chart's first tape. They set no center line and no limit: a role-play is spoken more clearly
than a session, so that agreement with its gold is no measure for tapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.review.auth.current_user import Viewer
from pipeline.review.context import context_of
from pipeline.review.practice import calibration_passes, calibration_tapes, sources
from pipeline.review.practice.comparison import Agreement, agreement
from pipeline.tapes.db.records import CalibrationPass, CalibrationTape, Group, Person


@dataclass(frozen=True)
class BaselinePoint:
    """One locked calibration pass: whose, on what, and the agreement with the gold by family."""

    coder: str
    title: str
    blind: bool
    figures: tuple[Agreement, ...]

    @property
    def overall(self) -> Agreement | None:
        """The agreement on all codes."""
        return next((figure for figure in self.figures if not figure.family), None)


def squares(points: Sequence[BaselinePoint]) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """Return (coder, family) -> title and agreement of each blind pass, for `chart_drawing.draw_charts`."""
    shown: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for point in points:
        for figure in point.figures:
            if point.blind and figure.family and figure.percent is not None:
                shown.setdefault((point.coder, figure.family), []).append((point.title, figure.percent))
    return shown


def baseline_points(
    request: Request,
    session: Session,
    viewer: Viewer,
    group: Group,
    names: Mapping[str, str],
    codebook: str,
) -> list[BaselinePoint]:
    """Return the locked passes of these people in a codebook, in order of time.

    Of passes on tapes only those on this group's whose codes the viewer may see.

    Parameters
    ----------
    names: person -> name.
    """
    person, now = session.get_one(Person, viewer.person_id), context_of(request).clock()
    visible = calibration_tapes.with_visible_codes(session, person, group, now)
    query = (
        select(CalibrationPass)
        .outerjoin(CalibrationTape, CalibrationTape.id == CalibrationPass.calibration_id)
        .where(CalibrationPass.person_id.in_(names), CalibrationPass.codebook == codebook)
        .where(CalibrationPass.locked_at.is_not(None))
        .where(CalibrationPass.calibration_id.is_(None) | CalibrationTape.tape_id.in_(visible))
    )
    points = []
    for calibration_pass in session.scalars(query.order_by(CalibrationPass.locked_at, CalibrationPass.id)):
        source = sources.open_source(request, session, viewer, calibration_pass)
        codes = {name: state.codes for name, state in calibration_passes.codes(session, calibration_pass).items()}
        lines = sources.compared_lines(source, calibration_pass, codes)
        points.append(
            BaselinePoint(
                names[calibration_pass.person_id],
                source.title,
                calibration_pass.blind,
                tuple(agreement(lines, source.book)),
            )
        )
    return points
