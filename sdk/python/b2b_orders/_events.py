"""Reads events by their subject."""

from __future__ import annotations

from .generated.models import CustomerEvent, FeedEvent, OrderEvent, ProductEvent, WebhookEndpointEvent

_types: dict[str, type[OrderEvent | ProductEvent | CustomerEvent | WebhookEndpointEvent]] = {
    "order": OrderEvent,
    "product": ProductEvent,
    "customer": CustomerEvent,
    "webhook_endpoint": WebhookEndpointEvent,
}


def typed_event(event: FeedEvent) -> OrderEvent | ProductEvent | CustomerEvent | WebhookEndpointEvent | FeedEvent:
    """
    Returns the event with its `representation` as an `Order`, a `Product`, a `Customer` or a `WebhookEndpoint`: an `OrderEvent`, and so
    on. An event of another subject, which came after this version of the package, is returned as it is. Raises ValueError for an event
    that is older than a field of its type: the dict `event.representation` has the fields of then.
    """
    of = _types.get(event.subject)
    if not of:
        return event
    try:
        return of.from_dict(event.to_dict())
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"event {event.id} cannot be read as {of.__name__}: {e!r}") from e
