"""Is type-checked, not run."""

from b2b_orders import B2B, AsyncB2B, Order, OrderItemRequest

b2b = B2B(customers="", orders="", orchestrator="", token=lambda: "token")
items = [OrderItemRequest(product_id=2, qty=1)]


def right() -> Order:
    for order in b2b.iter_orders(status="CONFIRMED", limit=10):
        order.total_cents.bit_length()
    cursor: int | None = b2b.list_customers(search="ACME").next_cursor
    b2b.create_and_confirm_order(customer_id=cursor or 1, items=items, correlation_id="req-1").data.order.items[0].qty.bit_length()
    b2b.update_customer(1, phone=None)
    return b2b.cancel_order(5, reason="a typo", idempotency_key="mine", deadline=5).data


async def right_too(b2b: AsyncB2B) -> Order:
    async for customer in b2b.iter_customers():
        customer.email.strip()
    return (await b2b.confirm_order(5)).data


def wrong() -> None:
    b2b.create_order(items=items)  # type: ignore[call-arg]
    b2b.create_order(customer_id=1, items=items, price=1)  # type: ignore[call-arg]
    b2b.list_orders(status="confirmed")  # type: ignore[arg-type]
    b2b.update_customer(1, phone=None, idempotency_key="mine")  # type: ignore[call-arg]
