from typing import Literal

ListSort = Literal["-created_at", "created_at"]

LIST_SORT_VALUES: set[ListSort] = {
    "-created_at",
    "created_at",
}


def check_list_sort(value: str) -> ListSort:
    if value in LIST_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_SORT_VALUES!r}")
