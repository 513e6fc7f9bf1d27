from __future__ import annotations

from typing import Any, Self


class ChangeEventRepresentation(dict[str, Any]):
    """The thing right after the change, as a read returned it in `data` at that moment. A deleted customer has its
    `deleted_at`.

        Example:
            {'id': 3, 'customer_id': 1, 'status': 'CREATED', 'total_cents': 259800}

    """

    @property
    def additional_properties(self) -> dict[str, Any]:
        return self

    def to_dict(self) -> dict[str, Any]:
        return dict(self)

    @classmethod
    def from_dict(cls, src_dict: dict[str, Any]) -> Self:
        return cls(src_dict)
