package com.example.b2b;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.example.b2b.model.FeedEvent;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checks webhooks, and follows a feed whose service fails now and then. */
@Timeout(60)
class WebhookTest {
  private static final String event = """
      {"id": %1$d, "type": "order.created", "subject": "order", "subject_id": 3, "customer_id": 1, "actor": "erp", "correlation_id": null,
       "created_at": "2024-03-01T09:30:00.000Z", "position": %1$d,
       "representation": {"id": 3, "created_at": "2024-03-01T09:30:00.000Z", "external_ref": null, "items": [{"sku": "A", "qty": 2}], "new": 1}}""";
  private static final byte[] body = """
      {"type": "order.created", "timestamp": "2024-03-01T09:30:00.000Z", "data": %s}""".formatted(event.formatted(17)).getBytes(StandardCharsets.UTF_8);

  private interface Signer {
    byte[] sign(byte[] signed) throws Exception;
  }

  private static Map<String, String> headers(String version, Signer signer, long at) throws Exception {
    var stamp = "" + (Instant.now().getEpochSecond() + at);
    var begin = ("evt_17." + stamp + ".").getBytes(StandardCharsets.UTF_8);
    var signed = Arrays.copyOf(begin, begin.length + body.length);
    System.arraycopy(body, 0, signed, begin.length, body.length);
    var all = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
    all.putAll(Map.of("webhook-id", "evt_17", "webhook-timestamp", stamp,
        "webhook-signature", "v2,x " + version + "," + Base64.getEncoder().encodeToString(signer.sign(signed))));
    return all;
  }

  private static void check(String key, String version, Signer signer) throws Exception {
    var good = headers(version, signer, 0);
    var message = Webhook.verify(key, good::get, body);
    assertEquals("order.created", message.getType());
    assertEquals(17, message.getData().getPosition());
    var order = Events.order(message.getData());
    assertEquals("2024-03-01T09:30Z A 2", order.getCreatedAt() + " " + order.getItems().get(0).getSku() + " " + order.getItems().get(0).getQty());
    assertThrows(IllegalArgumentException.class, () -> Events.product(message.getData()));
    var changes = new ArrayList<Map<String, String>>(List.of(headers(version, signer, -3600), headers(version, signer, 3600)));
    for (var name : good.keySet()) {
      for (var value : new String[] {null, "", "v1,% v1a v1,x", "1"}) {
        var changed = new HashMap<>(good);
        changed.put(name, value);
        changes.add(changed);
      }
    }
    for (var changed : changes) assertThrows(Webhook.Refused.class, () -> Webhook.verify(key, changed::get, body), () -> changed.toString());
    assertThrows(Webhook.Refused.class, () -> Webhook.verify(key, good::get, Arrays.copyOf(body, body.length + 1)));
    assertThrows(IllegalArgumentException.class, () -> Webhook.verify("whsec_%", headers("v1", signer, 0)::get, body));
  }

  @Test
  void hmac() throws Exception {
    var secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    check(secret, "v1", signed -> {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret.substring(6)), "HmacSHA256"));
      return mac.doFinal(signed);
    });
  }

  @Test
  void ed25519() throws Exception {
    for (int i = 0; i < 8; i++) { // the sign of a key is a bit of its own
      var pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
      var encoded = pair.getPublic().getEncoded(); // the key is its last 32 bytes
      var key = "whpk_" + Base64.getEncoder().encodeToString(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
      check(key, "v1a", signed -> {
        var signature = Signature.getInstance("Ed25519");
        signature.initSign(pair.getPrivate());
        signature.update(signed);
        return signature.sign();
      });
    }
  }

  @Test
  void followEvents() throws Exception {
    var asked = new ArrayList<String>();
    var server = HttpServer.create(new InetSocketAddress("localhost", 0), 0);
    server.createContext("/events", exchange -> {
      asked.add(exchange.getRequestURI().getQuery());
      var n = asked.size();
      var answer = n == 2 ? "{\"success\": false, \"error\": \"Not now.\", \"code\": \"unavailable\"}"
          : n == 4 ? "{\"success\": false, \"error\": \"Gone.\", \"code\": \"events_expired\"}"
          : "{\"success\": true, \"data\": [%s], \"meta\": {\"next_after\": %d, \"last_position\": 9}}".formatted(event.formatted(n), n);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(n == 2 ? 503 : n == 4 ? 410 : 200, answer.length());
      exchange.getResponseBody().write(answer.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    server.start();
    try {
      var b2b = B2B.builder().events("http://localhost:" + server.getAddress().getPort()).build();
      var positions = new ArrayList<Long>();
      var e = assertThrows(B2BException.class, () -> b2b.followEvents(0, "order.created").forEach(seen -> positions.add(seen.getPosition())));
      assertEquals("events_expired", e.getCode());
      assertEquals(List.of(1L, 3L), positions);
      assertEquals(List.of(true, true, true, true), asked.stream().map(query -> query.contains("types=order.created")).toList());
      assertEquals(List.of("0", "1", "1", "3"), asked.stream().map(query -> query.replaceAll(".*after=(\\d+).*", "$1")).toList());
    } finally {
      server.stop(0);
    }
  }

  /** Gets the position to store also when no event was the reader's, and when all of a page have been gone through. */
  @Test
  void followersLearnPositions() throws Exception {
    var pages = List.of("7", "20 9", "20", "900", "901 901"); // each with its next_after and its event
    var asked = new ArrayList<String>();
    var server = HttpServer.create(new InetSocketAddress("localhost", 0), 0);
    server.createContext("/events", exchange -> {
      var page = pages.get(asked.size()).split(" ");
      asked.add(exchange.getRequestURI().getQuery().replaceAll(".*after=(\\d+).*", "$1"));
      var data = page.length == 1 ? "" : event.formatted(Integer.parseInt(page[1]));
      var answer = "{\"success\": true, \"data\": [%s], \"meta\": {\"next_after\": %s, \"last_position\": 900}}".formatted(data, page[0]);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, answer.length());
      exchange.getResponseBody().write(answer.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    server.start();
    try {
      var b2b = B2B.builder().events("http://localhost:" + server.getAddress().getPort()).build();
      for (var iterate : List.of(true, false)) {
        asked.clear();
        var told = new ArrayList<String>();
        var events = b2b.followEvents(5, "order.created", position -> told.add("" + position)).map(FeedEvent::getPosition);
        if (iterate) {
          for (var position : (Iterable<Long>) events::iterator) {
            told.add("event " + position);
            if (position == 901) break; // its page is not over
          }
        } else {
          events.peek(position -> told.add("event " + position)).anyMatch(position -> position == 901);
        }
        assertEquals(List.of("7", "event 9", "20", "900", "event 901"), told);
        assertEquals(List.of("5", "7", "20", "20", "900"), asked);
      }
    } finally {
      server.stop(0);
    }
  }

  /** A service that refuses at once is asked with pauses, and an interrupt ends the wait for it. */
  @Test
  void followingPauses() throws Exception {
    var server = HttpServer.create(new InetSocketAddress("localhost", 0), 0);
    server.createContext("/events", exchange -> {
      var answer = "{\"success\": false, \"error\": \"Failed.\", \"code\": \"internal\"}";
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(500, answer.length());
      exchange.getResponseBody().write(answer.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    server.start();
    try {
      var waits = new ArrayList<Duration>();
      var settings = B2B.builder().events("http://localhost:" + server.getAddress().getPort());
      settings.clock = new Clock() {
        @Override
        public void sleep(Duration duration) throws InterruptedException {
          if (Thread.interrupted()) throw new InterruptedException(); // as Thread.sleep does
          waits.add(duration);
          if (waits.size() == 3) Thread.currentThread().interrupt();
        }
      };
      var e = assertTimeoutPreemptively(Duration.ofSeconds(20),
          () -> assertThrows(B2BException.class, () -> settings.build().followEvents(0, null).findFirst()));
      assertEquals("no_answer", e.getCode());
      assertEquals(List.of(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(1)), waits);
    } finally {
      server.stop(0);
    }
  }
}
