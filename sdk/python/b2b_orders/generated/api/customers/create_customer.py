from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.customer_request import CustomerRequest
from ...models.customer_response import CustomerResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: CustomerRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/customers",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CustomerResponse | None:
    if response.status_code == 201:
        response_201 = CustomerResponse.from_dict(response.json())

        return response_201

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[CustomerResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: CustomerRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[CustomerResponse]:
    """Create a customer

     Creates a customer. The email is trimmed and must not belong to another customer, whatever its case;
    the email of a
    deleted customer is free again. Of two concurrent creations with one email, one gets 201 and the
    other 409. The same holds for
    `external_ref`. The 409 names the existing customer in `params` of its detail.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (CustomerRequest): A customer to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerResponse]
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
    body: CustomerRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> CustomerResponse | None:
    """Create a customer

     Creates a customer. The email is trimmed and must not belong to another customer, whatever its case;
    the email of a
    deleted customer is free again. Of two concurrent creations with one email, one gets 201 and the
    other 409. The same holds for
    `external_ref`. The 409 names the existing customer in `params` of its detail.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (CustomerRequest): A customer to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: CustomerRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[CustomerResponse]:
    """Create a customer

     Creates a customer. The email is trimmed and must not belong to another customer, whatever its case;
    the email of a
    deleted customer is free again. Of two concurrent creations with one email, one gets 201 and the
    other 409. The same holds for
    `external_ref`. The 409 names the existing customer in `params` of its detail.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (CustomerRequest): A customer to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerResponse]
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
    body: CustomerRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> CustomerResponse | None:
    """Create a customer

     Creates a customer. The email is trimmed and must not belong to another customer, whatever its case;
    the email of a
    deleted customer is free again. Of two concurrent creations with one email, one gets 201 and the
    other 409. The same holds for
    `external_ref`. The 409 names the existing customer in `params` of its detail.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (CustomerRequest): A customer to create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
