from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.order_item_request import OrderItemRequest
    from ..models.order_metadata_type_0 import OrderMetadataType0


T = TypeVar("T", bound="OrderRequest")


@_attrs_define
class OrderRequest:
    """An order to place.

    Attributes:
        customer_id (int): The customer's id, from the Customers API. Example: 1.
        items (list[OrderItemRequest]): The lines of the order.
        expected_total_cents (int | Unset): The total that you expect, in cents. When the order costs anything else, the
            call is refused with 409 `total_changed`, and no stock is taken. The expected total is not stored with the
            order. Example: 259800.
        external_ref (None | str | Unset): The customer's own number for the order, such as the number of a purchase
            order; case-sensitive, without spaces at either end or control characters. No two orders of one customer have
            the same number, unless one of them is CANCELED. Example: PO-2024-0815.
        metadata (None | OrderMetadataType0 | Unset): Your own data on the order, up to 20 texts of up to 500
            characters, under names of up to 40 characters. The services do not use it. Example: {'cost_center': '4711',
            'ordered_by': 'J. Doe'}.
    """

    customer_id: int
    items: list[OrderItemRequest]
    expected_total_cents: int | Unset = UNSET
    external_ref: None | str | Unset = UNSET
    metadata: None | OrderMetadataType0 | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.order_metadata_type_0 import OrderMetadataType0

        customer_id = self.customer_id

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        expected_total_cents = self.expected_total_cents

        external_ref: None | str | Unset
        if isinstance(self.external_ref, Unset):
            external_ref = UNSET
        else:
            external_ref = self.external_ref

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, OrderMetadataType0):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "customer_id": customer_id,
                "items": items,
            }
        )
        if expected_total_cents is not UNSET:
            field_dict["expected_total_cents"] = expected_total_cents
        if external_ref is not UNSET:
            field_dict["external_ref"] = external_ref
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.order_item_request import OrderItemRequest
        from ..models.order_metadata_type_0 import OrderMetadataType0

        d = dict(src_dict)
        customer_id = d.pop("customer_id")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = OrderItemRequest.from_dict(items_item_data)

            items.append(items_item)

        expected_total_cents = d.pop("expected_total_cents", UNSET)

        def _parse_external_ref(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        external_ref = _parse_external_ref(d.pop("external_ref", UNSET))

        def _parse_metadata(data: object) -> None | OrderMetadataType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
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
            return cast(None | OrderMetadataType0 | Unset, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        order_request = cls(
            customer_id=customer_id,
            items=items,
            expected_total_cents=expected_total_cents,
            external_ref=external_ref,
            metadata=metadata,
        )

        return order_request
