from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.order_item import OrderItem
    from ..models.order_metadata_type_0 import OrderMetadataType0


T = TypeVar("T", bound="Order")


@_attrs_define
class Order:
    """An order with its items.

    Attributes:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        customer_id (int): The customer's id, from the Customers API. Example: 1.
        external_ref (None | str): The customer's own number for the order, such as the number of a purchase order;
            case-sensitive, without spaces at either end or control characters. No two orders of one customer have the same
            number, unless one of them is CANCELED. Example: PO-2024-0815.
        metadata (None | OrderMetadataType0): Your own data on the order, up to 20 texts of up to 500 characters, under
            names of up to 40 characters. The services do not use it. Example: {'cost_center': '4711', 'ordered_by': 'J.
            Doe'}.
        status (str): The status of the order. Extensible: others may be added to `CREATED`, `CONFIRMED`, `CANCELED`.
            Example: CREATED.
        total_cents (int): An amount, in cents. Example: 259800.
        created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        confirmed_at (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
        canceled_at (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
        cancel_reason (None | str): The reason why the order is CANCELED; null for any other order. `requested`: a
            caller canceled the order. `reservation_expired`: nobody confirmed the order in time. `compensation`: the order
            was placed and could not be confirmed. Extensible: others may be added to `requested`, `reservation_expired`,
            `compensation`. Example: requested.
        cancel_note (None | str): The `reason` that was given when the order was canceled; null when no reason was
            given. Example: The customer changed their mind..
        canceled_by (None | str): The author of the cancellation, as in `actor` of the event: the token's `sub`, or
            `system` when the reservation expired. Null for an order that is not CANCELED. Example: erp@acme.com.
        reservation_expires_at (datetime.datetime | None): The time at which a CREATED order is canceled by itself and
            its stock returns, unless the order is confirmed before; null for any other order, or when reservations do not
            end. Example: 2024-03-02T09:30:00.000Z.
        cancelable_until (datetime.datetime | None): The last moment at which a CONFIRMED order may be canceled; null
            when canceling is not limited or not possible. Example: 2024-03-01T09:41:00.000Z.
        allowed_actions (list[str]): The actions that the order allows at the moment of this answer.
        updated_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        items (list[OrderItem]): One item for each product, in ascending product id.
    """

    id: int
    customer_id: int
    external_ref: None | str
    metadata: None | OrderMetadataType0
    status: str
    total_cents: int
    created_at: datetime.datetime
    confirmed_at: datetime.datetime | None
    canceled_at: datetime.datetime | None
    cancel_reason: None | str
    cancel_note: None | str
    canceled_by: None | str
    reservation_expires_at: datetime.datetime | None
    cancelable_until: datetime.datetime | None
    allowed_actions: list[str]
    updated_at: datetime.datetime
    items: list[OrderItem]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.order_metadata_type_0 import OrderMetadataType0

        id = self.id

        customer_id = self.customer_id

        external_ref: None | str
        external_ref = self.external_ref

        metadata: dict[str, Any] | None
        if isinstance(self.metadata, OrderMetadataType0):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        status = self.status

        total_cents = self.total_cents

        created_at = self.created_at.isoformat()

        confirmed_at: None | str
        if isinstance(self.confirmed_at, datetime.datetime):
            confirmed_at = self.confirmed_at.isoformat()
        else:
            confirmed_at = self.confirmed_at

        canceled_at: None | str
        if isinstance(self.canceled_at, datetime.datetime):
            canceled_at = self.canceled_at.isoformat()
        else:
            canceled_at = self.canceled_at

        cancel_reason: None | str
        cancel_reason = self.cancel_reason

        cancel_note: None | str
        cancel_note = self.cancel_note

        canceled_by: None | str
        canceled_by = self.canceled_by

        reservation_expires_at: None | str
        if isinstance(self.reservation_expires_at, datetime.datetime):
            reservation_expires_at = self.reservation_expires_at.isoformat()
        else:
            reservation_expires_at = self.reservation_expires_at

        cancelable_until: None | str
        if isinstance(self.cancelable_until, datetime.datetime):
            cancelable_until = self.cancelable_until.isoformat()
        else:
            cancelable_until = self.cancelable_until

        allowed_actions = self.allowed_actions

        updated_at = self.updated_at.isoformat()

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "customer_id": customer_id,
                "external_ref": external_ref,
                "metadata": metadata,
                "status": status,
                "total_cents": total_cents,
                "created_at": created_at,
                "confirmed_at": confirmed_at,
                "canceled_at": canceled_at,
                "cancel_reason": cancel_reason,
                "cancel_note": cancel_note,
                "canceled_by": canceled_by,
                "reservation_expires_at": reservation_expires_at,
                "cancelable_until": cancelable_until,
                "allowed_actions": allowed_actions,
                "updated_at": updated_at,
                "items": items,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.order_item import OrderItem
        from ..models.order_metadata_type_0 import OrderMetadataType0

        d = dict(src_dict)
        id = d.pop("id")

        customer_id = d.pop("customer_id")

        def _parse_external_ref(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        external_ref = _parse_external_ref(d.pop("external_ref"))

        def _parse_metadata(data: object) -> None | OrderMetadataType0:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_order_metadata_type_0 = OrderMetadataType0.from_dict(
                    data
                )

                return componentsschemas_order_metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OrderMetadataType0, data)

        metadata = _parse_metadata(d.pop("metadata"))

        status = d.pop("status")

        total_cents = d.pop("total_cents")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_confirmed_at(data: object) -> datetime.datetime | None:
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

        confirmed_at = _parse_confirmed_at(d.pop("confirmed_at"))

        def _parse_canceled_at(data: object) -> datetime.datetime | None:
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

        canceled_at = _parse_canceled_at(d.pop("canceled_at"))

        def _parse_cancel_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        cancel_reason = _parse_cancel_reason(d.pop("cancel_reason"))

        def _parse_cancel_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        cancel_note = _parse_cancel_note(d.pop("cancel_note"))

        def _parse_canceled_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        canceled_by = _parse_canceled_by(d.pop("canceled_by"))

        def _parse_reservation_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reservation_expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return reservation_expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        reservation_expires_at = _parse_reservation_expires_at(
            d.pop("reservation_expires_at")
        )

        def _parse_cancelable_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                cancelable_until_type_0 = datetime.datetime.fromisoformat(data)

                return cancelable_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        cancelable_until = _parse_cancelable_until(d.pop("cancelable_until"))

        allowed_actions = cast(list[str], d.pop("allowed_actions"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = OrderItem.from_dict(items_item_data)

            items.append(items_item)

        order = cls(
            id=id,
            customer_id=customer_id,
            external_ref=external_ref,
            metadata=metadata,
            status=status,
            total_cents=total_cents,
            created_at=created_at,
            confirmed_at=confirmed_at,
            canceled_at=canceled_at,
            cancel_reason=cancel_reason,
            cancel_note=cancel_note,
            canceled_by=canceled_by,
            reservation_expires_at=reservation_expires_at,
            cancelable_until=cancelable_until,
            allowed_actions=allowed_actions,
            updated_at=updated_at,
            items=items,
        )

        order.additional_properties = d
        return order

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
