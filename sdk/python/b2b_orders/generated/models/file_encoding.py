from typing import Literal

FileEncoding = Literal[
    "ibm850",
    "iso-8859-1",
    "iso-8859-15",
    "macintosh",
    "utf-16",
    "utf-16be",
    "utf-16le",
    "utf-8",
    "windows-1252",
]

FILE_ENCODING_VALUES: set[FileEncoding] = {
    "ibm850",
    "iso-8859-1",
    "iso-8859-15",
    "macintosh",
    "utf-16",
    "utf-16be",
    "utf-16le",
    "utf-8",
    "windows-1252",
}


def check_file_encoding(value: str) -> FileEncoding:
    if value in FILE_ENCODING_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {FILE_ENCODING_VALUES!r}"
    )
