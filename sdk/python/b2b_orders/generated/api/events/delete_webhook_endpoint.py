from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_deleted_response import WebhookDeletedResponse
from ...types import Response


def _get_kwargs(
    id: int,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/webhook-endpoints/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookDeletedResponse | None:
    if response.status_code == 200:
        response_200 = WebhookDeletedResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookDeletedResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
) -> Response[WebhookDeletedResponse]:
    """Delete a webhook endpoint

     Deletes the endpoint. Some seconds later nothing more is sent to it. Its secrets are deleted at
    once, except in the answers that are stored for idempotency keys; its deliveries are deleted within
    days.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeletedResponse]
    """

    kwargs = _get_kwargs(
        id=id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
) -> WebhookDeletedResponse | None:
    """Delete a webhook endpoint

     Deletes the endpoint. Some seconds later nothing more is sent to it. Its secrets are deleted at
    once, except in the answers that are stored for idempotency keys; its deliveries are deleted within
    days.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeletedResponse
    """

    return sync_detailed(
        id=id,
        client=client,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
) -> Response[WebhookDeletedResponse]:
    """Delete a webhook endpoint

     Deletes the endpoint. Some seconds later nothing more is sent to it. Its secrets are deleted at
    once, except in the answers that are stored for idempotency keys; its deliveries are deleted within
    days.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeletedResponse]
    """

    kwargs = _get_kwargs(
        id=id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
) -> WebhookDeletedResponse | None:
    """Delete a webhook endpoint

     Deletes the endpoint. Some seconds later nothing more is sent to it. Its secrets are deleted at
    once, except in the answers that are stored for idempotency keys; its deliveries are deleted within
    days.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeletedResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
        )
    ).parsed
