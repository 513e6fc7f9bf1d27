from typing import Literal

NewestFirstListSort = Literal["-created_at", "created_at"]

NEWEST_FIRST_LIST_SORT_VALUES: set[NewestFirstListSort] = {
    "-created_at",
    "created_at",
}


def check_newest_first_list_sort(value: str) -> NewestFirstListSort:
    if value in NEWEST_FIRST_LIST_SORT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {NEWEST_FIRST_LIST_SORT_VALUES!r}"
    )
