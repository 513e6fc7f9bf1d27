from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.change_event_representation import ChangeEventRepresentation


T = TypeVar("T", bound="FeedEvent")


@_attrs_define
class FeedEvent:
    """An event with its position in the feed. Read an event by its `subject`: `order` as an `OrderEvent`, `product` as a
    `ProductEvent`,
    `customer` as a `CustomerEvent`, `webhook_endpoint` as a `WebhookEndpointEvent`. Pass over an event of a subject
    that you
    do not know. An event from before an update of the service lacks the fields that came with the update.

        Attributes:
            id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
            type_ (str): The kind of change. `product.updated` is a change of a product's name, its price or its `active`;
                `stock.adjusted` is a change of its stock other than by an order, because an order has events of its own. After
                `webhook_endpoint.disabled` nothing more is sent to a webhook endpoint; see its `disabled_reason`. Extensible:
                others may be added to `order.created`, `order.confirmed`, `order.canceled`, `product.created`,
                `product.updated`, `stock.adjusted`, `customer.created`, `customer.updated`, `customer.deleted`,
                `webhook_endpoint.disabled`. Example: order.created.
            subject (str): The kind of thing that changed. Extensible: others may be added to `order`, `product`,
                `customer`, `webhook_endpoint`. Example: order.
            subject_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
            customer_id (int | None): The id of the customer whom the event concerns; null when it concerns no customer, as
                for a product. Example: 1.
            actor (str): The author of the change: the token's `sub`; `anonymous` without a token; `service`, a service of
                this system on its own; `system`, the program itself, such as when a reservation expires. Example: erp@acme.com.
            correlation_id (None | str): The correlation id of the call that made the change; null when no call made it.
                Example: req-12345.
            created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
                2024-03-01T09:30:00.000Z.
            representation (ChangeEventRepresentation): The thing right after the change, as a read returned it in `data` at
                that moment. A deleted customer has its `deleted_at`. Example: {'id': 3, 'customer_id': 1, 'status': 'CREATED',
                'total_cents': 259800}.
            position (int): A position in the feed; 0 is before the first event. The first event has position 1, each next
                event the next number. Example: 15.
    """

    id: int
    type_: str
    subject: str
    subject_id: int
    customer_id: int | None
    actor: str
    correlation_id: None | str
    created_at: datetime.datetime
    representation: ChangeEventRepresentation
    position: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        type_ = self.type_

        subject = self.subject

        subject_id = self.subject_id

        customer_id: int | None
        customer_id = self.customer_id

        actor = self.actor

        correlation_id: None | str
        correlation_id = self.correlation_id

        created_at = self.created_at.isoformat()

        representation = self.representation.to_dict()

        position = self.position

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "type": type_,
                "subject": subject,
                "subject_id": subject_id,
                "customer_id": customer_id,
                "actor": actor,
                "correlation_id": correlation_id,
                "created_at": created_at,
                "representation": representation,
                "position": position,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.change_event_representation import ChangeEventRepresentation

        d = dict(src_dict)
        id = d.pop("id")

        type_ = d.pop("type")

        subject = d.pop("subject")

        subject_id = d.pop("subject_id")

        def _parse_customer_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        customer_id = _parse_customer_id(d.pop("customer_id"))

        actor = d.pop("actor")

        def _parse_correlation_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        correlation_id = _parse_correlation_id(d.pop("correlation_id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        representation = ChangeEventRepresentation.from_dict(d.pop("representation"))

        position = d.pop("position")

        feed_event = cls(
            id=id,
            type_=type_,
            subject=subject,
            subject_id=subject_id,
            customer_id=customer_id,
            actor=actor,
            correlation_id=correlation_id,
            created_at=created_at,
            representation=representation,
            position=position,
        )

        feed_event.additional_properties = d
        return feed_event

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
