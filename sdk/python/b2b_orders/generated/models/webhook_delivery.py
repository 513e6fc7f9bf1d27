from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="WebhookDelivery")


@_attrs_define
class WebhookDelivery:
    """An attempt to send a message, or a record that events were skipped.

    Attributes:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        webhook_id (None | str): The `webhook-id` of the message, the same in each attempt; null where nothing was sent.
            Example: evt_17.
        type_ (None | str): The type of the event, or `webhook_endpoint.test`; null where nothing was sent. Example:
            order.confirmed.
        position (int | None): The position of the event, or of the last skipped event; null for a test. Example: 15.
        attempted_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        outcome (str): `delivered`, a status from 200 to 299; `refused`, another status; `failed`, no answer; `skipped`,
            events that were deleted before the endpoint could get them: read everything again, as after 410
            `events_expired`. Extensible: others may be added to `delivered`, `refused`, `failed`, `skipped`. Example:
            delivered.
        status (int | None): The HTTP status of the answer; null without an answer. Example: 204.
        duration_ms (int): The duration of the attempt, in milliseconds. Example: 38.
        answer (None | str): The beginning of the answer's body; null without a body.
        failure (None | str): The reason why there was no answer, for a person; null with an answer.
    """

    id: int
    webhook_id: None | str
    type_: None | str
    position: int | None
    attempted_at: datetime.datetime
    outcome: str
    status: int | None
    duration_ms: int
    answer: None | str
    failure: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        webhook_id: None | str
        webhook_id = self.webhook_id

        type_: None | str
        type_ = self.type_

        position: int | None
        position = self.position

        attempted_at = self.attempted_at.isoformat()

        outcome = self.outcome

        status: int | None
        status = self.status

        duration_ms = self.duration_ms

        answer: None | str
        answer = self.answer

        failure: None | str
        failure = self.failure

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "webhook_id": webhook_id,
                "type": type_,
                "position": position,
                "attempted_at": attempted_at,
                "outcome": outcome,
                "status": status,
                "duration_ms": duration_ms,
                "answer": answer,
                "failure": failure,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        def _parse_webhook_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        webhook_id = _parse_webhook_id(d.pop("webhook_id"))

        def _parse_type_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        type_ = _parse_type_(d.pop("type"))

        def _parse_position(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        position = _parse_position(d.pop("position"))

        attempted_at = datetime.datetime.fromisoformat(d.pop("attempted_at"))

        outcome = d.pop("outcome")

        def _parse_status(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        status = _parse_status(d.pop("status"))

        duration_ms = d.pop("duration_ms")

        def _parse_answer(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        answer = _parse_answer(d.pop("answer"))

        def _parse_failure(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        failure = _parse_failure(d.pop("failure"))

        webhook_delivery = cls(
            id=id,
            webhook_id=webhook_id,
            type_=type_,
            position=position,
            attempted_at=attempted_at,
            outcome=outcome,
            status=status,
            duration_ms=duration_ms,
            answer=answer,
            failure=failure,
        )

        webhook_delivery.additional_properties = d
        return webhook_delivery

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
