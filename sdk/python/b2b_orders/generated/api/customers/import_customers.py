from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.import_line import ImportLine
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    dry_run: bool | Unset = False,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["dry_run"] = dry_run

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/customers/import",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ImportLine | None:
    if response.status_code == 200:
        response_200 = ImportLine.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ImportLine]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    dry_run: bool | Unset = False,
) -> Response[ImportLine]:
    """Create and change customers, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `CustomerImportRow`. The customer with the row's `email`, whatever its case, gets what the
    row gives,
    and keeps what it does not; an email that nobody has makes a new customer, for which the row must
    also give the name. To give a
    customer another email, change that one.

    An `external_ref` that another customer has is refused. An empty CSV cell clears `phone` and
    `external_ref`, as null does in
    NDJSON; in any other column it gives nothing.

    CSV is taken as spreadsheets write it: columns between commas, semicolons or tabs, or what a first
    line `sep=|` says; names of
    columns in any case; columns without a name are not read; rows of empty cells are skipped.

    Each row is for itself: one that is refused harms no other. A row that names what an earlier one of
    the file names already is
    refused. Rows are decided in their order, each on what the earlier ones leave, and a dry run says
    what the run then does. A repeat
    changes nothing, except that a row refused for an `external_ref` that a later row frees is accepted
    then. The
    answer comes line by line while the rows are worked on, in their order: each is an `ImportLine`, the
    last one the
    summary. Once the answer has begun its status stays 200: read the summary. Rows are applied some
    hundreds at a time; when the
    connection breaks, repeat the call: what is done already is `unchanged`.

    Args:
        dry_run (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ImportLine]
    """

    kwargs = _get_kwargs(
        dry_run=dry_run,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    dry_run: bool | Unset = False,
) -> ImportLine | None:
    """Create and change customers, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `CustomerImportRow`. The customer with the row's `email`, whatever its case, gets what the
    row gives,
    and keeps what it does not; an email that nobody has makes a new customer, for which the row must
    also give the name. To give a
    customer another email, change that one.

    An `external_ref` that another customer has is refused. An empty CSV cell clears `phone` and
    `external_ref`, as null does in
    NDJSON; in any other column it gives nothing.

    CSV is taken as spreadsheets write it: columns between commas, semicolons or tabs, or what a first
    line `sep=|` says; names of
    columns in any case; columns without a name are not read; rows of empty cells are skipped.

    Each row is for itself: one that is refused harms no other. A row that names what an earlier one of
    the file names already is
    refused. Rows are decided in their order, each on what the earlier ones leave, and a dry run says
    what the run then does. A repeat
    changes nothing, except that a row refused for an `external_ref` that a later row frees is accepted
    then. The
    answer comes line by line while the rows are worked on, in their order: each is an `ImportLine`, the
    last one the
    summary. Once the answer has begun its status stays 200: read the summary. Rows are applied some
    hundreds at a time; when the
    connection breaks, repeat the call: what is done already is `unchanged`.

    Args:
        dry_run (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ImportLine
    """

    return sync_detailed(
        client=client,
        dry_run=dry_run,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    dry_run: bool | Unset = False,
) -> Response[ImportLine]:
    """Create and change customers, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `CustomerImportRow`. The customer with the row's `email`, whatever its case, gets what the
    row gives,
    and keeps what it does not; an email that nobody has makes a new customer, for which the row must
    also give the name. To give a
    customer another email, change that one.

    An `external_ref` that another customer has is refused. An empty CSV cell clears `phone` and
    `external_ref`, as null does in
    NDJSON; in any other column it gives nothing.

    CSV is taken as spreadsheets write it: columns between commas, semicolons or tabs, or what a first
    line `sep=|` says; names of
    columns in any case; columns without a name are not read; rows of empty cells are skipped.

    Each row is for itself: one that is refused harms no other. A row that names what an earlier one of
    the file names already is
    refused. Rows are decided in their order, each on what the earlier ones leave, and a dry run says
    what the run then does. A repeat
    changes nothing, except that a row refused for an `external_ref` that a later row frees is accepted
    then. The
    answer comes line by line while the rows are worked on, in their order: each is an `ImportLine`, the
    last one the
    summary. Once the answer has begun its status stays 200: read the summary. Rows are applied some
    hundreds at a time; when the
    connection breaks, repeat the call: what is done already is `unchanged`.

    Args:
        dry_run (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ImportLine]
    """

    kwargs = _get_kwargs(
        dry_run=dry_run,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    dry_run: bool | Unset = False,
) -> ImportLine | None:
    """Create and change customers, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `CustomerImportRow`. The customer with the row's `email`, whatever its case, gets what the
    row gives,
    and keeps what it does not; an email that nobody has makes a new customer, for which the row must
    also give the name. To give a
    customer another email, change that one.

    An `external_ref` that another customer has is refused. An empty CSV cell clears `phone` and
    `external_ref`, as null does in
    NDJSON; in any other column it gives nothing.

    CSV is taken as spreadsheets write it: columns between commas, semicolons or tabs, or what a first
    line `sep=|` says; names of
    columns in any case; columns without a name are not read; rows of empty cells are skipped.

    Each row is for itself: one that is refused harms no other. A row that names what an earlier one of
    the file names already is
    refused. Rows are decided in their order, each on what the earlier ones leave, and a dry run says
    what the run then does. A repeat
    changes nothing, except that a row refused for an `external_ref` that a later row frees is accepted
    then. The
    answer comes line by line while the rows are worked on, in their order: each is an `ImportLine`, the
    last one the
    summary. Once the answer has begun its status stays 200: read the summary. Rows are applied some
    hundreds at a time; when the
    connection breaks, repeat the call: what is done already is `unchanged`.

    Args:
        dry_run (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ImportLine
    """

    return (
        await asyncio_detailed(
            client=client,
            dry_run=dry_run,
        )
    ).parsed
