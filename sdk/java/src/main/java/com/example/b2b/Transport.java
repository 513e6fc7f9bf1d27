package com.example.b2b;

import com.example.b2b.client.ApiClient;
import com.example.b2b.model.ErrorBody;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;

/**
 * Sends the requests of the generated client: to the service that has the operation, with a key, a correlation id and a token, and
 * again when that may help. It returns the answers of operations that have succeeded; all else is a {@link B2BException}.
 */
final class Transport extends HttpClient {
  /** Where the generated client believes the services to be. */
  static final String anywhere = "http://b2b.invalid";

  private static final String keyHeader = "X-Idempotency-Key";
  private static final String correlationHeader = "X-Correlation-Id";
  /** What may be over in a moment. */
  private static final Set<Integer> passing = Set.of(429, 502, 503, 504);
  /** What says that nothing was done. */
  private static final Set<Integer> notDone = Set.of(408, 429);

  private static final ObjectMapper json = ApiClient.createDefaultObjectMapper();
  private static final SecureRandom random = new SecureRandom();

  private final B2B.Builder settings;

  Transport(B2B.Builder settings) {
    this.settings = settings;
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
    var call = new Call(request);
    var answer = call.answer();
    if (call.operation.ok().contains(answer.statusCode()) && succeeded(answer.body())) return new Answer<>(answer, read(answer, handler));
    throw call.refused(answer);
  }

  /** A request on its way. */
  private final class Call {
    final Operation operation;
    final String correlationId;
    final String idempotencyKey;
    final HttpRequest request; // without a token

    Call(HttpRequest from) throws IOException {
      operation = Apis.operations.stream()
          .filter(it -> it.is(from.method(), from.uri().getRawPath()))
          .min((a, b) -> Boolean.compare(a.path().contains("{"), b.path().contains("{"))) // not /orders/{id} for /orders/export
          .orElseThrow(() -> new IllegalArgumentException(from + " is no operation"));
      var address = settings.addresses.get(operation.service());
      if (address == null) throw new IllegalStateException("the address of the service " + operation.service() + " is not set");
      var given = from.headers();
      correlationId = given.firstValue(correlationHeader).orElseGet(Transport::random);
      var body = from.bodyPublisher().isPresent() ? bytes(from.bodyPublisher().get()) : new byte[0];
      var key = given.firstValue(keyHeader).or(() -> given.firstValue("Idempotency-Key"));
      var to = HttpRequest.newBuilder(URI.create(address + from.uri().toString().substring(anywhere.length())));
      given.map().forEach((name, values) -> values.forEach(value -> to.header(name, value)));
      to.setHeader(correlationHeader, correlationId);
      switch (operation.key()) {
        case HEADER -> {
          idempotencyKey = key.orElseGet(Transport::random);
          if (key.isEmpty()) to.setHeader(keyHeader, idempotencyKey);
        }
        case BODY -> {
          var fields = (ObjectNode) json.readTree(body);
          var inBody = fields.path("idempotency_key").asText("");
          idempotencyKey = inBody.isEmpty() ? random() : inBody;
          body = json.writeValueAsBytes(fields.put("idempotency_key", idempotencyKey));
        }
        default -> idempotencyKey = null;
      }
      to.method(from.method(), body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
      request = to.build();
    }

    /** Sends the request until it has an answer that another try would not change, or the next try would begin after the deadline. */
    HttpResponse<byte[]> answer() {
      var deadline = settings.clock.now() + settings.deadline.toNanos();
      for (long pause = 100; ; pause = Math.min(2 * pause, 5000)) {
        HttpResponse<byte[]> answer = null;
        Exception cause = null;
        var authorized = authorized();
        try {
          answer = once(authorized, deadline - settings.clock.now());
          if (!passing.contains(answer.statusCode())) return answer;
        } catch (IOException e) {
          cause = e;
        } catch (InterruptedException e) {
          throw interrupted(e);
        }
        var wait = retryAfter(answer).plusMillis(ThreadLocalRandom.current().nextLong(pause / 2, pause + pause / 2));
        if (!operation.mayRepeat(idempotencyKey) || settings.clock.now() + wait.toNanos() >= deadline) {
          if (answer != null) return answer;
          throw noAnswer(cause);
        }
        try {
          settings.clock.sleep(wait);
        } catch (InterruptedException e) {
          throw interrupted(e);
        }
      }
    }

    private HttpRequest authorized() {
      if (settings.token == null) return request;
      try {
        return HttpRequest.newBuilder(request, (name, value) -> true).setHeader("Authorization", "Bearer " + settings.token.get()).build();
      } catch (RuntimeException e) {
        throw noAnswer(e); // an earlier try may have done the work
      }
    }

    private HttpResponse<byte[]> once(HttpRequest request, long remaining) throws IOException, InterruptedException {
      var sent = settings.http.sendAsync(request, BodyHandlers.ofByteArray());
      try { // the request's own time-out ends with the answer's headers
        return sent.get(Math.min(remaining, settings.tryTimeout.toNanos()), TimeUnit.NANOSECONDS);
      } catch (ExecutionException e) {
        throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
      } catch (TimeoutException e) {
        throw new HttpTimeoutException("the try took too long");
      } finally {
        sent.cancel(true);
      }
    }

    private B2BException interrupted(InterruptedException e) {
      Thread.currentThread().interrupt();
      return noAnswer(e);
    }

    private B2BException noAnswer(Exception cause) {
      return failure("no answer came: " + cause, B2BException.NO_ANSWER, 0, null, correlationId, cause);
    }

    B2BException refused(HttpResponse<byte[]> answer) {
      var status = answer.statusCode();
      var correlation = answer.headers().firstValue(correlationHeader).orElse(correlationId);
      if (status == 304) return failure("it has not changed", B2BException.NOT_MODIFIED, status, null, correlation, null);
      try {
        var error = json.readValue(answer.body(), ErrorBody.class);
        if (error.getCode() != null) return failure(error.getError(), error.getCode(), status, error, correlation, null);
      } catch (IOException e) {
        // it is somebody else's
      }
      return failure("somebody else has answered, with status " + status, B2BException.UNEXPECTED_ANSWER, status, null, correlation, null);
    }

    private B2BException failure(String message, String code, int status, ErrorBody error, String correlation, Exception cause) {
      var mayPass = status == 0 || status == 500 || passing.contains(status);
      var retryable = notDone.contains(status) || mayPass && operation.mayRepeat(idempotencyKey);
      return new B2BException(operation.name() + ": " + message, code, status, error == null ? null : error.getDetails(), correlation, idempotencyKey, retryable, cause);
    }
  }

  private static boolean succeeded(byte[] body) {
    try {
      JsonNode answer = json.readTree(body);
      return answer != null && answer.path("success").asBoolean();
    } catch (IOException e) {
      return false;
    }
  }

  /** Returns how long an answer asks to wait, in seconds or until a date. */
  private static Duration retryAfter(HttpResponse<?> answer) {
    var value = answer == null ? "" : answer.headers().firstValue("Retry-After").orElse("");
    if (value.matches("\\d{1,9}")) return Duration.ofSeconds(Long.parseLong(value));
    try {
      var wait = Duration.between(Instant.now(), ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeParseException e) {
      return Duration.ZERO;
    }
  }

  private static String random() {
    return new BigInteger(128, random).toString(36);
  }

  private static byte[] bytes(HttpRequest.BodyPublisher publisher) {
    var all = new ByteArrayOutputStream();
    var done = new CompletableFuture<byte[]>();
    publisher.subscribe(new Flow.Subscriber<>() {
      @Override
      public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
      }

      @Override
      public void onNext(ByteBuffer part) {
        var content = new byte[part.remaining()];
        part.get(content);
        all.writeBytes(content);
      }

      @Override
      public void onError(Throwable e) {
        done.completeExceptionally(e);
      }

      @Override
      public void onComplete() {
        done.complete(all.toByteArray());
      }
    });
    return done.join();
  }

  /** Gives the answer to the generated client, which reads text in the platform's encoding: only ASCII is the same in all. */
  private static <T> T read(HttpResponse<byte[]> answer, BodyHandler<T> handler) {
    var ascii = new StringBuilder();
    for (char c : new String(answer.body(), StandardCharsets.UTF_8).toCharArray()) {
      if (c < 128) ascii.append(c);
      else ascii.append("\\u%04x".formatted((int) c)); // in JSON it stands within a text
    }
    var subscriber = handler.apply(new HttpResponse.ResponseInfo() {
      @Override
      public int statusCode() {
        return answer.statusCode();
      }

      @Override
      public HttpHeaders headers() {
        return answer.headers();
      }

      @Override
      public Version version() {
        return answer.version();
      }
    });
    subscriber.onSubscribe(new Flow.Subscription() {
      @Override
      public void request(long n) {}

      @Override
      public void cancel() {}
    });
    subscriber.onNext(List.of(ByteBuffer.wrap(ascii.toString().getBytes(StandardCharsets.US_ASCII))));
    subscriber.onComplete();
    return subscriber.getBody().toCompletableFuture().join();
  }

  /** An answer with another body. */
  private record Answer<T>(HttpResponse<?> from, T body) implements HttpResponse<T> {
    @Override
    public int statusCode() {
      return from.statusCode();
    }

    @Override
    public HttpRequest request() {
      return from.request();
    }

    @Override
    public Optional<HttpResponse<T>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public HttpHeaders headers() {
      return from.headers();
    }

    @Override
    public Optional<SSLSession> sslSession() {
      return from.sslSession();
    }

    @Override
    public URI uri() {
      return from.uri();
    }

    @Override
    public Version version() {
      return from.version();
    }
  }

  // The generated client calls none of these.

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> push) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return settings.http.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return settings.http.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return settings.http.followRedirects();
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return settings.http.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return settings.http.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return settings.http.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return settings.http.authenticator();
  }

  @Override
  public Version version() {
    return settings.http.version();
  }

  @Override
  public Optional<Executor> executor() {
    return settings.http.executor();
  }
}
