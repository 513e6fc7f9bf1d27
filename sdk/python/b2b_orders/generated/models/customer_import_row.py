from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CustomerImportRow")


@_attrs_define
class CustomerImportRow:
    """A customer to create, or what is to change of one. Absent fields keep their value.

    Attributes:
        email (str): The customer's email address, with a dot in its domain; trimmed, and compared whatever its case.
            Example: contact@techsolutions.com.
        name (str | Unset): The customer's name; not blank, without control characters. Example: Tech Solutions Inc.
        phone (None | str | Unset): The new phone number; null or an empty text clears it. Example: +1-555-0100.
        external_ref (None | str | Unset): Your new number for the customer; null clears it. Example: C-1008.
        id (int | Unset): Of an export; it is not read. In CSV it may be anything, such as a number of your own.
            Example: 2.
        created_at (str | Unset): Of an export; it is not read. Example: 2024-03-01T09:30:00.000Z.
        updated_at (str | Unset): Of an export; it is not read. Example: 2024-03-01T09:30:00.000Z.
        deleted_at (str | Unset): Of an export; a row with a time in it is refused, so that no file makes a deleted
            customer anew.
        refusal (str | Unset): Of a file of refused rows, as `b2b import` writes it; it is not read. Example: The
            request is not valid. /name is required..
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
