from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.orchestration_report import OrchestrationReport


T = TypeVar("T", bound="OrchestrationReportResponse")


@_attrs_define
class OrchestrationReportResponse:
    """
    Attributes:
        success (bool): Always true; every error has false here. Example: True.
        correlation_id (str): Identifies this call in the logs of every service that took part in the call. Example:
            req-12345.
        data (OrchestrationReport): The order of an idempotency key, as the call confirmed it, with its customer and its
            current status.
    """

    success: bool
    correlation_id: str
    data: OrchestrationReport
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        success = self.success

        correlation_id = self.correlation_id

        data = self.data.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "success": success,
                "correlationId": correlation_id,
                "data": data,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.orchestration_report import OrchestrationReport

        d = dict(src_dict)
        success = d.pop("success")

        correlation_id = d.pop("correlationId")

        data = OrchestrationReport.from_dict(d.pop("data"))

        orchestration_report_response = cls(
            success=success,
            correlation_id=correlation_id,
            data=data,
        )

        orchestration_report_response.additional_properties = d
        return orchestration_report_response

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
