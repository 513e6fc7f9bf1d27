from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.key_report_response import KeyReportResponse
from ...types import UNSET, Response


def _get_kwargs(
    *,
    key: str,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["key"] = key

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/idempotency-keys",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> KeyReportResponse | None:
    if response.status_code == 200:
        response_200 = KeyReportResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[KeyReportResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    key: str,
) -> Response[KeyReportResponse]:
    """Look up an idempotency key (key in the query)

     Answers as `GET /idempotency-keys/{key}`, for every key, also a key with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[KeyReportResponse]
    """

    kwargs = _get_kwargs(
        key=key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    key: str,
) -> KeyReportResponse | None:
    """Look up an idempotency key (key in the query)

     Answers as `GET /idempotency-keys/{key}`, for every key, also a key with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        KeyReportResponse
    """

    return sync_detailed(
        client=client,
        key=key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    key: str,
) -> Response[KeyReportResponse]:
    """Look up an idempotency key (key in the query)

     Answers as `GET /idempotency-keys/{key}`, for every key, also a key with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[KeyReportResponse]
    """

    kwargs = _get_kwargs(
        key=key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    key: str,
) -> KeyReportResponse | None:
    """Look up an idempotency key (key in the query)

     Answers as `GET /idempotency-keys/{key}`, for every key, also a key with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        key (str): Your own name for one effect, of visible ASCII characters; neither `.` nor
            `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        KeyReportResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            key=key,
        )
    ).parsed
