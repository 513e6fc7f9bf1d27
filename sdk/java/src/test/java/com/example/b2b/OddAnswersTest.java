package com.example.b2b;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.b2b.Proxy.Planned;
import com.example.b2b.Proxy.Step;
import com.example.b2b.api.CustomersApi.APIDeleteCustomerRequest;
import com.example.b2b.api.OrchestrationApi.APICreateAndConfirmOrderRequest;
import com.example.b2b.api.OrdersApi.APICreateOrderRequest;
import com.example.b2b.api.ProductsApi.APIGetProductRequest;
import com.example.b2b.api.ProductsApi.APIListProductsRequest;
import com.example.b2b.api.ProductsApi.APIUpdateProductRequest;
import com.example.b2b.model.OrderRequest;
import com.example.b2b.model.OrderItemRequest;
import com.example.b2b.model.OrchestrationRequest;
import com.example.b2b.model.ProductUpdate;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** Runs the SDK on the answers of odd-answers.json, whose "about" says what it must report. */
@Timeout(60)
class OddAnswersTest {
  private static final ObjectMapper json = new ObjectMapper();
  private static JsonNode table;
  private static Proxy server;

  @BeforeAll
  static void start() throws Exception {
    table = json.readTree(Path.of("../odd-answers.json").toFile());
    server = new Proxy("http://b2b.invalid");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @TestFactory
  Stream<DynamicTest> issue17n12OddAnswers() throws Exception {
    if (table == null) start();
    var rows = new ArrayList<DynamicTest>();
    for (var row : table.get("rows")) rows.add(DynamicTest.dynamicTest(row.get("name").asText(), () -> report(row)));
    return rows.stream();
  }

  private static void report(JsonNode row) throws Exception {
    var answers = answers(row);
    var plan = new ArrayList<Step>(answers);
    plan.addAll(Collections.nCopies(100, answers.get(answers.size() - 1)));
    server.plan(plan.toArray(Step[]::new));
    var settings = B2B.builder().customers(server.address()).orders(server.address()).events(server.address())
        .orchestrator(server.address());
    settings.clock = new Clock() { // a deadline passes while the server answers the second request
      @Override
      public long now() {
        assertTrue(server.seen.size() <= 50, "the call never ends");
        return Duration.ofSeconds(60).toNanos() * (server.seen.size() / 2);
      }

      @Override
      public void sleep(Duration duration) {}
    };
    var call = row.get("call").asText();
    var items = new ArrayList<Object>();
    B2BException error = null;
    Map<String, List<String>> headers = Map.of();
    try {
      headers = call(settings.build(), call, items);
    } catch (B2BException e) {
      error = e;
    }
    var expect = row.get("expect");
    assertEquals(expect.get("code").textValue(), error == null ? null : error.getCode(), () -> row.toString());
    assertEquals(expect.path("items").asInt(0), items.size());
    var keys = new HashSet<String>();
    for (var request : server.seen) {
      var header = request.header("X-idempotency-key");
      keys.add(header.isEmpty() ? json.readTree(request.body()).path("idempotency_key").textValue() : header);
    }
    assertEquals(1, keys.size());
    var key = keys.iterator().next();
    assertEquals(call.startsWith("create"), key != null);
    if (!call.startsWith("list")) assertEquals(expect.path("tries").asText().equals("again") ? 2 : 1, server.seen.size());
    if (error == null) {
      if (key != null) assertEquals(List.of(key), headers.get("X-Idempotency-Key"));
      return;
    }
    assertEquals(expect.path("status").asInt(row.get("status").asInt()), error.getStatus());
    assertEquals(expect.path("retryable").asBoolean(), error.isRetryable());
    assertEquals(key, error.getIdempotencyKey());
    var sent = server.seen.get(server.seen.size() - 1).header("X-correlation-id");
    assertEquals(expect.path("correlation").asText(sent), error.getCorrelationId());
    assertEquals(expect.path("details").asInt(0), error.getDetails().size());
    var text = error.getMessage();
    assertTrue(text.contains(error.getCode()), text);
    for (var part : expect.path("says")) assertTrue(text.contains(part.asText()), text);
    assertFalse(text.contains("null"), text);
  }

  /** Makes the row's call and returns the headers of its answer. */
  private static Map<String, List<String>> call(B2B b2b, String call, List<Object> items) {
    var item = new OrderItemRequest().productId(2L).qty(3L);
    return switch (call) {
      case "createOrder" -> {
        var order = new OrderRequest().customerId(1L).addItemsItem(item);
        var answer = b2b.orders().createOrderWithHttpInfo(APICreateOrderRequest.newBuilder().orderRequest(order).build());
        assertEquals(41, answer.getData().getData().getId());
        yield answer.getHeaders();
      }
      case "createAndConfirmOrder" -> {
        var order = new OrchestrationRequest().customerId(1L).addItemsItem(item);
        var answer = b2b.orchestration().createAndConfirmOrderWithHttpInfo(APICreateAndConfirmOrderRequest.newBuilder().orchestrationRequest(order).build());
        assertEquals(41, answer.getData().getData().getOrder().getId());
        yield answer.getHeaders();
      }
      case "getProduct" -> b2b.products().getProductWithHttpInfo(APIGetProductRequest.newBuilder().id(2L).build()).getHeaders();
      case "updateProduct" -> {
        var update = APIUpdateProductRequest.newBuilder().id(2L).productUpdate(new ProductUpdate().stock(7L));
        yield b2b.products().updateProductWithHttpInfo(update.build()).getHeaders();
      }
      case "deleteCustomer" -> b2b.customers().deleteCustomerWithHttpInfo(APIDeleteCustomerRequest.newBuilder().id(1L).build()).getHeaders();
      case "listProducts" -> {
        for (var product : b2b.allProducts(APIListProductsRequest.newBuilder())) items.add(product);
        yield Map.of();
      }
      case "listEvents" -> {
        b2b.followEvents(5, null).forEach(items::add);
        yield Map.of();
      }
      default -> throw new IllegalArgumentException(call);
    };
  }

  private static List<Planned> answers(JsonNode row) {
    var headers = new HashMap<String, String>();
    row.get("headers").properties().forEach(header -> headers.put(header.getKey(), header.getValue().asText()));
    var charset = row.path("latin1").asBoolean() ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8;
    var bodies = new ArrayList<JsonNode>();
    Objects.requireNonNullElse(row.get("bodies"), json.createArrayNode().add(row.get("body"))).forEach(bodies::add);
    return bodies.stream().map(body -> new Planned(row.get("status").asInt(), text(body).getBytes(charset), headers, row.path("cut").asBoolean())).toList();
  }

  private static String text(JsonNode body) {
    if (body.isTextual()) return body.asText();
    var base = table.get("bodies").get(body.get("of").asText()).asText();
    if (!body.has("from")) return base;
    var from = body.get("from").asText();
    assertEquals(base.indexOf(from), base.lastIndexOf(from));
    assertTrue(base.contains(from));
    return base.replace(from, body.get("to").asText());
  }
}
