from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CustomerImportRow")


@_attrs_define
class CustomerImportRow:
    """A customer to create, or the changes of the customer with this `email`. Absent fields keep their values.

    Attributes:
        email (str): The customer's email address, with a dot in its domain; trimmed, and compared whatever its case.
            Example: contact@techsolutions.com.
        name (str | Unset): The customer's name; not blank, without control characters. Example: Tech Solutions Inc.
        phone (None | str | Unset): The new phone number; null or an empty text clears it. Example: +1-555-0100.
        external_ref (None | str | Unset): Your new number for the customer; null clears it. Example: C-1008.
        id (int | Unset): The `id` in an export, which imports do not read. In CSV this column may have anything, such
            as numbers of your own. Example: 2.
        created_at (str | Unset): The `created_at` in an export, which imports do not read. Example:
            2024-03-01T09:30:00.000Z.
        updated_at (str | Unset): The `updated_at` in an export, which imports do not read. Example:
            2024-03-01T09:30:00.000Z.
        deleted_at (str | Unset): The `deleted_at` in an export. A row with a time here is refused, so that no file
            makes a deleted customer anew.
        refusal (str | Unset): The reason for a refusal, in a file of refused rows that `b2b import` has written;
            imports do not read this field. Example: The request is not valid. /name is required..
    """

    email: str
    name: str | Unset = UNSET
    phone: None | str | Unset = UNSET
    external_ref: None | str | Unset = UNSET
    id: int | Unset = UNSET
    created_at: str | Unset = UNSET
    updated_at: str | Unset = UNSET
    deleted_at: str | Unset = UNSET
    refusal: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        name = self.name

        phone: None | str | Unset
        if isinstance(self.phone, Unset):
            phone = UNSET
        else:
            phone = self.phone

        external_ref: None | str | Unset
        if isinstance(self.external_ref, Unset):
            external_ref = UNSET
        else:
            external_ref = self.external_ref

        id = self.id

        created_at = self.created_at

        updated_at = self.updated_at

        deleted_at = self.deleted_at

        refusal = self.refusal

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "email": email,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name
        if phone is not UNSET:
            field_dict["phone"] = phone
        if external_ref is not UNSET:
            field_dict["external_ref"] = external_ref
        if id is not UNSET:
            field_dict["id"] = id
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if deleted_at is not UNSET:
            field_dict["deleted_at"] = deleted_at
        if refusal is not UNSET:
            field_dict["refusal"] = refusal

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        email = d.pop("email")

        name = d.pop("name", UNSET)

        def _parse_phone(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        phone = _parse_phone(d.pop("phone", UNSET))

        def _parse_external_ref(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        external_ref = _parse_external_ref(d.pop("external_ref", UNSET))

        id = d.pop("id", UNSET)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        deleted_at = d.pop("deleted_at", UNSET)

        refusal = d.pop("refusal", UNSET)

        customer_import_row = cls(
            email=email,
            name=name,
            phone=phone,
            external_ref=external_ref,
            id=id,
            created_at=created_at,
            updated_at=updated_at,
            deleted_at=deleted_at,
            refusal=refusal,
        )

        return customer_import_row
