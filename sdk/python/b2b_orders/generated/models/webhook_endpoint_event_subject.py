from typing import Literal

WebhookEndpointEventSubject = Literal["webhook_endpoint"]

WEBHOOK_ENDPOINT_EVENT_SUBJECT_VALUES: set[WebhookEndpointEventSubject] = {
    "webhook_endpoint",
}


def check_webhook_endpoint_event_subject(value: str) -> WebhookEndpointEventSubject:
    if value in WEBHOOK_ENDPOINT_EVENT_SUBJECT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {WEBHOOK_ENDPOINT_EVENT_SUBJECT_VALUES!r}"
    )
