import b2b.customers.api.CustomersApi;
import b2b.orchestrator.api.OrchestrationApi;
import b2b.orchestrator.model.OrchestrationRequest;
import b2b.orders.ApiException;
import b2b.orders.api.OrdersApi;
import b2b.orders.model.ErrorBody;
import b2b.orders.model.Cancellation;
import b2b.orders.model.OrderRequest;
import b2b.orders.model.OrderItemRequest;
import java.time.ZoneOffset;
import java.util.Objects;
import java.util.UUID;

/**
 * Uses the Java clients that openapi-generator makes, as a partner would: Client CUSTOMERS ORDERS ORCHESTRATOR STUB
 *
 * <p>The first three are the addresses of the services, the fourth is that of stub.cjs. Any exception but the expected one ends it.
 */
public final class Client {
  public static void main(String[] bases) throws Exception {
    var key = "java-" + UUID.randomUUID();
    var customers = new CustomersApi(Library.customers(bases[0]));
    var orders = new OrdersApi(Library.orders(bases[1]));
    var orchestration = new OrchestrationApi(Library.orchestrator(bases[2]));
    var customer = customers.listCustomers("ACME", null, null, null, null, null, null, null, null).getData().get(0);

    var newOrder = new OrderRequest().customerId(customer.getId()).addItemsItem(new OrderItemRequest().productId(2L).qty(1L));
    var placed = orders.createOrder(newOrder, key).getData();
    equal(orders.createOrder(newOrder, key).getData(), placed);
    var read = orders.getOrder(placed.getId(), null).getData();
    equal(read, placed);
    equal(read.getStatus(), "CREATED");
    equal(read.getConfirmedAt(), null);
    equal(read.getCreatedAt().getOffset(), ZoneOffset.UTC);
    equal(read.getReservationExpiresAt().isAfter(read.getCreatedAt()), true);
    equal(orders.getIdempotencyKey(key).getData().getOperations().get(0).getOrderId(), placed.getId());
    var page = orders.listOrders(null, customer.getId(), null, "2024-01-01", null, null, null, placed.getId() - 1, null, null, null, null, null);
    equal(page.getData().get(0).getId(), placed.getId());
    equal(page.getMeta().getNextCursor(), null);
    equal(orders.cancelOrder(placed.getId(), null, null, new Cancellation().reason("a test")).getData().getStatus(), "CANCELED");

    newOrder.getItems().get(0).setQty(1_000_000L);
    var refused = refusal(() -> orders.createOrder(newOrder, null));
    equal(refused.getCode(), "insufficient_stock");
    equal(refused.getDetails().get(0).getField(), "/items/0/qty");

    var request = new OrchestrationRequest().customerId(customer.getId()).idempotencyKey(key + "-2")
        .addItemsItem(new b2b.orchestrator.model.OrderItemRequest().productId(2L).qty(1L));
    equal(orchestration.createAndConfirmOrder(request).getData().getOrder().getStatus(), "CONFIRMED");
    orders.cancelOrder(orchestration.getOrchestration(key + "-2").getData().getOrder().getId(), null, null, new Cancellation());

    whatMayBeAddedAtAnyTime(bases[3]);
    System.exit(0); // okhttp's threads would keep the process for a minute
  }

  private static void whatMayBeAddedAtAnyTime(String stub) throws Exception {
    var orders = new OrdersApi(Library.orders(stub));
    var order = orders.getOrder(2L, null).getData();
    equal(order.getStatus(), "unknown_value");
    equal(order.getCancelReason(), "unknown_value");
    equal(order.getAllowedActions().get(0), "unknown_value");
    equal(order.getAdditionalProperty("unknown_field"), "text");
    equal(orders.listOrders(null, null, null, null, null, null, null, null, null, null, null, null, null).getData().get(0).getStatus(), "unknown_value");
    equal(orders.getIdempotencyKey("key").getData().getOperations().get(0).getOperation(), "unknown_value");
    var orchestration = new OrchestrationApi(Library.orchestrator(stub));
    equal(orchestration.getOrchestration("key").getData().getCurrentStatus(), "unknown_value");
    equal(new CustomersApi(Library.customers(stub)).getCustomer(1L, null).getData().getId(), 1L);
    equal(refusal(() -> orders.getOrder(404L, null)).getCode(), "unknown_value");
  }

  private interface Call {
    void run() throws ApiException;
  }

  /** Returns the error that the service answers with. */
  private static ErrorBody refusal(Call call) throws Exception {
    try {
      call.run();
    } catch (ApiException e) {
      return Library.error(e.getResponseBody());
    }
    throw new AssertionError("the call was not refused");
  }

  private static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError(got + " is not " + want);
  }
}
