from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.order_metadata_type_0 import OrderMetadataType0


T = TypeVar("T", bound="OrderLineRow")


@_attrs_define
class OrderLineRow:
    """A line of an order, in a file that has a row for each line. An order of three lines has three rows.

    Attributes:
        product_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str): The product's code when the order was placed. Example: LAPTOP-HP-2024.
        name (str): The product's name when the order was placed; renaming the product does not change it. Example: HP
            EliteBook 840.
        qty (int): The number of pieces. Several lines of a request may have been merged into this item. Example: 2.
        unit_price_cents (int): The price of one piece when the order was placed, in cents. Example: 129900.
        subtotal_cents (int): An amount, in cents. Example: 259800.
        order_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        customer_id (int): The customer's id, from the Customers API. Example: 1.
        external_ref (None | str): The customer's own number for the order, such as the number of a purchase order;
            case-sensitive, without spaces at either end or control characters. No two orders of one customer have the same
            number, unless one of them is CANCELED. Example: PO-2024-0815.
        metadata (None | OrderMetadataType0): Your own data on the order, up to 20 texts of up to 500 characters, under
            names of up to 40 characters. The services do not use it. Example: {'cost_center': '4711', 'ordered_by': 'J.
            Doe'}.
        status (str): The status of the order. Extensible: others may be added to `CREATED`, `CONFIRMED`, `CANCELED`.
            Example: CREATED.
        created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        confirmed_at (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
        canceled_at (datetime.datetime | None): A time as in RFC 3339, in UTC with milliseconds; null when there is no
            such time, or not yet. Example: 2024-03-01T09:30:00.000Z.
    """

    product_id: int
    sku: str
    name: str
    qty: int
    unit_price_cents: int
    subtotal_cents: int
    order_id: int
    customer_id: int
    external_ref: None | str
    metadata: None | OrderMetadataType0
    status: str
    created_at: datetime.datetime
    confirmed_at: datetime.datetime | None
    canceled_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.order_metadata_type_0 import OrderMetadataType0

        product_id = self.product_id

        sku = self.sku

        name = self.name

        qty = self.qty

        unit_price_cents = self.unit_price_cents

        subtotal_cents = self.subtotal_cents

        order_id = self.order_id

        customer_id = self.customer_id

        external_ref: None | str
        external_ref = self.external_ref

        metadata: dict[str, Any] | None
        if isinstance(self.metadata, OrderMetadataType0):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        status = self.status

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

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "product_id": product_id,
                "sku": sku,
                "name": name,
                "qty": qty,
                "unit_price_cents": unit_price_cents,
                "subtotal_cents": subtotal_cents,
                "order_id": order_id,
                "customer_id": customer_id,
                "external_ref": external_ref,
                "metadata": metadata,
                "status": status,
                "created_at": created_at,
                "confirmed_at": confirmed_at,
                "canceled_at": canceled_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.order_metadata_type_0 import OrderMetadataType0

        d = dict(src_dict)
        product_id = d.pop("product_id")

        sku = d.pop("sku")

        name = d.pop("name")

        qty = d.pop("qty")

        unit_price_cents = d.pop("unit_price_cents")

        subtotal_cents = d.pop("subtotal_cents")

        order_id = d.pop("order_id")

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

        order_line_row = cls(
            product_id=product_id,
            sku=sku,
            name=name,
            qty=qty,
            unit_price_cents=unit_price_cents,
            subtotal_cents=subtotal_cents,
            order_id=order_id,
            customer_id=customer_id,
            external_ref=external_ref,
            metadata=metadata,
            status=status,
            created_at=created_at,
            confirmed_at=confirmed_at,
            canceled_at=canceled_at,
        )

        order_line_row.additional_properties = d
        return order_line_row

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
