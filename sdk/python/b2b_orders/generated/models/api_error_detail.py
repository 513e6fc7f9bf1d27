from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.api_error_detail_params import ApiErrorDetailParams


T = TypeVar("T", bound="ApiErrorDetail")


@_attrs_define
class ApiErrorDetail:
    """A reason for an error, with the field that the reason concerns.

    Attributes:
        field (str): The field, as a JSON pointer into the body. A parameter is `/query/…`, `/path/…` or `/header/…`;
            the body as a whole is `/body`. Example: /items/0/qty.
        message (str): The reason, for a person. Example: product 2: asked 5, available 3.
        params (ApiErrorDetailParams | Unset): The reason for a program: strings, numbers and booleans. The error's
            `code` decides which there are; others may be added. For a
            value that breaks a rule of this document: `rule`, the keyword in snake_case (`required`, `minimum`,
            `max_length`, `enum`,
            `format`, …) or a word such as `unknown_field`, `repeated`, `whole_number` or `unique`; and, where the rule has
            them, `limit`,
            `type`, `format`, or `values` with spaces between them.
             Example: {'product_id': 2, 'sku': 'LAPTOP-HP-2024', 'requested': 5, 'available': 3}.
    """

    field: str
    message: str
    params: ApiErrorDetailParams | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        field = self.field

        message = self.message

        params: dict[str, Any] | Unset = UNSET
        if not isinstance(self.params, Unset):
            params = self.params.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "field": field,
                "message": message,
            }
        )
        if params is not UNSET:
            field_dict["params"] = params

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.api_error_detail_params import ApiErrorDetailParams

        d = dict(src_dict)
        field = d.pop("field")

        message = d.pop("message")

        _params = d.pop("params", UNSET)
        params: ApiErrorDetailParams | Unset
        if isinstance(_params, Unset):
            params = UNSET
        else:
            params = ApiErrorDetailParams.from_dict(_params)

        api_error_detail = cls(
            field=field,
            message=message,
            params=params,
        )

        api_error_detail.additional_properties = d
        return api_error_detail

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
