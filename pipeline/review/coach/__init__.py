"""The coach's and members' pages: whether the group's coding drifts, and which codes to discuss."""

from __future__ import annotations

from pipeline.review.coach import program_page, routes

ROUTERS = (routes.router, program_page.router)
