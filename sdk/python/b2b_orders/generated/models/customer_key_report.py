from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.customer_keyed_operation import CustomerKeyedOperation


T = TypeVar("T", bound="CustomerKeyReport")


@_attrs_define
class CustomerKeyReport:
    """The operations that an idempotency key has carried out.

    Attributes:
        idempotency_key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor `..`, which a
            path cannot have. Example: po-4711.
        operations (list[CustomerKeyedOperation]): The operations that the key has carried out.
    """

    idempotency_key: str
    operations: list[CustomerKeyedOperation]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        idempotency_key = self.idempotency_key

        operations = []
        for operations_item_data in self.operations:
            operations_item = operations_item_data.to_dict()
            operations.append(operations_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "idempotency_key": idempotency_key,
                "operations": operations,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.customer_keyed_operation import CustomerKeyedOperation

        d = dict(src_dict)
        idempotency_key = d.pop("idempotency_key")

        operations = []
        _operations = d.pop("operations")
        for operations_item_data in _operations:
            operations_item = CustomerKeyedOperation.from_dict(operations_item_data)

            operations.append(operations_item)

        customer_key_report = cls(
            idempotency_key=idempotency_key,
            operations=operations,
        )

        customer_key_report.additional_properties = d
        return customer_key_report

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
