from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.feed_event import FeedEvent


T = TypeVar("T", bound="WebhookMessage")


@_attrs_define
class WebhookMessage:
    """The body of a request to a webhook endpoint. Check the signature of its bytes before you read it.

    Attributes:
        type_ (str): The type of the event; or `webhook_endpoint.test` for a test, which is no event: its `data` shows
            the endpoint, at position 0. Example: order.confirmed.
        timestamp (datetime.datetime): The time of the event. Example: 2024-03-01T09:30:00.000Z.
        data (FeedEvent): An event with its position in the feed. Read an event by its `subject`: `order` as an
            `OrderEvent`, `product` as a `ProductEvent`,
            `customer` as a `CustomerEvent`, `webhook_endpoint` as a `WebhookEndpointEvent`. Pass over an event of a subject
            that you
            do not know. An event from before an update of the service lacks the fields that came with the update.
    """

    type_: str
    timestamp: datetime.datetime
    data: FeedEvent
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        timestamp = self.timestamp.isoformat()

        data = self.data.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
                "timestamp": timestamp,
                "data": data,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.feed_event import FeedEvent

        d = dict(src_dict)
        type_ = d.pop("type")

        timestamp = datetime.datetime.fromisoformat(d.pop("timestamp"))

        data = FeedEvent.from_dict(d.pop("data"))

        webhook_message = cls(
            type_=type_,
            timestamp=timestamp,
            data=data,
        )

        webhook_message.additional_properties = d
        return webhook_message

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
