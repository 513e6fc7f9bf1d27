package com.example.b2b;

import static com.example.b2b.Proxy.Fault.CLOSE;
import static com.example.b2b.Proxy.Fault.CUT;
import static com.example.b2b.Proxy.Fault.DROP;
import static com.example.b2b.Proxy.Fault.HANG;
import static com.example.b2b.Proxy.Fault.PASS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.example.b2b.Proxy.Planned;
import com.example.b2b.Proxy.Step;
import com.example.b2b.api.CustomersApi.APICreateCustomerRequest;
import com.example.b2b.api.CustomersApi.APIUpdateCustomerRequest;
import com.example.b2b.api.FilesApi.APIExportCustomersRequest;
import com.example.b2b.api.FilesApi.APIExportOrdersRequest;
import com.example.b2b.api.FilesApi.APIExportProductsRequest;
import com.example.b2b.api.FilesApi.APIImportProductsRequest;
import com.example.b2b.api.OrchestrationApi.APIGetOrchestrationRequest;
import com.example.b2b.api.OrdersApi.APICancelOrderRequest;
import com.example.b2b.api.OrdersApi.APIConfirmOrderRequest;
import com.example.b2b.api.OrdersApi.APICreateOrderRequest;
import com.example.b2b.api.OrdersApi.APIGetIdempotencyKeyRequest;
import com.example.b2b.api.OrdersApi.APIGetOrderRequest;
import com.example.b2b.api.OrdersApi.APIListOrdersRequest;
import com.example.b2b.api.ProductsApi.APIAdjustStockRequest;
import com.example.b2b.api.ProductsApi.APICreateProductRequest;
import com.example.b2b.api.ProductsApi.APIGetProductRequest;
import com.example.b2b.api.ProductsApi.APIListProductsRequest;
import com.example.b2b.api.ProductsApi.APIListStockAdjustmentsRequest;
import com.example.b2b.api.ProductsApi.APIUpdateProductRequest;
import com.example.b2b.model.CancelReasonFilter;
import com.example.b2b.model.Cancellation;
import com.example.b2b.model.Customer;
import com.example.b2b.model.CustomerImportRow;
import com.example.b2b.model.CustomerUpdate;
import com.example.b2b.model.ImportLine;
import com.example.b2b.model.ListSort;
import com.example.b2b.model.Meta;
import com.example.b2b.model.CustomerRequest;
import com.example.b2b.model.OrderRequest;
import com.example.b2b.model.OrderItemRequest;
import com.example.b2b.model.ProductRequest;
import com.example.b2b.model.StockAdjustmentRequest;
import com.example.b2b.model.OrchestrationRequest;
import com.example.b2b.model.Order;
import com.example.b2b.model.OrderStatusFilter;
import com.example.b2b.model.OrderSummary;
import com.example.b2b.model.Product;
import com.example.b2b.model.ProductImportRow;
import com.example.b2b.model.ProductListResponse;
import com.example.b2b.model.ProductUpdate;
import com.example.b2b.client.ApiClient;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Runs the SDK against the program that B2B names, through proxies that lose answers. */
@Timeout(60)
class B2BTest {
  private static Process program;
  private static final List<String> addresses = new ArrayList<>(); // customers, orders, orchestrator
  private static Proxy customersProxy, ordersProxy, orchestratorProxy;
  private static int made;

  private final FakeClock clock = new FakeClock();
  private B2B b2b;
  private long customerId, productId; // its own: 100 pieces at 9 999 999.37

  private static final class FakeClock implements Clock {
    final List<Duration> waits = new ArrayList<>();
    private long now;

    @Override
    public long now() {
      return now;
    }

    @Override
    public void sleep(Duration duration) {
      waits.add(duration);
      now += duration.toNanos();
    }
  }

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    program = start(folder, Map.of(), addresses);
    customersProxy = new Proxy(addresses.get(0));
    ordersProxy = new Proxy(addresses.get(1));
    orchestratorProxy = new Proxy(addresses.get(2));
  }

  private static ProcessBuilder command(Path folder, Map<String, String> environment, String... arguments) {
    var command = new ArrayList<>(List.of(System.getenv("B2B")));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder;
  }

  /** Starts b2b in a folder and adds its addresses. */
  private static Process start(Path folder, Map<String, String> environment, List<String> addresses) throws Exception {
    var builder = command(folder, environment);
    var ports = Pattern.compile("(?m)^# port of the .*\n(\\w+)=").matcher(Files.readString(Path.of("../../.env.example")));
    while (ports.find()) builder.environment().put(ports.group(1), "0");
    var program = builder.start();
    var address = Pattern.compile("(?:Customers API|Orders API|Orchestrator) +(http:\\S+).*");
    for (var line : (Iterable<String>) program.inputReader().lines()::iterator) {
      var found = address.matcher(line);
      if (found.matches()) addresses.add(found.group(1));
      if (line.startsWith("Try:")) break;
    }
    return program;
  }

  @AfterAll
  static void stop() throws Exception {
    customersProxy.close();
    ordersProxy.close();
    orchestratorProxy.close();
    program.destroy();
    program.waitFor();
  }

  @BeforeEach
  void prepare() {
    for (var proxy : List.of(customersProxy, ordersProxy, orchestratorProxy)) proxy.plan();
    b2b = settings().build();
    var email = "test-" + ++made + "@example.com";
    customerId = b2b.customers().createCustomer(APICreateCustomerRequest.newBuilder().customerRequest(new CustomerRequest().name("A test").email(email)).build()).getData().getId();
    productId = newProduct("TEST-" + made);
    for (var proxy : List.of(customersProxy, ordersProxy, orchestratorProxy)) proxy.plan();
  }

  private B2B.Builder settings() {
    var settings = B2B.builder().customers(customersProxy.address()).orders(ordersProxy.address() + "/").orchestrator(orchestratorProxy.address());
    settings.clock = clock;
    return settings;
  }

  private static Step refuse(int status, String... headers) {
    return answer(status, "{\"success\": false, \"error\": \"Not now.\", \"code\": \"unavailable\"}", headers);
  }

  private static Step answer(int status, String body, String... header) {
    return answer(status, body, false, header);
  }

  /** Like answer, of JSON unless the headers say otherwise. */
  private static Step answer(int status, String body, boolean cut, String... header) {
    var headers = new HashMap<>(Map.of("Content-Type", "application/json"));
    if (header.length > 0) headers.put(header[0], header[1]);
    return new Planned(status, body.getBytes(StandardCharsets.UTF_8), headers, cut);
  }

  private long newProduct(String sku) {
    var product = new ProductRequest().sku(sku).name("A tëst €").priceCents(999_999_937L).stock(100L);
    return b2b.products().createProduct(APICreateProductRequest.newBuilder().productRequest(product).build()).getData().getId();
  }

  private APICreateOrderRequest.Builder order(long qty) {
    return APICreateOrderRequest.newBuilder().orderRequest(new OrderRequest().customerId(customerId).addItemsItem(new OrderItemRequest().productId(productId).qty(qty)));
  }

  private OrchestrationRequest orchestration(long qty) {
    return new OrchestrationRequest().customerId(customerId).addItemsItem(new OrderItemRequest().productId(productId).qty(qty));
  }

  private void ordersAre(Long... want) {
    var got = B2B.stream((Long cursor) -> b2b.orders().listOrders(APIListOrdersRequest.newBuilder().customerId(customerId).cursor(cursor).build()))
        .map(OrderSummary::getId).toList();
    assertEquals(List.of(want), got);
  }

  private Product product() {
    return b2b.products().getProduct(APIGetProductRequest.newBuilder().id(productId).build()).getData();
  }

  /** Returns the key of all requests, of which there were so many. */
  private static String key(Proxy proxy, int requests) {
    var keys = proxy.seen.stream().map(request -> {
      try {
        var header = request.header("X-idempotency-key");
        return header.isEmpty() ? new ObjectMapper().readTree(request.body()).path("idempotency_key").asText() : header;
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }).toList();
    assertEquals(requests, keys.size());
    assertNotEquals("", keys.get(0));
    assertEquals(Collections.nCopies(requests, keys.get(0)), keys);
    return keys.get(0);
  }

  private static B2BException failure(String code, int status, boolean retryable, Executable call) {
    var e = assertThrows(B2BException.class, call);
    assertEquals(code + " " + status + " " + retryable, e.getCode() + " " + e.getStatus() + " " + e.isRetryable());
    assertFalse(e.getCorrelationId().isEmpty());
    return e;
  }

  private B2BException productFailure(String code, int status, boolean retryable) {
    return failure(code, status, retryable, this::product);
  }

  @Test
  void oneKeyOneOrder() {
    ordersProxy.plan(CLOSE, DROP, refuse(503), CUT, DROP, refuse(502), PASS);
    var placed = b2b.orders().createOrderWithHttpInfo(order(3).build());
    key(ordersProxy, 7);
    assertEquals(List.of("true"), placed.getHeaders().get("idempotency-replayed"));
    var id = placed.getData().getData().getId();
    ordersAre(id);
    assertEquals(97, product().getStock());

    var second = b2b.orders().createOrder(order(3).build()).getData();
    ordersAre(id, second.getId());
    assertEquals(94, product().getStock());
  }

  @Test
  void createAndConfirmOrder() {
    orchestratorProxy.plan(DROP, CUT, refuse(504), CLOSE, PASS);
    var request = orchestration(2);
    var placed = b2b.createAndConfirmOrder(request).getOrder();
    key(orchestratorProxy, 5);
    assertEquals("CONFIRMED", placed.getStatus());
    assertNull(request.getIdempotencyKey()); // the next call with it is another order
    ordersAre(placed.getId());
    assertEquals(98, product().getStock());

    orchestratorProxy.plan(DROP, PASS);
    var own = "po-" + customerId + "\"a/?#%&+";
    var second = b2b.createAndConfirmOrder(orchestration(2).idempotencyKey(own)).getOrder();
    assertEquals(own, key(orchestratorProxy, 2));
    ordersAre(placed.getId(), second.getId());
    var report = b2b.orchestration().getOrchestration(APIGetOrchestrationRequest.newBuilder().idempotencyKey(own).build());
    assertEquals(second.getId(), report.getData().getOrder().getId());
  }

  @Test
  void anEmptyKeyIsRefused() {
    failure("validation_failed", 400, false, () -> b2b.createAndConfirmOrder(orchestration(1).idempotencyKey("")));
    failure("validation_failed", 400, false, () -> b2b.orders().createOrder(order(1).xIdempotencyKey("").build()));
    ordersAre();
  }

  @Test
  void everyKeyedWrite() {
    var id = b2b.orders().createOrder(order(2).build()).getData().getId();
    ordersProxy.plan(DROP, DROP, PASS);
    assertEquals("CONFIRMED", b2b.orders().confirmOrder(APIConfirmOrderRequest.newBuilder().id(id).build()).getData().getStatus());
    key(ordersProxy, 3);
    ordersProxy.plan(DROP, DROP, PASS);
    var cancel = APICancelOrderRequest.newBuilder().id(id).cancellation(new Cancellation().reason("a test")).build();
    assertEquals("CANCELED", b2b.orders().cancelOrder(cancel).getData().getStatus());
    key(ordersProxy, 3);
    ordersProxy.plan(DROP, DROP, PASS);
    var adjust = APIAdjustStockRequest.newBuilder().id(productId).xIdempotencyKey("delivery-" + productId)
        .stockAdjustmentRequest(new StockAdjustmentRequest().delta(40L).reason("a test")).build();
    assertEquals(140, b2b.products().adjustStock(adjust).getData().getLevel());
    assertEquals("delivery-" + productId, key(ordersProxy, 3));
    assertEquals(140, product().getStock());
  }

  @Test
  void allAnswersLost() {
    ordersProxy.plan(Collections.nCopies(100, DROP).toArray(Step[]::new));
    var lost = failure(B2BException.NO_ANSWER, 0, true, () -> b2b.withDeadline(Duration.ofSeconds(2)).orders().createOrder(order(1).build()));
    assertEquals(key(ordersProxy, ordersProxy.seen.size()), lost.getIdempotencyKey());
    ordersProxy.plan();
    var report = b2b.orders().getIdempotencyKey(APIGetIdempotencyKeyRequest.newBuilder().key(lost.getIdempotencyKey()).build()).getData();
    var repeated = b2b.orders().createOrder(order(1).xIdempotencyKey(lost.getIdempotencyKey()).build()).getData();
    assertEquals(repeated.getId(), report.getOperations().get(0).getOrderId());
    ordersAre(repeated.getId());
  }

  @Test
  void aWriteWithoutKeyIsSentOnce() {
    var update = APIUpdateCustomerRequest.newBuilder().id(customerId).customerUpdate(new CustomerUpdate().name("B test")).build();
    for (var step : List.of(DROP, CLOSE, refuse(503))) {
      customersProxy.plan(step);
      var lost = step instanceof Proxy.Fault;
      var e = failure(lost ? B2BException.NO_ANSWER : "unavailable", lost ? 0 : 503, false, () -> b2b.customers().updateCustomer(update));
      assertEquals(1, customersProxy.seen.size());
      assertNull(e.getIdempotencyKey());
    }
    assertEquals(List.of(), clock.waits);
  }

  @Test
  void retryAfterIsObeyed() {
    var later = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(3600).format(DateTimeFormatter.RFC_1123_DATE_TIME);
    ordersProxy.plan(refuse(429, "Retry-After", "7"), refuse(503, "Retry-After", later), PASS);
    b2b.withDeadline(Duration.ofHours(2)).orders().createOrder(order(1).build());
    assertEquals(2, clock.waits.size());
    assertTrue(clock.waits.get(0).toSeconds() >= 7, () -> clock.waits.toString());
    assertTrue(clock.waits.get(1).toMinutes() >= 30, () -> clock.waits.toString());
  }

  @Test
  void deadline() {
    ordersProxy.plan(Collections.nCopies(100, refuse(503, "Retry-After", "20")).toArray(Step[]::new));
    failure("unavailable", 503, true, () -> b2b.withDeadline(Duration.ofSeconds(30)).orders().createOrder(order(1).build()));
    assertEquals(2, ordersProxy.seen.size());
    assertEquals(1, clock.waits.size()); // what lies behind the deadline is not waited for

    clock.waits.clear();
    ordersProxy.plan(Collections.nCopies(100, CLOSE).toArray(Step[]::new));
    var unanswered = failure(B2BException.NO_ANSWER, 0, true, () -> b2b.withDeadline(Duration.ofSeconds(30)).orders().createOrder(order(1).build()));
    assertTrue(unanswered.getMessage().contains("no answer came from http://"), unanswered.getMessage());
    assertTrue(clock.waits.size() >= 7);
    assertEquals(clock.waits.size() + 1, ordersProxy.seen.size());
    assertTrue(clock.waits.stream().reduce(Duration.ZERO, Duration::plus).toSeconds() < 30);
  }

  @Test
  void aTryWithoutAnswerIsFollowedByAnother() {
    b2b = settings().tryTimeout(Duration.ofMillis(300)).build();
    ordersProxy.plan(HANG, PASS);
    var id = b2b.orders().createOrder(order(1).build()).getData().getId();
    key(ordersProxy, ordersProxy.seen.size());
    assertTrue(ordersProxy.seen.size() >= 2);
    ordersAre(id);
  }

  @Test
  void aCallCanBeInterrupted() throws Exception {
    ordersProxy.plan(HANG);
    var caller = Thread.currentThread();
    var watcher = new Thread(() -> {
      while (ordersProxy.seen.isEmpty()) Thread.onSpinWait();
      caller.interrupt();
    });
    watcher.start();
    var e = failure(B2BException.NO_ANSWER, 0, true, () -> b2b.orders().createOrder(order(1).build()));
    assertTrue(Thread.interrupted());
    watcher.join();
    assertEquals(key(ordersProxy, 1), e.getIdempotencyKey());
  }

  @Test
  void refusals() {
    for (Executable call : List.<Executable>of(
        () -> b2b.orders().createOrder(order(101).build(), Map.of("X-Correlation-Id", "req-1")),
        () -> b2b.createAndConfirmOrder(orchestration(101).correlationId("req-1")))) {
      var e = failure("insufficient_stock", 400, false, call);
      assertEquals("req-1", e.getCorrelationId());
      assertEquals("/items/0/qty", e.getDetails().get(0).getField());
      assertFalse(e.getIdempotencyKey().isEmpty());
    }
    var key = "one-" + customerId;
    var first = b2b.orders().createOrder(order(1).xIdempotencyKey(key).build()).getData();
    failure("idempotency_key_reused", 422, false, () -> b2b.orders().createOrder(order(2).xIdempotencyKey(key).build()));
    ordersAre(first.getId());
    for (int status : List.of(500, 408, 404)) {
      ordersProxy.plan(refuse(status));
      productFailure("unavailable", status, status != 404);
      assertEquals(1, ordersProxy.seen.size());
    }
  }

  @Test
  void conditions() {
    var read = APIGetProductRequest.newBuilder().id(productId);
    var etag = b2b.products().getProductWithHttpInfo(read.build()).getHeaders().get("etag").get(0);
    failure(B2BException.NOT_MODIFIED, 304, false, () -> b2b.products().getProduct(read.ifNoneMatch(etag).build()));
    var update = APIUpdateProductRequest.newBuilder().id(productId).ifMatch(etag);
    b2b.products().updateProduct(update.productUpdate(new ProductUpdate().stock(7L)).build());
    failure("precondition_failed", 412, false, () -> b2b.products().updateProduct(update.productUpdate(new ProductUpdate().stock(8L)).build()));
    assertEquals(7, product().getStock());
  }

  @Test
  void answersOfSomebodyElse() {
    for (var step : List.of(answer(200, "<html>"), answer(200, "{}"), answer(404, "<html>"), answer(302, "", "Location", "/products/2"), answer(404, ""))) {
      ordersProxy.plan(step);
      productFailure(B2BException.UNEXPECTED_ANSWER, ((Planned) step).status(), false);
    }
  }

  @Test
  void pages() {
    var want = new ArrayList<String>();
    for (int i = 0; i < 5; i++) {
      want.add("PAGED-" + customerId + "-" + i);
      newProduct(want.get(i));
    }
    var list = APIListProductsRequest.newBuilder().search("PAGED-" + customerId + "-").limit(2);
    ordersProxy.plan(PASS, refuse(503));
    var got = new ArrayList<String>();
    for (Product product : B2B.each((Long cursor) -> b2b.products().listProducts(list.cursor(cursor).build()))) got.add(product.getSku());
    assertEquals(want, got);
    assertEquals(4, ordersProxy.seen.size());

    ordersProxy.plan();
    assertEquals(2, B2B.stream((Long cursor) -> b2b.products().listProducts(list.cursor(cursor).build())).limit(2).count());
    assertEquals(1, ordersProxy.seen.size());
    failure("validation_failed", 400, false, () -> B2B.stream((Long cursor) -> b2b.products().listProducts(list.limit(1000).cursor(cursor).build())));
  }

  @Test
  void issue17n12PagesOfIterationsHave100Things() {
    for (var all : List.of(
        b2b.allProducts(APIListProductsRequest.newBuilder().search("no product has this text")),
        b2b.allOrders(APIListOrdersRequest.newBuilder().customerId(1_000_000_000L).limit(7)))) {
      assertFalse(all.iterator().hasNext());
    }
    assertEquals(List.of("100", "7"), ordersProxy.seen.stream().map(request -> request.query().replaceFirst(".*limit=(\\d+).*", "$1")).toList());

    var want = new ArrayList<String>();
    for (int i = 0; i < 3; i++) {
      want.add("ALL-" + customerId + "-" + i);
      newProduct(want.get(i));
    }
    var all = b2b.allProducts(APIListProductsRequest.newBuilder().search("ALL-" + customerId + "-").limit(2));
    for (int i = 0; i < 2; i++) {
      var got = new ArrayList<String>();
      for (var product : all) got.add(product.getSku());
      assertEquals(want, got);
    }
  }

  /** An iteration begins behind the cursor of the filters, and leaves the filters as they are. */
  @Test
  void iterationsLeaveTheirFiltersAlone() {
    var search = "LEFT-" + customerId + "-";
    var ids = new ArrayList<Long>();
    for (int i = 0; i < 4; i++) ids.add(newProduct(search + i));
    var filters = APIListProductsRequest.newBuilder().search(search).limit(1).cursor(ids.get(0));
    var all = b2b.allProducts(filters);
    for (int i = 0; i < 2; i++) {
      var got = new ArrayList<Long>();
      for (var product : all) got.add(product.getId());
      assertEquals(ids.subList(1, 4), got);
      assertEquals(ids.get(0), filters.build().cursor());
    }
    filters.search("another text"); // is for another iteration
    assertEquals(ids.get(1), all.iterator().next().getId());

    var plain = APIListProductsRequest.newBuilder();
    b2b.allProducts(plain).iterator();
    assertNull(plain.build().limit());
    assertNull(plain.build().cursor());

    ordersProxy.plan(answer(200, "{\"success\": true, \"data\": [], \"meta\": {\"nextCursor\": 5}}"));
    failure(B2BException.UNEXPECTED_ANSWER, 200, false,
        () -> b2b.allProducts(APIListProductsRequest.newBuilder().cursor(5L)).iterator().hasNext());
  }

  /** Each page is asked for with all filters. */
  @Test
  void everyPageHasAllFilters() {
    var some = APIListOrdersRequest.newBuilder().status(OrderStatusFilter.CANCELED).customerId(1L).externalRef("a").from("2024-01-01")
        .to("2024-01-02").updatedSince("2024-01-03").sort(ListSort.NEWEST_FIRST).limit(7).confirmedFrom("2024-01-04")
        .confirmedTo("2024-01-05").cancelReason(CancelReasonFilter.REQUESTED).ids("1,2");
    var page = "{\"success\": true, \"data\": [], \"meta\": {\"nextCursor\": %s}}";
    ordersProxy.plan(answer(200, page.formatted("5")), answer(200, page.formatted("null")));
    assertFalse(b2b.allOrders(some).iterator().hasNext());
    ordersProxy.seen.forEach(request -> {
      for (var field : APIListOrdersRequest.class.getDeclaredFields()) {
        var name = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase();
        var wanted = !name.equals("cursor") || request != ordersProxy.seen.get(0);
        assertEquals(wanted, ("&" + request.query()).contains("&" + name + "="), name + " in " + request.query());
      }
    });
    assertEquals(2, ordersProxy.seen.size());

    var ofProduct = APIListStockAdjustmentsRequest.newBuilder().id(productId);
    assertTrue(b2b.allStockAdjustments(ofProduct).iterator().hasNext());
  }

  @Test
  void issue17n12AnIterationOfTheCallersOwnEndsWhenItsCursorRepeats() {
    var product = product();
    var page = new ProductListResponse().success(true).addDataItem(product).meta(new Meta().nextCursor(5L));
    var got = new ArrayList<Product>();
    var e = assertThrows(B2BException.class, () -> B2B.stream((Long cursor) -> page).forEach(got::add));
    assertEquals(B2BException.UNEXPECTED_ANSWER, e.getCode());
    assertEquals(List.of(product, product), got);
  }

  @Test
  void issue17n12TheTextOfAnErrorHasItsDetails() {
    var e = failure("insufficient_stock", 400, false, () -> b2b.orders().createOrder(order(101).build()));
    var detail = e.getDetails().get(0);
    for (var part : List.of("insufficient_stock", detail.getField(), detail.getMessage())) assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void issue17n12TheHeadersOfASuccessHaveKeyAndCorrelationId() {
    var headers = b2b.orders().createOrderWithHttpInfo(order(1).build()).getHeaders();
    assertEquals(List.of(key(ordersProxy, 1)), headers.get("X-Idempotency-Key"));
    assertEquals(List.of(ordersProxy.seen.get(0).header("X-correlation-id")), headers.get("X-Correlation-Id"));
  }

  private static List<ProductImportRow> rows(String prefix, int count) {
    var rows = new ArrayList<ProductImportRow>();
    for (int i = 0; i < count; i++) rows.add(new ProductImportRow().sku(prefix + i).name("A tëst €").priceCents((long) i).stock(3L));
    return rows;
  }

  @Test
  void issue17n12Imports() {
    var prefix = "FILE-" + customerId + "-";
    var rows = rows(prefix, 600);
    rows.get(1).priceCents(-1L);
    rows.get(3).sku(prefix + 0);
    for (var dryRun : List.of(true, false)) {
      var got = new ArrayList<ProductImportRow>();
      var refused = new HashMap<ProductImportRow, ImportLine>();
      var summary = b2b.importProducts(rows, APIImportProductsRequest.newBuilder().dryRun(dryRun).build(), (row, line) -> {
        got.add(row);
        if (line.getResult().equals("refused")) refused.put(row, line);
      });
      assertEquals(List.of(600, 598, 2, dryRun), List.of(summary.getRows(), summary.getCreated(), summary.getRefused(), summary.getDryRun()));
      assertEquals(rows, got);
      assertEquals(Set.of(rows.get(1), rows.get(3)), refused.keySet());
      assertEquals("/price_cents", refused.get(rows.get(1)).getDetails().get(0).getField());
    }
    try (var exported = b2b.exportProducts(APIExportProductsRequest.newBuilder().search(prefix).build())) {
      assertEquals(598, exported.filter(product -> product.getName().equals("A tëst €")).count());
    }
    assertEquals(598, b2b.importProducts(rows).getUnchanged());
    failure("validation_failed", 400, false, () -> b2b.importProducts(List.of()));
    var email = prefix.toLowerCase() + "@example.com";
    assertEquals(1, b2b.importCustomers(List.of(new CustomerImportRow().email(email).name("A test"))).getCreated());
    try (var exported = b2b.exportCustomers(APIExportCustomersRequest.newBuilder().email(email).build())) {
      assertEquals(List.of(email), exported.map(Customer::getEmail).toList());
    }
  }

  private static final String[] NDJSON = {"Content-Type", "application/x-ndjson"};

  @Test
  void issue17n12ImportsThatFail() {
    var rows = rows("FILE-" + customerId + "-", 1);
    var summary = "{\"summary\":{\"complete\":true,\"dry_run\":false,\"rows\":1,\"created\":1,\"updated\":0,\"unchanged\":0,\"refused\":0}}\n";
    var incomplete = summary.replace("true", "false").replace("0}}", "0,\"code\":\"timeout\",\"error\":\"Too late.\"}}");
    record Case(Step step, String code, int status) {}
    for (var it : List.of(
        new Case(DROP, B2BException.NO_ANSWER, 0),
        new Case(CLOSE, B2BException.NO_ANSWER, 0),
        new Case(refuse(503), "unavailable", 503),
        new Case(answer(200, summary, "Content-Type", "text/plain"), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, "{\"row\":1,\"result\":\"created\",\"id\":1}\n", NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, summary.substring(0, summary.length() - 9), NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, "{\"row\":\"1\"}\n" + summary, NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, "{\"summary\":{}}\n", NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, "<html>\n", NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, summary, true, NDJSON), B2BException.NO_ANSWER, 0),
        new Case(answer(200, incomplete, NDJSON), "timeout", 200))) {
      ordersProxy.plan(it.step);
      var e = failure(it.code, it.status, false, () -> b2b.importProducts(rows));
      assertEquals(1, ordersProxy.seen.size());
      assertEquals(ordersProxy.seen.get(0).header("X-correlation-id"), e.getCorrelationId());
    }
    ordersProxy.plan(answer(200, "{\"row\":7,\"result\":\"novel\"}\n" + summary + "{\"x\":1}\n", NDJSON));
    assertEquals(1, b2b.importProducts(rows, APIImportProductsRequest.newBuilder().build(), (row, line) -> fail()).getRows());
    b2b = settings().tryTimeout(Duration.ofMillis(300)).build();
    ordersProxy.plan(HANG);
    failure(B2BException.NO_ANSWER, 0, false, () -> b2b.importProducts(rows));
  }

  /** Makes rows when they are read; hook gets the number of each before. */
  private static Iterable<ProductImportRow> made(String prefix, int count, IntConsumer hook) {
    return () -> IntStream.range(0, count).mapToObj(i -> {
      hook.accept(i);
      return new ProductImportRow().sku(prefix + i).name("A tëst €").priceCents((long) i).stock(3L);
    }).iterator();
  }

  /** Imports rows of which the last waits until the first has arrived. The caller's thread must make all rows. */
  @Test
  void rowsAreSentWhileTheyAreRead() throws Exception {
    var count = 100_000;
    var received = new CountDownLatch(1);
    var lines = new AtomicInteger();
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      var body = exchange.getRequestBody();
      for (int b; (b = body.read()) >= 0; received.countDown()) if (b == '\n') lines.incrementAndGet();
      exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
      var answer = ("{\"row\":" + count + ",\"result\":\"created\",\"id\":1}\n{\"summary\":{\"complete\":true,\"dry_run\":false,\"rows\":" + count
          + ",\"created\":1,\"updated\":0,\"unchanged\":0,\"refused\":0}}\n").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
    try {
      var client = B2B.builder().orders("http://127.0.0.1:" + server.getAddress().getPort()).build();
      var caller = Thread.currentThread();
      var rows = made("LAZY-", count, i -> {
        assertSame(caller, Thread.currentThread());
        try {
          if (i == count - 1) assertTrue(received.await(10, TimeUnit.SECONDS), "the rows are collected");
        } catch (InterruptedException e) {
          fail(e);
        }
      });
      assertEquals(count, client.importProducts(rows).getRows());
      assertEquals(count, lines.get());
      var got = new ArrayList<String>();
      client.importProducts(rows, APIImportProductsRequest.newBuilder().build(), (row, line) -> got.add(row.getSku()));
      assertEquals(List.of("LAZY-" + (count - 1)), got);
    } finally {
      server.stop(0);
    }
  }

  /** Imports rows that throw. The error must come out as it is, and the service must apply no row. */
  @Test
  void anErrorOfTheRowsEndsTheImport() {
    var direct = settings().orders(addresses.get(1)).build();
    var prefix = "BROKEN-" + customerId + "-";
    for (var error : List.of(new IllegalStateException("no more"), new OutOfMemoryError("no more"), new UncheckedIOException(new IOException("no more")))) {
      for (int last : List.of(0, 1, 5000)) {
        var rows = made(prefix, 6000, i -> {
          if (i < last) return;
          if (error instanceof Error serious) throw serious;
          throw (RuntimeException) error;
        });
        assertSame(error, assertThrows(Throwable.class, () -> direct.importProducts(rows)));
      }
    }
    var broken = new IllegalStateException("no iterator");
    assertSame(broken, assertThrows(IllegalStateException.class, () -> direct.importProducts(() -> { throw broken; })));
    assertEquals(0, direct.exportProducts(APIExportProductsRequest.newBuilder().search(prefix).build()).count());
  }

  @Test
  void argumentsAreCheckedBeforeARequest() {
    var request = APIImportProductsRequest.newBuilder().build();
    var rows = made("NULL-", 1, i -> fail("a row is read"));
    var calls = new HashMap<Executable, String>();
    calls.put(() -> b2b.importProducts(null), "rows");
    calls.put(() -> b2b.importProducts(null, request, (row, line) -> {}), "rows");
    calls.put(() -> b2b.importProducts(rows, null, (row, line) -> {}), "request");
    calls.put(() -> b2b.importProducts(rows, request, null), "onRow");
    calls.put(() -> b2b.exportProducts(null), "request");
    calls.put(() -> b2b.followEvents(0, null, null), "onPosition");
    calls.put(() -> settings().orders(null), "orders");
    calls.put(() -> settings().deadline(null), "deadline");
    calls.put(() -> settings().tryTimeout(null), "tryTimeout");
    calls.forEach((call, name) -> assertEquals(name, assertThrows(NullPointerException.class, call).getMessage()));
    assertEquals(List.of(), ordersProxy.seen);
  }

  /** Calls services without an address, or with one that is none; the error must name the service. */
  @Test
  void aCallNamesTheAddressThatIsNone() {
    var rows = made("NOWHERE-", 1, i -> fail("a row is read"));
    for (var address : List.of("", "localhost:3002", "ftp://localhost", "http:///orders")) {
      var client = settings().orders(address).build();
      for (Executable call : List.<Executable>of(() -> client.orders().createOrder(order(1).build()), () -> client.importProducts(rows))) {
        var e = assertThrows(IllegalArgumentException.class, call);
        assertTrue(e.getMessage().contains("the service orders is \"" + address + "\""), e.getMessage());
      }
    }
    var text = assertThrows(IllegalArgumentException.class, () -> settings().orders("http://a host")).getMessage();
    assertTrue(text.contains("orders"), text);
    var none = B2B.builder().customers(customersProxy.address()).build();
    for (Executable call : List.<Executable>of(() -> none.orders().createOrder(order(1).build()), () -> none.importProducts(rows))) {
      var e = assertThrows(IllegalStateException.class, call);
      assertTrue(e.getMessage().contains("the service orders is not set"), e.getMessage());
    }
  }

  /** The answer to an import is closed when the caller's function throws. */
  @Test
  void anImportThatTheCallerEndsClosesItsAnswer() throws Exception {
    var closed = new CountDownLatch(1);
    var line = "{\"row\":1,\"result\":\"created\",\"id\":1}\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      exchange.getRequestBody().readAllBytes();
      exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
      exchange.sendResponseHeaders(200, 0);
      try {
        while (true) exchange.getResponseBody().write(line); // without end
      } catch (IOException e) {
        closed.countDown();
      }
    });
    server.start();
    try {
      var client = B2B.builder().orders("http://127.0.0.1:" + server.getAddress().getPort()).build();
      var enough = new IllegalStateException("enough");
      assertSame(enough, assertThrows(IllegalStateException.class, () -> client.importProducts(rows("ENDED-", 1),
          APIImportProductsRequest.newBuilder().build(), (row, said) -> { throw enough; })));
      assertTrue(closed.await(10, TimeUnit.SECONDS));
    } finally {
      server.stop(0);
    }
  }

  /** Imports and exports make no HttpClient, which would have a thread. */
  @Test
  void filesMakeNoHttpClient() {
    var before = selectors();
    for (int i = 0; i < 3; i++) {
      assertEquals(1, b2b.importProducts(rows("THREAD-" + customerId + "-" + i + "-", 1)).getCreated());
      b2b.exportProducts(APIExportProductsRequest.newBuilder().search("THREAD-" + customerId).build()).toList();
    }
    var after = selectors();
    after.removeAll(before);
    assertEquals(Set.of(), after);
  }

  /** Returns the names of the threads of all HttpClients. */
  private static Set<String> selectors() {
    return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).filter(name -> name.matches("HttpClient-.*-SelectorManager"))
        .collect(Collectors.toSet());
  }

  @Test
  void issue17n12ExportsThatFail() throws Exception {
    var orders = new ArrayList<Order>();
    for (int i = 0; i < 3; i++) orders.add(b2b.orders().createOrder(order(1).build()).getData());
    var all = APIExportOrdersRequest.newBuilder().customerId(customerId).status(OrderStatusFilter.CREATED).build();
    ordersProxy.plan(CLOSE, refuse(503), PASS);
    assertEquals(orders, b2b.exportOrders(all).toList());
    assertEquals(3, ordersProxy.seen.size());
    try (var some = b2b.exportOrders(all)) {
      assertEquals(orders.get(0), some.findFirst().orElseThrow());
    }
    var one = ApiClient.createDefaultObjectMapper().setSerializationInclusion(Include.ALWAYS).writeValueAsString(orders.get(0)) + "\n";
    record Case(Step step, String code, int status) {}
    for (var it : List.of(
        new Case(answer(200, one, "Content-Type", "text/csv"), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, one + "{\"id\": 7}\n", NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, one + one.substring(0, one.length() - 9), NDJSON), B2BException.UNEXPECTED_ANSWER, 200),
        new Case(answer(200, one.repeat(9), true, NDJSON), B2BException.NO_ANSWER, 0),
        new Case(answer(403, "{\"code\": \"forbidden\"}"), "forbidden", 403))) {
      ordersProxy.plan(it.step);
      var e = assertThrows(B2BException.class, () -> b2b.exportOrders(all).toList());
      assertEquals(List.of(it.code, it.status, 1), List.of(e.getCode(), e.getStatus(), ordersProxy.seen.size()));
    }
  }

  @Test
  void numbersAreExactAndWhatIsNewDoesNotDisturb() {
    var placed = b2b.orders().createOrder(order(97).build()).getData();
    assertEquals(96_999_993_889L, placed.getTotalCents());
    assertEquals("A tëst €", product().getName()); // whatever the platform's encoding
    long big = (1L << 53) - 1;
    ObjectNode novel = ApiClient.createDefaultObjectMapper().setSerializationInclusion(Include.ALWAYS).valueToTree(placed);
    novel.put("id", big).put("total_cents", big).put("status", "TELEPORTED").put("cancel_reason", "novel");
    novel.putArray("allowed_actions").add("novel");
    novel.putArray("items");
    novel.putObject("novel").putArray("a").add(1);
    ordersProxy.plan(answer(200, "{\"success\": true, \"data\": " + novel + ", \"novel\": 1}"));
    Order order = b2b.orders().getOrder(APIGetOrderRequest.newBuilder().id(big).build()).getData();
    assertEquals(big, order.getId());
    assertEquals(big, order.getTotalCents());
    assertEquals("TELEPORTED", order.getStatus());
    assertEquals("/orders/9007199254740991", ordersProxy.seen.get(0).path());
    ordersProxy.plan(answer(418, "{\"success\": false, \"error\": \"New.\", \"code\": \"novel\", \"novel\": 1}"));
    productFailure("novel", 418, false);
  }

  @Test
  void tokens() {
    var asked = new AtomicInteger();
    Supplier<String> token = () -> "token-" + asked.incrementAndGet() + "\n";
    ordersProxy.plan(refuse(503), refuse(404));
    b2b = settings().token(token).build();
    productFailure("unavailable", 404, false);
    assertEquals(List.of("Bearer token-1", "Bearer token-2"), ordersProxy.seen.stream().map(request -> request.header("Authorization")).toList());
    b2b = settings().token("nonsense").build();
    productFailure("unauthorized", 401, false);
    for (var none : List.of(settings().token((String) null), settings().token((Supplier<String>) () -> null))) {
      ordersProxy.plan();
      b2b = none.build();
      product();
      assertFalse(ordersProxy.seen.get(0).headers().containsKey("Authorization"));
    }
    var broken = new IllegalStateException("no token");
    b2b = settings().token(() -> { throw broken; }).build();
    assertSame(broken, productFailure(B2BException.NO_ANSWER, 0, true).getCause());
  }

  /** Calls services that let nobody in without a token, with one that b2b token prints. */
  @Test
  void tokenOfACustomer(@TempDir Path folder) throws Exception {
    var environment = Map.of("AUTH_MODE", "jwt", "JWT_SECRET", "a-secret-of-the-test-that-is-long-enough", "SERVICE_TOKEN", "token-of-the-test");
    var strict = new ArrayList<String>();
    var program = start(folder, environment, strict);
    try (var orchestrator = new Proxy(strict.get(2))) {
      var settings = B2B.builder().customers(strict.get(0)).orders(strict.get(1)).orchestrator(orchestrator.address());
      var order = new OrchestrationRequest().customerId(1L).addItemsItem(new OrderItemRequest().productId(2L).qty(1L));
      failure("unauthorized", 401, false, () -> settings.build().createAndConfirmOrder(order));
      failure("unauthorized", 401, false, () -> settings.build().importProducts(made("A", Integer.MAX_VALUE, i -> {}))); // while it sends

      var token = command(folder, environment, "token", "--sub", "acme", "--scope", "orders:read orders:write", "--customer", "1").start();
      var partner = settings.token(new String(token.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip()).build();
      orchestrator.plan(DROP, refuse(503), PASS);
      var placed = partner.createAndConfirmOrder(order).getOrder();
      key(orchestrator, 3);
      var visible = B2B.stream((Long cursor) -> partner.orders().listOrders(APIListOrdersRequest.newBuilder().cursor(cursor).build())).toList();
      assertTrue(visible.stream().allMatch(it -> it.getCustomerId() == 1));
      assertEquals(1, visible.stream().filter(it -> it.getId().equals(placed.getId())).count());
      failure("forbidden", 403, false, () -> partner.createAndConfirmOrder(order.customerId(2L)));
    } finally {
      program.destroy();
      program.waitFor();
    }
  }

  /** Runs the README's program as it stands there, but with the ports of this test. */
  @Test
  void readme(@TempDir Path folder) throws Exception {
    var block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(Path.of("README.md")));
    assertTrue(block.find());
    var source = block.group(1);
    var services = List.of("customers", "orders", "orchestrator");
    for (int i = 0; i < services.size(); i++) {
      source = source.replaceAll(services.get(i) + "\\(\"http://localhost:\\d+\"\\)", services.get(i) + "(\"" + addresses.get(i) + "\")");
    }
    var file = Files.writeString(folder.resolve("FirstOrder.java"), source);
    var java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"), file.toString())
        .redirectErrorStream(true).start();
    var printed = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    var confirmed = Pattern.compile("order (\\d+) is CONFIRMED\n(?s:.*)\\b\\1 389700\n").matcher(printed);
    assertTrue(confirmed.find(), printed);
  }
}
