from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ApiErrorDetailParams")


@_attrs_define
class ApiErrorDetailParams:
    """The same for a program: strings, numbers and booleans. Which there are follows from the error's `code`, and others
    may be
    added. Of what breaks a rule of this document it is `rule`, its keyword in snake_case (`required`, `minimum`,
    `max_length`,
    `enum`, `format`, …) or a word such as `unknown_field`, `repeated`, `whole_number` or `unique`, and what belongs to
    the
    rule: `limit`, `type`, `format`, or `values` with spaces between them.

        Example:
            {'product_id': 2, 'sku': 'LAPTOP-HP-2024', 'requested': 5, 'available': 3}

    """

    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        api_error_detail_params = cls()

        api_error_detail_params.additional_properties = d
        return api_error_detail_params

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
