"""The page on which people install the room's certificate, before anybody signs in. It holds nothing secret."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.review.context import context_of
from pipeline.review.network import authority
from pipeline.review.templating import render

router = APIRouter()

FILE = "tape-review.crt"


@router.get("/certificate")
def page(request: Request) -> Response:
    """Show the fingerprint, and how each system takes the certificate."""
    room = context_of(request)
    certificate = _certificate(request)
    return render(
        request,
        "network/certificate.html",
        fingerprint=authority.fingerprint(certificate),
        reach=room.reach,
        file=f"/certificate/{FILE}",
        until=int(certificate.not_valid_after_utc.timestamp() * 1000),
    )


@router.get(f"/certificate/{FILE}")
def file(request: Request) -> Response:
    """The certificate, as systems install it."""
    content = _certificate(request).public_bytes(serialization.Encoding.DER)
    named = {"Content-Disposition": f'attachment; filename="{FILE}"'}
    return Response(content, media_type="application/x-x509-ca-cert", headers=named)


def _certificate(request: Request) -> x509.Certificate:
    """The authority's certificate; 404 where this room shows another one, or has none yet."""
    room = context_of(request)
    certificate = authority.certificate_of(room.home) if room.reach.fingerprint else None
    if certificate is None:
        raise HTTPException(404)
    return certificate
