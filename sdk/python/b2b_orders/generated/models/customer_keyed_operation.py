from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CustomerKeyedOperation")


@_attrs_define
class CustomerKeyedOperation:
    """An operation that an idempotency key has carried out. The key is kept until `expires_at`.

    Attributes:
        operation (str): The `operationId` of the operation in this document. Extensible: others may be added to
            `createCustomer`. Example: createCustomer.
        customer_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        expires_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
    """

    operation: str
    customer_id: int
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        operation = self.operation

        customer_id = self.customer_id

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "operation": operation,
                "customer_id": customer_id,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        operation = d.pop("operation")

        customer_id = d.pop("customer_id")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        customer_keyed_operation = cls(
            operation=operation,
            customer_id=customer_id,
            expires_at=expires_at,
        )

        customer_keyed_operation.additional_properties = d
        return customer_keyed_operation

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
