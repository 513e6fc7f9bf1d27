package com.example.b2b;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** Stands before a service. Each request takes the next step of the plan, and passes when there is none. */
final class Proxy implements AutoCloseable {
  /** What becomes of a request. */
  interface Step {}

  enum Fault implements Step {
    PASS,
    /** The connection, before anything is done. */
    CLOSE,
    /** The answer, after the service did its work. */
    DROP,
    /** The answer in half. */
    CUT,
    /** After the service did its work. */
    HANG
  }

  /** An answer, of which the half is left out when it is cut. */
  record Planned(int status, byte[] body, Map<String, String> headers, boolean cut) implements Step {}

  record Seen(String path, String query, Map<String, List<String>> headers, String body) {
    String header(String name) {
      return headers.getOrDefault(name, List.of("")).get(0);
    }
  }

  final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final Queue<Step> plan = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
  private final String target;

  Proxy(String target) throws IOException {
    this.target = target;
    server.createContext("/", this::serve);
    server.setExecutor(Executors.newCachedThreadPool(task -> {
      var thread = new Thread(task);
      thread.setDaemon(true);
      return thread;
    }));
    server.start();
  }

  String address() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  synchronized void plan(Step... steps) {
    plan.clear();
    plan.addAll(List.of(steps));
    seen.clear();
  }

  private synchronized Step next(Seen request) {
    seen.add(request);
    var step = plan.poll();
    return step == null ? Fault.PASS : step;
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      var body = exchange.getRequestBody().readAllBytes();
      var uri = exchange.getRequestURI();
      var step = next(new Seen(uri.getRawPath(), uri.getRawQuery(), Map.copyOf(exchange.getRequestHeaders()), new String(body)));
      if (step == Fault.CLOSE) return;
      if (step instanceof Planned planned) {
        planned.headers().forEach(exchange.getResponseHeaders()::set);
        var content = planned.body();
        exchange.sendResponseHeaders(planned.status(), content.length == 0 ? -1 : content.length);
        exchange.getResponseBody().write(content, 0, planned.cut() ? content.length / 2 : content.length);
        return;
      }
      var forward = HttpRequest.newBuilder(URI.create(target + uri)).method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
      exchange.getRequestHeaders().forEach((name, values) -> {
        if (!List.of("connection", "content-length", "host", "http2-settings", "transfer-encoding", "upgrade").contains(name.toLowerCase())) forward.header(name, values.get(0));
      });
      var answer = http.send(forward.build(), HttpResponse.BodyHandlers.ofByteArray());
      if (step == Fault.DROP) return;
      if (step == Fault.HANG) {
        closed.await();
        return;
      }
      answer.headers().map().forEach((name, values) -> {
        if (!name.equalsIgnoreCase("content-length")) exchange.getResponseHeaders().put(name, values);
      });
      var content = answer.body();
      exchange.sendResponseHeaders(answer.statusCode(), content.length == 0 ? -1 : content.length);
      exchange.getResponseBody().write(content, 0, step == Fault.CUT ? content.length / 2 : content.length);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
  }
}
