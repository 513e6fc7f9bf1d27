from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Health")


@_attrs_define
class Health:
    """Says which program answers.

    Attributes:
        status (str): Always `ok`. Example: ok.
        service (str): The name of the service that answered. Example: orders-api.
        version (str): The version of the program. Example: 1.4.0.
        replica (str | Unset): Only in `/ready` of a service that has a replica of its database (`DB_READ_HOST`). `used`
            means that reads that may lag come
            from the replica. With `lags` (too much) or `away` (no answer, or another database) they come from the primary.
             Extensible: others may be added to `used`, `lags`, `away`. Example: used.
    """

    status: str
    service: str
    version: str
    replica: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        service = self.service

        version = self.version

        replica = self.replica

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "service": service,
                "version": version,
            }
        )
        if replica is not UNSET:
            field_dict["replica"] = replica

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = d.pop("status")

        service = d.pop("service")

        version = d.pop("version")

        replica = d.pop("replica", UNSET)

        health = cls(
            status=status,
            service=service,
            version=version,
            replica=replica,
        )

        health.additional_properties = d
        return health

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
