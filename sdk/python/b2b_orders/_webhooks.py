"""Checks webhooks, by the specification Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from .generated.models import WebhookMessage


class WebhookError(Exception):
    """Why `verify_webhook` refuses a request: none of the services has sent it, or it is not of now."""


class Headers(Protocol):
    """The headers of a request: a mapping, or what http.server has, which is none."""

    def items(self) -> Iterable[tuple[str, str]]: ...


def verify_webhook(key: str, headers: Headers, body: bytes) -> WebhookMessage:
    """
    Checks the signature and the time of a webhook, and returns its message, or raises WebhookError.

    key: the endpoint's secret (`whsec_...`), or its public key (`whpk_...`), which needs the package `cryptography`.
    headers: of the request; their names may be in any case.
    body: what has arrived, byte for byte: not JSON that was read and written again.

    A message may arrive more than once, always with the same header `webhook-id`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
        raise WebhookError("webhook-id or webhook-timestamp is missing")
    if abs(time.time() - int(stamp)) > 300:
        raise WebhookError("it is not of now")
    version, is_valid = _check_of(key, f"{id}.{stamp}.".encode(errors="replace") + body)
    for signature in given.get("webhook-signature", "").split(" "):
        of, _, encoded = signature.partition(",")
        raw = _decoded(encoded)
        if of == version and raw and is_valid(raw):
            try:
                return WebhookMessage.from_dict(json.loads(body))
            except (ValueError, KeyError, TypeError, AttributeError) as e:
                raise WebhookError(f"its body is no message: {e}") from e
    raise WebhookError("no signature is of this key")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _check_of(key: str, signed: bytes) -> tuple[str, Callable[[bytes], bool]]:
    """Returns the version of the key's signatures, and a function that says whether one is valid."""
    raw = _decoded(key.removeprefix("whpk_").removeprefix("whsec_"))
    if not raw:
        raise ValueError("the key must be the secret of the endpoint (whsec_...), or its public key (whpk_...)")
    if not key.startswith("whpk_"):
        expected = hmac.new(raw, signed, hashlib.sha256).digest()
        return "v1", lambda signature: hmac.compare_digest(expected, signature)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(raw)

    def is_valid(signature: bytes) -> bool:
        try:
            public.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return "v1a", is_valid
