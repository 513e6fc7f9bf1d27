from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.webhook_secret_response import WebhookSecretResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/webhook-endpoints/{id}/rotate-secret".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookSecretResponse | None:
    if response.status_code == 200:
        response_200 = WebhookSecretResponse.from_dict(response.json())

        return response_200

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
    id: int,
    *,
    client: AuthenticatedClient,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[WebhookSecretResponse]:
    """Replace the secret of a webhook endpoint

     Makes a new secret, which only this answer has. For a day, messages are signed with both secrets,
    and either secret checks them. A
    second rotation within the day ends the oldest of the three secrets at once: rotate twice when a
    secret is known to others. Repeat
    a call whose answer you did not get with the same `X-Idempotency-Key`. For some seconds, messages
    that are on their way still have
    the earlier signatures.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookSecretResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    x_idempotency_key: str | Unset = UNSET,
) -> WebhookSecretResponse | None:
    """Replace the secret of a webhook endpoint

     Makes a new secret, which only this answer has. For a day, messages are signed with both secrets,
    and either secret checks them. A
    second rotation within the day ends the oldest of the three secrets at once: rotate twice when a
    secret is known to others. Repeat
    a call whose answer you did not get with the same `X-Idempotency-Key`. For some seconds, messages
    that are on their way still have
    the earlier signatures.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookSecretResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[WebhookSecretResponse]:
    """Replace the secret of a webhook endpoint

     Makes a new secret, which only this answer has. For a day, messages are signed with both secrets,
    and either secret checks them. A
    second rotation within the day ends the oldest of the three secrets at once: rotate twice when a
    secret is known to others. Repeat
    a call whose answer you did not get with the same `X-Idempotency-Key`. For some seconds, messages
    that are on their way still have
    the earlier signatures.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookSecretResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    x_idempotency_key: str | Unset = UNSET,
) -> WebhookSecretResponse | None:
    """Replace the secret of a webhook endpoint

     Makes a new secret, which only this answer has. For a day, messages are signed with both secrets,
    and either secret checks them. A
    second rotation within the day ends the oldest of the three secrets at once: rotate twice when a
    secret is known to others. Repeat
    a call whose answer you did not get with the same `X-Idempotency-Key`. For some seconds, messages
    that are on their way still have
    the earlier signatures.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookSecretResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
