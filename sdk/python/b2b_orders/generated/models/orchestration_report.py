from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.ordering_customer import OrderingCustomer
    from ..models.placed_order import PlacedOrder


T = TypeVar("T", bound="OrchestrationReport")


@_attrs_define
class OrchestrationReport:
    """The order of an idempotency key, as the call confirmed it, with its customer and its current status.

    Attributes:
        customer (OrderingCustomer): The customer of an order.
        order (PlacedOrder): An order as the call confirmed it.
        current_status (str): The status of the order. Extensible: others may be added to `CREATED`, `CONFIRMED`,
            `CANCELED`. Example: CREATED.
    """

    customer: OrderingCustomer
    order: PlacedOrder
    current_status: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        customer = self.customer.to_dict()

        order = self.order.to_dict()

        current_status = self.current_status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "customer": customer,
                "order": order,
                "current_status": current_status,
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

        current_status = d.pop("current_status")

        orchestration_report = cls(
            customer=customer,
            order=order,
            current_status=current_status,
        )

        orchestration_report.additional_properties = d
        return orchestration_report

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
