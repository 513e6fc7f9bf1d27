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
        "url": "/products/import",
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
    """Create and change products, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `ProductImportRow`. The product with the row's `sku` gets the values of the row, and keeps
    its other values. A sku that
    no product has makes a new product, for which the row must have all fields that a new product needs.

    `stock` sets the level, and the change is recorded as a stock adjustment; leave the column out to
    change prices only. An empty CSV
    cell counts as not given.

    CSV is read as spreadsheets write it: cells are separated by commas, semicolons or tabs, or by the
    character of a first line
    `sep=|`; names of columns may have any case; columns without a name are not read; rows of empty
    cells are skipped; a column
    `price` has amounts in units, such as `1299.90` or `1.299,90`, for `price_cents`; `active` takes the
    usual words of English,
    Spanish and German.

    Rows are independent: a refused row affects no other row. A row with the `sku` of an earlier row of
    the file is refused. Rows are
    decided in their order, each after the changes of the earlier rows, and a dry run reports the
    results that the import would have. A
    repeat changes nothing. The answer comes line by line while the rows are processed, in their order:
    each line is an `ImportLine`,
    the last line has the summary. Once the answer has begun its status stays 200: read the summary.
    Rows are applied some hundreds at
    a time. When the connection breaks, repeat the call: rows that are done already are `unchanged`.

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
    """Create and change products, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `ProductImportRow`. The product with the row's `sku` gets the values of the row, and keeps
    its other values. A sku that
    no product has makes a new product, for which the row must have all fields that a new product needs.

    `stock` sets the level, and the change is recorded as a stock adjustment; leave the column out to
    change prices only. An empty CSV
    cell counts as not given.

    CSV is read as spreadsheets write it: cells are separated by commas, semicolons or tabs, or by the
    character of a first line
    `sep=|`; names of columns may have any case; columns without a name are not read; rows of empty
    cells are skipped; a column
    `price` has amounts in units, such as `1299.90` or `1.299,90`, for `price_cents`; `active` takes the
    usual words of English,
    Spanish and German.

    Rows are independent: a refused row affects no other row. A row with the `sku` of an earlier row of
    the file is refused. Rows are
    decided in their order, each after the changes of the earlier rows, and a dry run reports the
    results that the import would have. A
    repeat changes nothing. The answer comes line by line while the rows are processed, in their order:
    each line is an `ImportLine`,
    the last line has the summary. Once the answer has begun its status stays 200: read the summary.
    Rows are applied some hundreds at
    a time. When the connection breaks, repeat the call: rows that are done already are `unchanged`.

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
    """Create and change products, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `ProductImportRow`. The product with the row's `sku` gets the values of the row, and keeps
    its other values. A sku that
    no product has makes a new product, for which the row must have all fields that a new product needs.

    `stock` sets the level, and the change is recorded as a stock adjustment; leave the column out to
    change prices only. An empty CSV
    cell counts as not given.

    CSV is read as spreadsheets write it: cells are separated by commas, semicolons or tabs, or by the
    character of a first line
    `sep=|`; names of columns may have any case; columns without a name are not read; rows of empty
    cells are skipped; a column
    `price` has amounts in units, such as `1299.90` or `1.299,90`, for `price_cents`; `active` takes the
    usual words of English,
    Spanish and German.

    Rows are independent: a refused row affects no other row. A row with the `sku` of an earlier row of
    the file is refused. Rows are
    decided in their order, each after the changes of the earlier rows, and a dry run reports the
    results that the import would have. A
    repeat changes nothing. The answer comes line by line while the rows are processed, in their order:
    each line is an `ImportLine`,
    the last line has the summary. Once the answer has begun its status stays 200: read the summary.
    Rows are applied some hundreds at
    a time. When the connection breaks, repeat the call: rows that are done already are `unchanged`.

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
    """Create and change products, row by row

     Takes up to 100 000 rows and 64 MiB, as CSV (the first line names the columns) or as NDJSON (one
    JSON object a line), in the
    fields of `ProductImportRow`. The product with the row's `sku` gets the values of the row, and keeps
    its other values. A sku that
    no product has makes a new product, for which the row must have all fields that a new product needs.

    `stock` sets the level, and the change is recorded as a stock adjustment; leave the column out to
    change prices only. An empty CSV
    cell counts as not given.

    CSV is read as spreadsheets write it: cells are separated by commas, semicolons or tabs, or by the
    character of a first line
    `sep=|`; names of columns may have any case; columns without a name are not read; rows of empty
    cells are skipped; a column
    `price` has amounts in units, such as `1299.90` or `1.299,90`, for `price_cents`; `active` takes the
    usual words of English,
    Spanish and German.

    Rows are independent: a refused row affects no other row. A row with the `sku` of an earlier row of
    the file is refused. Rows are
    decided in their order, each after the changes of the earlier rows, and a dry run reports the
    results that the import would have. A
    repeat changes nothing. The answer comes line by line while the rows are processed, in their order:
    each line is an `ImportLine`,
    the last line has the summary. Once the answer has begun its status stays 200: read the summary.
    Rows are applied some hundreds at
    a time. When the connection breaks, repeat the call: rows that are done already are `unchanged`.

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
