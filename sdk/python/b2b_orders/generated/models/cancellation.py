from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.cancellation_cause import CancellationCause, check_cancellation_cause
from ..types import UNSET, Unset

T = TypeVar("T", bound="Cancellation")


@_attrs_define
class Cancellation:
    """
    Attributes:
        reason (str | Unset): Why, in your words; not blank, without control characters. The order shows it as
            `cancel_note`. Example: The customer changed their mind..
        cause (CancellationCause | Unset): What the order shows as `cancel_reason`; `requested` when it is left out.
            `compensation`, an order placed on the way to something that then failed, is for the services of this system,
            and only for an order that nobody has confirmed: else it is 412 `precondition_failed`. Example: requested.
    """

    reason: str | Unset = UNSET
    cause: CancellationCause | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        reason = self.reason

        cause: str | Unset = UNSET
        if not isinstance(self.cause, Unset):
            cause = self.cause

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if reason is not UNSET:
            field_dict["reason"] = reason
        if cause is not UNSET:
            field_dict["cause"] = cause

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        reason = d.pop("reason", UNSET)

        _cause = d.pop("cause", UNSET)
        cause: CancellationCause | Unset
        if isinstance(_cause, Unset):
            cause = UNSET
        else:
            cause = check_cancellation_cause(_cause)

        cancellation = cls(
            reason=reason,
            cause=cause,
        )

        return cancellation
