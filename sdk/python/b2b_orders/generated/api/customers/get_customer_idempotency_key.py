from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.customer_key_report_response import CustomerKeyReportResponse
from ...types import Response


def _get_kwargs(
    key: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/customer-idempotency-keys/{key}".format(
            key=quote(str(key), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CustomerKeyReportResponse | None:
    if response.status_code == 200:
        response_200 = CustomerKeyReportResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[CustomerKeyReportResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    key: str,
    *,
    client: AuthenticatedClient,
) -> Response[CustomerKeyReportResponse]:
    """Look up an idempotency key

     Serves callers that lost an answer: lists each operation of this service that the key has carried
    out, with its customer. The
    answer is 404 when nothing has been committed with the key. Reading changes nothing. For a key with
    `%` or `/`, call
    `GET /customer-idempotency-keys?key=…`.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerKeyReportResponse]
    """

    kwargs = _get_kwargs(
        key=key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    key: str,
    *,
    client: AuthenticatedClient,
) -> CustomerKeyReportResponse | None:
    """Look up an idempotency key

     Serves callers that lost an answer: lists each operation of this service that the key has carried
    out, with its customer. The
    answer is 404 when nothing has been committed with the key. Reading changes nothing. For a key with
    `%` or `/`, call
    `GET /customer-idempotency-keys?key=…`.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerKeyReportResponse
    """

    return sync_detailed(
        key=key,
        client=client,
    ).parsed


async def asyncio_detailed(
    key: str,
    *,
    client: AuthenticatedClient,
) -> Response[CustomerKeyReportResponse]:
    """Look up an idempotency key

     Serves callers that lost an answer: lists each operation of this service that the key has carried
    out, with its customer. The
    answer is 404 when nothing has been committed with the key. Reading changes nothing. For a key with
    `%` or `/`, call
    `GET /customer-idempotency-keys?key=…`.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerKeyReportResponse]
    """

    kwargs = _get_kwargs(
        key=key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    key: str,
    *,
    client: AuthenticatedClient,
) -> CustomerKeyReportResponse | None:
    """Look up an idempotency key

     Serves callers that lost an answer: lists each operation of this service that the key has carried
    out, with its customer. The
    answer is 404 when nothing has been committed with the key. Reading changes nothing. For a key with
    `%` or `/`, call
    `GET /customer-idempotency-keys?key=…`.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerKeyReportResponse
    """

    return (
        await asyncio_detailed(
            key=key,
            client=client,
        )
    ).parsed
