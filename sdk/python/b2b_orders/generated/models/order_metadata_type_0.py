from __future__ import annotations

from typing import Any, Self


class OrderMetadataType0(dict[str, str]):
    """Your own data on the order, up to 20 texts of up to 500 characters, under names of up to 40 characters. The services
    do not use it.

        Example:
            {'cost_center': '4711', 'ordered_by': 'J. Doe'}

    """

    @property
    def additional_properties(self) -> dict[str, str]:
        return self

    def to_dict(self) -> dict[str, Any]:
        return dict(self)

    @classmethod
    def from_dict(cls, src_dict: dict[str, str]) -> Self:
        return cls(src_dict)
