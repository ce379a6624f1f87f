"""The coding page: codes as events, corrections as overlays, blind passes, the sound, and going on together.

::

    events      codes are events; what holds is folded from them          (pure)
    overlays    corrections are events too; the transcript as corrected   (pure)
    tasks       what an observer listens for                              (pure)
    blindness   which utterances are coded without the machine's view     (pure)
    bindings    one key a code, one key a command, none twice             (pure)
"""

from __future__ import annotations

from pipeline.review.coding import name_routes, pass_routes, routes
from pipeline.review.consensus import routes as together_routes

ROUTERS = (routes.router, together_routes.router, name_routes.router, pass_routes.router)
"""What the application serves."""
