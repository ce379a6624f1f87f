"""The coach's window: whether the group's coding moves, and what to talk about."""

from __future__ import annotations

from pipeline.review.coach import program_page, routes

ROUTERS = (routes.router, program_page.router)
