"""Uses the Python clients that openapi-generator makes, as a partner would: client.py CUSTOMERS ORDERS ORCHESTRATOR STUB

The first three are the addresses of the services, the fourth is that of stub.cjs. Any exception but the expected one ends it.
"""

import sys
import uuid
from datetime import timedelta

import b2b_customers
import b2b_orchestrator
import b2b_orders

customers_base, orders_base, orchestrator_base, stub = sys.argv[1:]


def customers_api(base):
    return b2b_customers.CustomersApi(b2b_customers.ApiClient(b2b_customers.Configuration(host=base)))


def orders_api(base):
    return b2b_orders.OrdersApi(b2b_orders.ApiClient(b2b_orders.Configuration(host=base)))


def orchestration_api(base):
    return b2b_orchestrator.OrchestrationApi(b2b_orchestrator.ApiClient(b2b_orchestrator.Configuration(host=base)))


def refusal(call):
    """Returns the error that the service answers with."""
    try:
        call()
    except (b2b_customers.ApiException, b2b_orchestrator.ApiException, b2b_orders.ApiException) as e:
        return e.data
    raise AssertionError("the call was not refused")


key = f"python-{uuid.uuid4()}"
customer = customers_api(customers_base).list_customers(search="ACME").data[0]

orders = orders_api(orders_base)
new_order = b2b_orders.OrderRequest(customer_id=customer.id, items=[b2b_orders.OrderItemRequest(product_id=2, qty=1)])
placed = orders.create_order(new_order, x_idempotency_key=key).data
assert orders.create_order(new_order, x_idempotency_key=key).data == placed
read = orders.get_order(placed.id).data
assert read == placed and read.status == "CREATED" and read.confirmed_at is None
assert read.created_at.utcoffset() == timedelta(0) and read.reservation_expires_at > read.created_at
assert orders.get_idempotency_key(key).data.operations[0].order_id == placed.id
page = orders.list_orders(customer_id=customer.id, cursor=placed.id - 1, var_from="2024-01-01")
assert [o.id for o in page.data] == [placed.id] and page.meta.next_cursor is None
assert orders.cancel_order(placed.id, cancellation=b2b_orders.Cancellation(reason="a test")).data.status == "CANCELED"

new_order.items[0].qty = 1_000_000
short = refusal(lambda: orders.create_order(new_order))
assert short.code == "insufficient_stock" and short.details[0].var_field == "/items/0/qty", short

request = b2b_orchestrator.OrchestrationRequest(
    customer_id=customer.id, items=[b2b_orchestrator.OrderItemRequest(product_id=2, qty=1)], idempotency_key=key + "-2"
)
assert orchestration_api(orchestrator_base).create_and_confirm_order(request).data.order.status == "CONFIRMED"
report = orchestration_api(orchestrator_base).get_orchestration(key + "-2").data
orders.cancel_order(report.order.id)

# What may be added to the contract at any time.
orders = orders_api(stub)
order = orders.get_order(2).data
assert [order.status, order.cancel_reason, order.allowed_actions[0]] == ["unknown_value"] * 3
assert order.additional_properties["unknown_field"] == "text"
assert orders.list_orders().data[0].status == "unknown_value"
assert orders.get_idempotency_key("key").data.operations[0].operation == "unknown_value"
assert orchestration_api(stub).get_orchestration("key").data.current_status == "unknown_value"
assert customers_api(stub).get_customer(1).data.id == 1
for unknown in (
    refusal(lambda: orders.get_order(404)),
    refusal(lambda: customers_api(stub).get_customer(404)),
    refusal(lambda: orchestration_api(stub).get_orchestration("404")),
):
    assert unknown.code == "unknown_value", unknown
