from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_endpoint_response import WebhookEndpointResponse
from ...types import UNSET, Response


def _get_kwargs(
    id: int,
    *,
    after: int,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["after"] = after

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/webhook-endpoints/{id}/replay".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

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
    after: int,
) -> Response[WebhookEndpointResponse]:
    """Send events to a webhook endpoint again

     Moves the endpoint to the position `after`, so that the events after this position are sent, again
    or for the first time. A position
    ahead of the endpoint leaves out the events in between. Each event has the same `webhook-id` as
    before: a receiver that notes ids
    must forget the ids of the events that it wants to work through again. The wait after a failure
    ends. For some seconds, events that
    are on their way may still arrive in the earlier order.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        after (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        after=after,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    after: int,
) -> WebhookEndpointResponse | None:
    """Send events to a webhook endpoint again

     Moves the endpoint to the position `after`, so that the events after this position are sent, again
    or for the first time. A position
    ahead of the endpoint leaves out the events in between. Each event has the same `webhook-id` as
    before: a receiver that notes ids
    must forget the ids of the events that it wants to work through again. The wait after a failure
    ends. For some seconds, events that
    are on their way may still arrive in the earlier order.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        after (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookEndpointResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        after=after,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    after: int,
) -> Response[WebhookEndpointResponse]:
    """Send events to a webhook endpoint again

     Moves the endpoint to the position `after`, so that the events after this position are sent, again
    or for the first time. A position
    ahead of the endpoint leaves out the events in between. Each event has the same `webhook-id` as
    before: a receiver that notes ids
    must forget the ids of the events that it wants to work through again. The wait after a failure
    ends. For some seconds, events that
    are on their way may still arrive in the earlier order.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        after (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        after=after,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    after: int,
) -> WebhookEndpointResponse | None:
    """Send events to a webhook endpoint again

     Moves the endpoint to the position `after`, so that the events after this position are sent, again
    or for the first time. A position
    ahead of the endpoint leaves out the events in between. Each event has the same `webhook-id` as
    before: a receiver that notes ids
    must forget the ids of the events that it wants to work through again. The wait after a failure
    ends. For some seconds, events that
    are on their way may still arrive in the earlier order.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        after (int):

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
            after=after,
        )
    ).parsed
