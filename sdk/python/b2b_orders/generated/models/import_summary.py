from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ImportSummary")


@_attrs_define
class ImportSummary:
    """The result of an import. A dry run counts the results that the rows would have.

    Attributes:
        complete (bool): Whether the file was read to its end. If not, `code` and `error` say why, and rows without a
            line may or may not be imported: repeat the call. Example: True.
        dry_run (bool): Whether the import was a dry run, which changes nothing. Example: False.
        rows (int): The number of rows with a line in the answer. Example: 3.
        created (int): The number of rows that created a product or customer. Example: 3.
        updated (int): The number of rows that changed a product or customer. Example: 3.
        unchanged (int): The number of rows that changed nothing. Example: 3.
        refused (int): The number of refused rows. Example: 3.
        code (str | Unset): The code of an error. Codes are stable; programs branch on them. Extensible: others may be
            added to `malformed_json`, `malformed_row`, `validation_failed`, `idempotency_key_required`,
            `insufficient_stock`, `product_inactive`, `order_not_confirmable`, `cancel_window_closed`, `unauthorized`,
            `forbidden`, `not_found`, `customer_not_found`, `product_not_found`, `order_not_found`,
            `webhook_endpoint_not_found`, `idempotency_key_unknown`, `order_incomplete`, `method_not_allowed`,
            `request_timeout`, `email_taken`, `external_ref_taken`, `total_changed`, `sku_taken`,
            `too_many_webhook_endpoints`, `events_expired`, `precondition_failed`, `payload_too_large`,
            `unsupported_media_type`, `idempotency_key_reused`, `rate_limited`, `internal`, `customers_unavailable`,
            `upstream_unavailable`, `unavailable`, `timeout`. Example: validation_failed.
        error (str | Unset): The reason why the file was not read to its end, for a person. Example: The service could
            not finish in time; try again..
    """

    complete: bool
    dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    code: str | Unset = UNSET
    error: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        complete = self.complete

        dry_run = self.dry_run

        rows = self.rows

        created = self.created

        updated = self.updated

        unchanged = self.unchanged

        refused = self.refused

        code = self.code

        error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "complete": complete,
                "dry_run": dry_run,
                "rows": rows,
                "created": created,
                "updated": updated,
                "unchanged": unchanged,
                "refused": refused,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if error is not UNSET:
            field_dict["error"] = error

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        complete = d.pop("complete")

        dry_run = d.pop("dry_run")

        rows = d.pop("rows")

        created = d.pop("created")

        updated = d.pop("updated")

        unchanged = d.pop("unchanged")

        refused = d.pop("refused")

        code = d.pop("code", UNSET)

        error = d.pop("error", UNSET)

        import_summary = cls(
            complete=complete,
            dry_run=dry_run,
            rows=rows,
            created=created,
            updated=updated,
            unchanged=unchanged,
            refused=refused,
            code=code,
            error=error,
        )

        import_summary.additional_properties = d
        return import_summary

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
