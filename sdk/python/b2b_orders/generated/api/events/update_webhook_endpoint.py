from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_endpoint_response import WebhookEndpointResponse
from ...models.webhook_endpoint_update import WebhookEndpointUpdate
from ...types import Response


def _get_kwargs(
    id: int,
    *,
    body: WebhookEndpointUpdate,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/webhook-endpoints/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookEndpointResponse | None:
    if response.status_code == 200:
        response_200 = WebhookEndpointResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookEndpointResponse]:
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
    body: WebhookEndpointUpdate,
) -> Response[WebhookEndpointResponse]:
    """Change a webhook endpoint

     Changes the given fields, at least one; the other fields keep their values. With `enabled: true` a
    disabled endpoint goes on where it
    stopped; a new `url` is tried at once. Your token must be able to read every kind of event that the
    endpoint gets: see `subjects`. For some seconds,
    events that are on their way may still be sent as before: to the old `url`, of the old `types`, or
    to a disabled endpoint.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        body (WebhookEndpointUpdate): The changes of a webhook endpoint. Absent fields keep their
            values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointUpdate,
) -> WebhookEndpointResponse | None:
    """Change a webhook endpoint

     Changes the given fields, at least one; the other fields keep their values. With `enabled: true` a
    disabled endpoint goes on where it
    stopped; a new `url` is tried at once. Your token must be able to read every kind of event that the
    endpoint gets: see `subjects`. For some seconds,
    events that are on their way may still be sent as before: to the old `url`, of the old `types`, or
    to a disabled endpoint.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        body (WebhookEndpointUpdate): The changes of a webhook endpoint. Absent fields keep their
            values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookEndpointResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointUpdate,
) -> Response[WebhookEndpointResponse]:
    """Change a webhook endpoint

     Changes the given fields, at least one; the other fields keep their values. With `enabled: true` a
    disabled endpoint goes on where it
    stopped; a new `url` is tried at once. Your token must be able to read every kind of event that the
    endpoint gets: see `subjects`. For some seconds,
    events that are on their way may still be sent as before: to the old `url`, of the old `types`, or
    to a disabled endpoint.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        body (WebhookEndpointUpdate): The changes of a webhook endpoint. Absent fields keep their
            values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointUpdate,
) -> WebhookEndpointResponse | None:
    """Change a webhook endpoint

     Changes the given fields, at least one; the other fields keep their values. With `enabled: true` a
    disabled endpoint goes on where it
    stopped; a new `url` is tried at once. Your token must be able to read every kind of event that the
    endpoint gets: see `subjects`. For some seconds,
    events that are on their way may still be sent as before: to the old `url`, of the old `types`, or
    to a disabled endpoint.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        body (WebhookEndpointUpdate): The changes of a webhook endpoint. Absent fields keep their
            values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookEndpointResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
        )
    ).parsed
