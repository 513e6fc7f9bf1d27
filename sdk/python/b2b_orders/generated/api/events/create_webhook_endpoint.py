from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_endpoint_request import WebhookEndpointRequest
from ...models.webhook_secret_response import WebhookSecretResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: WebhookEndpointRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/webhook-endpoints",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookSecretResponse | None:
    if response.status_code == 201:
        response_201 = WebhookSecretResponse.from_dict(response.json())

        return response_201

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookSecretResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[WebhookSecretResponse]:
    """Create a webhook endpoint

     Creates an endpoint: from now on, each event that happens is sent to the URL as a `POST` with a
    `WebhookMessage`, signed by the
    specification Standard Webhooks. The answer has the secret, and no later answer shows the secret:
    keep it where your program checks
    the signatures. The same request with the same `X-Idempotency-Key` gets the same answer, so a lost
    answer is no lost secret.

    **Which events.** An endpoint gets the events that your token may read now, as `GET /events` shows
    them: with `orders:read` the
    events of orders, and so on; an endpoint of a token with a `customer_id` gets the events of its own
    customer only. `types` narrows
    the events, and a type that does not exist is refused.

    **Order.** An endpoint gets one event after the other, in the order of their positions. The next
    event is sent when the event before
    was answered with a status from 200 to 299 within 10 seconds. Anything else is a failure: the same
    event is sent again after a
    wait that grows from seconds to hours, for three days, with the same `webhook-id`. The wait in a
    `Retry-After` of your answer is
    obeyed, up to six hours. After three days of failures, and at once after a 410, the endpoint is
    disabled, and the event
    `webhook_endpoint.disabled` is in the feed. Redirects are not followed.

    **Repeats.** An event may arrive again with the same `webhook-id`, when your answer was lost: note
    the ids of the events that you
    have worked through.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (WebhookEndpointRequest): A webhook endpoint to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookSecretResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> WebhookSecretResponse | None:
    """Create a webhook endpoint

     Creates an endpoint: from now on, each event that happens is sent to the URL as a `POST` with a
    `WebhookMessage`, signed by the
    specification Standard Webhooks. The answer has the secret, and no later answer shows the secret:
    keep it where your program checks
    the signatures. The same request with the same `X-Idempotency-Key` gets the same answer, so a lost
    answer is no lost secret.

    **Which events.** An endpoint gets the events that your token may read now, as `GET /events` shows
    them: with `orders:read` the
    events of orders, and so on; an endpoint of a token with a `customer_id` gets the events of its own
    customer only. `types` narrows
    the events, and a type that does not exist is refused.

    **Order.** An endpoint gets one event after the other, in the order of their positions. The next
    event is sent when the event before
    was answered with a status from 200 to 299 within 10 seconds. Anything else is a failure: the same
    event is sent again after a
    wait that grows from seconds to hours, for three days, with the same `webhook-id`. The wait in a
    `Retry-After` of your answer is
    obeyed, up to six hours. After three days of failures, and at once after a 410, the endpoint is
    disabled, and the event
    `webhook_endpoint.disabled` is in the feed. Redirects are not followed.

    **Repeats.** An event may arrive again with the same `webhook-id`, when your answer was lost: note
    the ids of the events that you
    have worked through.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (WebhookEndpointRequest): A webhook endpoint to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookSecretResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[WebhookSecretResponse]:
    """Create a webhook endpoint

     Creates an endpoint: from now on, each event that happens is sent to the URL as a `POST` with a
    `WebhookMessage`, signed by the
    specification Standard Webhooks. The answer has the secret, and no later answer shows the secret:
    keep it where your program checks
    the signatures. The same request with the same `X-Idempotency-Key` gets the same answer, so a lost
    answer is no lost secret.

    **Which events.** An endpoint gets the events that your token may read now, as `GET /events` shows
    them: with `orders:read` the
    events of orders, and so on; an endpoint of a token with a `customer_id` gets the events of its own
    customer only. `types` narrows
    the events, and a type that does not exist is refused.

    **Order.** An endpoint gets one event after the other, in the order of their positions. The next
    event is sent when the event before
    was answered with a status from 200 to 299 within 10 seconds. Anything else is a failure: the same
    event is sent again after a
    wait that grows from seconds to hours, for three days, with the same `webhook-id`. The wait in a
    `Retry-After` of your answer is
    obeyed, up to six hours. After three days of failures, and at once after a 410, the endpoint is
    disabled, and the event
    `webhook_endpoint.disabled` is in the feed. Redirects are not followed.

    **Repeats.** An event may arrive again with the same `webhook-id`, when your answer was lost: note
    the ids of the events that you
    have worked through.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (WebhookEndpointRequest): A webhook endpoint to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookSecretResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: WebhookEndpointRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> WebhookSecretResponse | None:
    """Create a webhook endpoint

     Creates an endpoint: from now on, each event that happens is sent to the URL as a `POST` with a
    `WebhookMessage`, signed by the
    specification Standard Webhooks. The answer has the secret, and no later answer shows the secret:
    keep it where your program checks
    the signatures. The same request with the same `X-Idempotency-Key` gets the same answer, so a lost
    answer is no lost secret.

    **Which events.** An endpoint gets the events that your token may read now, as `GET /events` shows
    them: with `orders:read` the
    events of orders, and so on; an endpoint of a token with a `customer_id` gets the events of its own
    customer only. `types` narrows
    the events, and a type that does not exist is refused.

    **Order.** An endpoint gets one event after the other, in the order of their positions. The next
    event is sent when the event before
    was answered with a status from 200 to 299 within 10 seconds. Anything else is a failure: the same
    event is sent again after a
    wait that grows from seconds to hours, for three days, with the same `webhook-id`. The wait in a
    `Retry-After` of your answer is
    obeyed, up to six hours. After three days of failures, and at once after a 410, the endpoint is
    disabled, and the event
    `webhook_endpoint.disabled` is in the feed. Redirects are not followed.

    **Repeats.** An event may arrive again with the same `webhook-id`, when your answer was lost: note
    the ids of the events that you
    have worked through.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (WebhookEndpointRequest): A webhook endpoint to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookSecretResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
