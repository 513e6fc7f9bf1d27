from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.ordering_customer import OrderingCustomer
    from ..models.placed_order import PlacedOrder


T = TypeVar("T", bound="Orchestration")


@_attrs_define
class Orchestration:
    """A confirmed order with its customer.

    Attributes:
        customer (OrderingCustomer): The customer of an order.
        order (PlacedOrder): An order as the call confirmed it.
    """

    customer: OrderingCustomer
    order: PlacedOrder
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        customer = self.customer.to_dict()

        order = self.order.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "customer": customer,
                "order": order,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.ordering_customer import OrderingCustomer
        from ..models.placed_order import PlacedOrder

        d = dict(src_dict)
        customer = OrderingCustomer.from_dict(d.pop("customer"))

        order = PlacedOrder.from_dict(d.pop("order"))

        orchestration = cls(
            customer=customer,
            order=order,
        )

        orchestration.additional_properties = d
        return orchestration

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
