"""Is type-checked, not run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from b2b_orders import (
    B2B,
    AsyncB2B,
    CustomerEvent,
    CustomerImportRow,
    FeedEvent,
    Order,
    OrderEvent,
    OrderItemRequest,
    ProductImportRow,
    typed_event,
)
from b2b_orders.generated.models import ImportLine

b2b = B2B(customers="", orders="", orchestrator="", token=lambda: "token")
only_orders = B2B(orders=""), AsyncB2B(orders="")
items = [OrderItemRequest(product_id=2, qty=1)]


def right() -> Order:
    for order in b2b.iter_orders(status="CONFIRMED", limit=10):
        order.total_cents.bit_length()
    cursor: int | None = b2b.list_customers(search="ACME").next_cursor
    b2b.create_and_confirm_order(customer_id=cursor or 1, items=items, correlation_id="req-1").data.order.items[0].qty.bit_length()
    b2b.update_customer(1, phone=None)
    b2b.create_order(customer_id=1, items=[{"sku": "A", "qty": 1}], metadata={"a": "b"})
    list(b2b.iter_products(updated_since=datetime.now(UTC), limit=7))
    for exported in b2b.export_orders(from_=date(2024, 1, 1)):
        if exported.metadata:
            exported.metadata.get("a", "").strip()
    b2b.import_products([{"sku": "A"}], lambda row, line: print(row, line.code), dry_run=True).refused.bit_length()
    for event in b2b.follow_events(0, "order.created", lambda position: print(position.bit_length())):
        read(event)
    return b2b.cancel_order(5, reason="a typo", idempotency_key="mine", deadline=5).data


async def right_too(b2b: AsyncB2B) -> Order:
    async for customer in b2b.iter_customers():
        customer.email.strip()
    (await b2b.import_customers(CustomerImportRow(email=e) for e in ("a@example.com",))).created.bit_length()
    await b2b.import_products([{"sku": "A"}], note, dry_run=True)
    await b2b.import_products([{"sku": "A"}], lambda row, line: print(row, line.code))
    async for product in b2b.export_products(active=True):
        product.sku.strip()
    async for event in b2b.follow_events(0, on_position=keep):
        read(event)
    return (await b2b.confirm_order(5)).data


async def keep(position: int) -> None:
    position.bit_length()


async def note(row: ProductImportRow | Mapping[str, object], line: ImportLine) -> None:
    print(row, line.code)


def read(event: FeedEvent) -> str:
    match typed_event(event):
        case OrderEvent(representation=order):
            return order.items[0].sku.strip()
        case CustomerEvent() as changed if changed.representation.deleted_at:
            return changed.representation.deleted_at.isoformat()
        case FeedEvent(representation=shown):
            return str(shown["id"])
        case other:
            return other.subject + str(other.representation.total_cents)  # type: ignore[union-attr]


def wrong() -> None:
    b2b.create_order(items=items)  # type: ignore[call-arg]
    b2b.create_order(customer_id=1, items=items, price=1)  # type: ignore[call-arg]
    b2b.list_orders(status="confirmed")  # type: ignore[arg-type]
    b2b.list_orders(external_ref=date(2024, 1, 1))  # type: ignore[arg-type]
    b2b.update_customer(1, phone=None, idempotency_key="mine")  # type: ignore[call-arg]
