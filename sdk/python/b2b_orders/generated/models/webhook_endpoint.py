from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="WebhookEndpoint")


@_attrs_define
class WebhookEndpoint:
    """An address to which events are sent, without its secret.

    Attributes:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        customer_id (int | None): The id of the customer whose events the endpoint gets; null for the events of all
            customers. Example: 1.
        url (str): The address to which events are sent: `https://`, with a name that everybody can resolve. In
            development `http://` works, too. Addresses of
            private networks are refused, unless the deployment allows them.
             Example: https://erp.acme.example/webhooks.
        description (None | str): Your description of the endpoint. Example: The ERP of ACME.
        types (list[str]): The types of the events that are sent. An empty list stands for all types that the endpoint
            may get, also types that come later. Example: ['order.created', 'order.confirmed', 'order.canceled'].
        subjects (list[str]): The kinds of things whose events the endpoint may get, because its creator's token could
            read them.
        signature (str): The method that signs messages. Extensible: others may be added to `hmac-sha256`, `ed25519`.
            Example: hmac-sha256.
        public_key (None | str): The key that checks signatures of `ed25519`, after a rotation the new key; null for
            `hmac-sha256`.
        previous_secret_until (datetime.datetime | None): The time until when messages are also signed with the secret
            before the last rotation; null without such a secret. Example: 2024-03-01T09:30:00.000Z.
        enabled (bool): Whether events are sent to the endpoint. Example: True.
        disabled_at (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
        disabled_reason (None | str): The reason why the endpoint is disabled: `requested` by a call, `failing` for
            three days, or `gone` because it answered 410; null for an enabled endpoint. Extensible: others may be added to
            `requested`, `failing`, `gone`.
        position (int): The position up to which the endpoint has its events. Example: 15.
        failures (int): The number of failures in a row of the next event. Example: 0.
        failing_since (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
        next_attempt_at (datetime.datetime | None): The end of the wait after a failure; null without a wait. Example:
            2024-03-01T09:30:00.000Z.
        created_by (str): The caller who created the endpoint, as in `actor` of events. Example: erp@acme.com.
        created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        updated_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
    """

    id: int
    customer_id: int | None
    url: str
    description: None | str
    types: list[str]
    subjects: list[str]
    signature: str
    public_key: None | str
    previous_secret_until: datetime.datetime | None
    enabled: bool
    disabled_at: datetime.datetime | None
    disabled_reason: None | str
    position: int
    failures: int
    failing_since: datetime.datetime | None
    next_attempt_at: datetime.datetime | None
    created_by: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        customer_id: int | None
        customer_id = self.customer_id

        url = self.url

        description: None | str
        description = self.description

        types = self.types

        subjects = self.subjects

        signature = self.signature

        public_key: None | str
        public_key = self.public_key

        previous_secret_until: None | str
        if isinstance(self.previous_secret_until, datetime.datetime):
            previous_secret_until = self.previous_secret_until.isoformat()
        else:
            previous_secret_until = self.previous_secret_until

        enabled = self.enabled

        disabled_at: None | str
        if isinstance(self.disabled_at, datetime.datetime):
            disabled_at = self.disabled_at.isoformat()
        else:
            disabled_at = self.disabled_at

        disabled_reason: None | str
        disabled_reason = self.disabled_reason

        position = self.position

        failures = self.failures

        failing_since: None | str
        if isinstance(self.failing_since, datetime.datetime):
            failing_since = self.failing_since.isoformat()
        else:
            failing_since = self.failing_since

        next_attempt_at: None | str
        if isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        created_by = self.created_by

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "customer_id": customer_id,
                "url": url,
                "description": description,
                "types": types,
                "subjects": subjects,
                "signature": signature,
                "public_key": public_key,
                "previous_secret_until": previous_secret_until,
                "enabled": enabled,
                "disabled_at": disabled_at,
                "disabled_reason": disabled_reason,
                "position": position,
                "failures": failures,
                "failing_since": failing_since,
                "next_attempt_at": next_attempt_at,
                "created_by": created_by,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        def _parse_customer_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        customer_id = _parse_customer_id(d.pop("customer_id"))

        url = d.pop("url")

        def _parse_description(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        description = _parse_description(d.pop("description"))

        types = cast(list[str], d.pop("types"))

        subjects = cast(list[str], d.pop("subjects"))

        signature = d.pop("signature")

        def _parse_public_key(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        public_key = _parse_public_key(d.pop("public_key"))

        def _parse_previous_secret_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                previous_secret_until_type_0 = datetime.datetime.fromisoformat(data)

                return previous_secret_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        previous_secret_until = _parse_previous_secret_until(
            d.pop("previous_secret_until")
        )

        enabled = d.pop("enabled")

        def _parse_disabled_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_nullable_timestamp_type_0 = (
                    datetime.datetime.fromisoformat(data)
                )

                return componentsschemas_nullable_timestamp_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        disabled_at = _parse_disabled_at(d.pop("disabled_at"))

        def _parse_disabled_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        disabled_reason = _parse_disabled_reason(d.pop("disabled_reason"))

        position = d.pop("position")

        failures = d.pop("failures")

        def _parse_failing_since(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_nullable_timestamp_type_0 = (
                    datetime.datetime.fromisoformat(data)
                )

                return componentsschemas_nullable_timestamp_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        failing_since = _parse_failing_since(d.pop("failing_since"))

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at"))

        created_by = d.pop("created_by")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        webhook_endpoint = cls(
            id=id,
            customer_id=customer_id,
            url=url,
            description=description,
            types=types,
            subjects=subjects,
            signature=signature,
            public_key=public_key,
            previous_secret_until=previous_secret_until,
            enabled=enabled,
            disabled_at=disabled_at,
            disabled_reason=disabled_reason,
            position=position,
            failures=failures,
            failing_since=failing_since,
            next_attempt_at=next_attempt_at,
            created_by=created_by,
            created_at=created_at,
            updated_at=updated_at,
        )

        webhook_endpoint.additional_properties = d
        return webhook_endpoint

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
