from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewCustomer")


@_attrs_define
class NewCustomer:
    """
    Attributes:
        name (str): The customer's name; not blank, without control characters. Example: Tech Solutions Inc.
        email (str): The customer's email address; trimmed, and compared whatever its case. Example:
            contact@techsolutions.com.
        phone (None | str | Unset): The customer's phone number, or null. Example: +1-555-0200.
    """

    name: str
    email: str
    phone: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        email = self.email

        phone: None | str | Unset
        if isinstance(self.phone, Unset):
            phone = UNSET
        else:
            phone = self.phone

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "email": email,
            }
        )
        if phone is not UNSET:
            field_dict["phone"] = phone

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name")

        email = d.pop("email")

        def _parse_phone(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        phone = _parse_phone(d.pop("phone", UNSET))

        new_customer = cls(
            name=name,
            email=email,
            phone=phone,
        )

        return new_customer
