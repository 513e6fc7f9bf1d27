from typing import Literal

WebhookSignature = Literal["ed25519", "hmac-sha256"]

WEBHOOK_SIGNATURE_VALUES: set[WebhookSignature] = {
    "ed25519",
    "hmac-sha256",
}


def check_webhook_signature(value: str) -> WebhookSignature:
    if value in WEBHOOK_SIGNATURE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {WEBHOOK_SIGNATURE_VALUES!r}"
    )
