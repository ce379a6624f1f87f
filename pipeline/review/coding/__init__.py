"""The coding page: codes as events, corrections as overlays, blind passes, the sound, and going on together.

::

    events      codes are events; what holds is folded from them          (pure)
    overlays    corrections are events too; the transcript as corrected   (pure)
    tasks       what an observer listens for                              (pure)
    blindness   which utterances are coded without the machine's view     (pure)
    bindings    one key a code, one key a command, none twice             (pure)
"""

from __future__ import annotations

from pipeline.review.coding import names_routes, own_routes, routes, together_routes

ROUTERS = (routes.router, together_routes.router, names_routes.router, own_routes.router)
"""What the application serves."""
