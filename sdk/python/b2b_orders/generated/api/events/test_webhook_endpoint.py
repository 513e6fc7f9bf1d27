from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_delivery_response import WebhookDeliveryResponse
from ...types import Response


def _get_kwargs(
    id: int,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/webhook-endpoints/{id}/test".format(
            id=quote(str(id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookDeliveryResponse | None:
    if response.status_code == 200:
        response_200 = WebhookDeliveryResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookDeliveryResponse]:
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
) -> Response[WebhookDeliveryResponse]:
    """Send a test message to a webhook endpoint

     Sends a signed message of type `webhook_endpoint.test`, once, and answers when the endpoint has
    answered, or after 10 seconds:
    `outcome` says whether the message was delivered. A test changes nothing in the order of events, and
    goes to disabled endpoints, too.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeliveryResponse]
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
) -> WebhookDeliveryResponse | None:
    """Send a test message to a webhook endpoint

     Sends a signed message of type `webhook_endpoint.test`, once, and answers when the endpoint has
    answered, or after 10 seconds:
    `outcome` says whether the message was delivered. A test changes nothing in the order of events, and
    goes to disabled endpoints, too.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeliveryResponse
    """

    return sync_detailed(
        id=id,
        client=client,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
) -> Response[WebhookDeliveryResponse]:
    """Send a test message to a webhook endpoint

     Sends a signed message of type `webhook_endpoint.test`, once, and answers when the endpoint has
    answered, or after 10 seconds:
    `outcome` says whether the message was delivered. A test changes nothing in the order of events, and
    goes to disabled endpoints, too.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeliveryResponse]
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
) -> WebhookDeliveryResponse | None:
    """Send a test message to a webhook endpoint

     Sends a signed message of type `webhook_endpoint.test`, once, and answers when the endpoint has
    answered, or after 10 seconds:
    `outcome` says whether the message was delivered. A test changes nothing in the order of events, and
    goes to disabled endpoints, too.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeliveryResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
        )
    ).parsed
