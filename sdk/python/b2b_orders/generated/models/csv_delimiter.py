from typing import Literal

CSVDelimiter = Literal["comma", "semicolon", "tab"]

CSV_DELIMITER_VALUES: set[CSVDelimiter] = {
    "comma",
    "semicolon",
    "tab",
}


def check_csv_delimiter(value: str) -> CSVDelimiter:
    if value in CSV_DELIMITER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CSV_DELIMITER_VALUES!r}"
    )
