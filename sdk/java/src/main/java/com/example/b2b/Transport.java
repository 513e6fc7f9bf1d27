package com.example.b2b;

import com.example.b2b.client.ApiClient;
import com.example.b2b.model.ApiErrorDetail;
import com.example.b2b.model.ImportSummary;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
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
  static final String correlationHeader = "X-Correlation-Id";
  /** What may be over in a moment. */
  private static final Set<Integer> passing = Set.of(429, 502, 503, 504);
  /** What says that nothing was done. */
  private static final Set<Integer> notDone = Set.of(408, 429);

  private static final ObjectMapper json = ApiClient.createDefaultObjectMapper();
  /** Of all waits; nanoseconds of a longer one might be no long. */
  private static final Duration longest = Duration.ofSeconds(999_999_999);
  private static final SecureRandom random = new SecureRandom();

  private final B2B.Builder settings;

  Transport(B2B.Builder settings) {
    this.settings = settings;
  }

  /** Returns a row as a line of an import. */
  static byte[] line(Object row) {
    try {
      return (json.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
    var call = new Call(request, null);
    var answer = call.answer(false);
    if (answer.statusCode() != call.operation.status()) throw call.refused(answer);
    try {
      if (!mediaType(answer.headers()).equals("application/json")) throw new IOException("its content type is not application/json");
      var body = Shapes.parse(answer.body().content());
      if (!body.isObject()) throw new IOException("it is no object");
      if (!body.path("success").isBoolean() || !body.path("success").asBoolean()) throw call.refused(answer);
      Shapes.read(body, call.operation.answer());
    } catch (IOException e) {
      throw call.unread(answer, e.getMessage(), e);
    }
    return new Answer<>(answer, call.named(answer), read(answer.body().content(), answer, handler));
  }

  /** Sends a request whose answer is one JSON object a line. upload is the body of an import, or null. */
  Lines rows(HttpRequest request, Upload upload) {
    try {
      var call = new Call(request, upload);
      var answer = call.answer(true);
      if (answer.body().lines() != null) return new Lines(call, answer);
      throw answer.statusCode() == 200 ? call.unread(answer, "its content type is not application/x-ndjson", null) : call.refused(answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An answer of one JSON object a line, which is read as it arrives. */
  final class Lines {
    private final Call call;
    private final HttpResponse<Body> answer;

    Lines(Call call, HttpResponse<Body> answer) {
      this.call = call;
      this.answer = answer;
    }

    /** Returns the lines; the stream throws a B2BException when they end too early, or one is no T. */
    <T> Stream<T> stream(Class<T> type) {
      var in = answer.body().lines();
      var limited = new Limited(in, settings.tryTimeout);
      return Stream.generate(() -> next(limited, type)).takeWhile(Optional::isPresent).map(Optional::get).onClose(limited::close);
    }

    private <T> Optional<T> next(Limited in, Class<T> type) {
      try {
        var line = in.line();
        return line == null ? Optional.empty() : Optional.of(Shapes.read(Shapes.parse(line), type));
      } catch (JsonMappingException e) {
        in.close();
        throw call.unread(answer, e.getMessage(), e);
      } catch (IOException e) {
        in.close();
        throw call.noAnswer(e);
      }
    }

    B2BException unread(String why, Exception cause) {
      return call.unread(answer, why, cause);
    }

    /** Returns the error of an import that was not read to its end. */
    B2BException incomplete(ImportSummary summary) {
      var code = summary.getCode() == null ? B2BException.UNEXPECTED_ANSWER : summary.getCode();
      return call.failure(summary.getError() == null ? "not all rows were read" : summary.getError(), code, 200, List.of(), call.correlation(answer), null);
    }
  }

  /** Reads lines, and ends when none arrives in time. */
  private static final class Limited {
    private final InputStream in;
    private final Duration timeout;
    private final byte[] buffer = new byte[16_384];
    private int from, to;

    Limited(InputStream in, Duration timeout) {
      this.in = in;
      this.timeout = timeout;
    }

    /** Returns the next line without its end; null after the last. */
    byte[] line() throws IOException {
      var line = new ByteArrayOutputStream();
      for (;;) {
        for (int at = from; at < to; at++) {
          if (buffer[at] != '\n') continue;
          line.write(buffer, from, at - from);
          from = at + 1;
          return line.toByteArray();
        }
        line.write(buffer, from, to - from);
        from = 0;
        to = read();
        if (to > 0) continue;
        to = 0;
        if (line.size() > 0) throw new JsonMappingException(null, "its last line is cut");
        return null;
      }
    }

    private int read() throws IOException {
      var done = new CompletableFuture<Void>();
      var timer = done.orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS).whenComplete((nothing, late) -> {
        if (late != null) close(); // which ends the read
      });
      try {
        return in.read(buffer);
      } catch (IOException e) {
        throw timer.isCompletedExceptionally() ? new HttpTimeoutException("the answer did not arrive in time") : e;
      } finally {
        done.complete(null);
      }
    }

    void close() {
      try {
        in.close();
      } catch (IOException e) {
        // it is over anyway
      }
    }
  }

  /** What an answer has: its content, or, when it is read line by line, where to read. */
  private record Body(byte[] content, InputStream lines) {
    static HttpResponse.BodySubscriber<Body> of(HttpResponse.ResponseInfo info) {
      return HttpResponse.BodySubscribers.mapping(HttpResponse.BodySubscribers.ofByteArray(), content -> new Body(content, null));
    }

    static HttpResponse.BodySubscriber<Body> ofLines(HttpResponse.ResponseInfo info) {
      if (info.statusCode() != 200 || !mediaType(info.headers()).equals("application/x-ndjson")) return of(info);
      return HttpResponse.BodySubscribers.mapping(HttpResponse.BodySubscribers.ofInputStream(), lines -> new Body(null, lines));
    }
  }

  /**
   * The body of an import. The thread of the caller makes the lines in send, when the HTTP client asks for them:
   * few are in memory, and an error of the caller's rows is thrown where the caller is. The client calls the
   * methods of BodyPublisher, in threads of its own.
   */
  static final class Upload implements HttpRequest.BodyPublisher {
    private final Iterable<byte[]> lines;
    private Flow.Subscriber<? super ByteBuffer> client;
    private long asked; // parts that the client waits for
    private boolean over; // the client needs no more
    private long sent; // bytes

    Upload(Iterable<byte[]> lines) {
      this.lines = lines;
    }

    @Override
    public long contentLength() {
      return -1; // unknown
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
      synchronized (this) {
        if (client == null) client = subscriber;
      }
      subscriber.onSubscribe(new Flow.Subscription() {
        @Override
        public void request(long parts) {
          synchronized (Upload.this) {
            asked = parts > Long.MAX_VALUE - asked ? Long.MAX_VALUE : asked + parts;
            Upload.this.notifyAll();
          }
        }

        @Override
        public void cancel() {
          end();
        }
      });
      if (client != subscriber) subscriber.onError(new IOException("an import is sent once"));
    }

    private synchronized void end() {
      over = true;
      notifyAll();
    }

    /**
     * Sends the lines, until the answer is there. Throws what the caller's rows throw, and an HttpTimeoutException
     * when the client takes no part for that many nanoseconds, and more for a slow network. Then the file has no
     * end, so that the service applies nothing of it.
     */
    void send(CompletableFuture<?> answer, long nanoseconds) throws InterruptedException, HttpTimeoutException {
      answer.whenComplete((nothing, e) -> end());
      if (!isAsked(nanoseconds)) return;
      try {
        var each = lines.iterator();
        while (each.hasNext()) {
          var part = new ByteArrayOutputStream();
          while (part.size() < 16_384 && each.hasNext()) part.writeBytes(each.next());
          if (!isAsked(nanoseconds)) return;
          synchronized (this) {
            asked--;
          }
          sent += part.size();
          client.onNext(ByteBuffer.wrap(part.toByteArray()));
        }
      } catch (Throwable e) {
        client.onError(e);
        throw e;
      }
      client.onComplete();
    }

    /** Waits until the client asks for a part. Reports false when it needs no more. */
    private synchronized boolean isAsked(long nanoseconds) throws InterruptedException, HttpTimeoutException {
      var until = System.nanoTime() + nanoseconds + TimeUnit.SECONDS.toNanos(10); // the services wait as long for 64 KiB
      while (asked == 0 && !over) {
        var left = until - System.nanoTime();
        if (left <= 0) throw new HttpTimeoutException("the rows were not taken in time");
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
      return !over;
    }

    /** Returns the nanoseconds that the sent bytes may take: the services take no file slower than 64 KiB in 10 s. */
    long slowest() {
      return Duration.ofMillis(sent * 10_000 / 65_536).toNanos();
    }
  }

  /** A request on its way. */
  private final class Call {
    final Operation operation;
    final String correlationId;
    final String idempotencyKey;
    final HttpRequest request; // without a token
    private final Upload upload; // or null

    Call(HttpRequest from, Upload upload) throws IOException {
      this.upload = upload;
      operation = Apis.operations.stream()
          .filter(it -> it.is(from.method(), from.uri().getRawPath()))
          .min((a, b) -> Boolean.compare(a.path().contains("{"), b.path().contains("{"))) // not /orders/{id} for /orders/export
          .orElseThrow(() -> new IllegalArgumentException(from + " is no operation"));
      var address = settings.addresses.get(operation.service());
      if (address == null) throw new IllegalStateException("the address of the service " + operation.service() + " is not set");
      if (!String.valueOf(address.getScheme()).matches("(?i)https?") || address.getHost() == null) {
        throw new IllegalArgumentException("the address of the service " + operation.service() + " is \"" + address
            + "\"; it must be one such as https://orders.example.com");
      }
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
          var inBody = fields.path("idempotency_key");
          idempotencyKey = inBody.isTextual() ? inBody.asText() : random(); // the service refuses an empty one
          body = json.writeValueAsBytes(fields.put("idempotency_key", idempotencyKey));
        }
        default -> idempotencyKey = null;
      }
      if (upload != null) to.setHeader("Content-Type", "application/x-ndjson");
      to.method(from.method(), upload != null ? upload : body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
      request = to.build();
    }

    /**
     * Sends the request until it has an answer that another try would not change, or the next try would begin
     * after the deadline.
     */
    HttpResponse<Body> answer(boolean lines) {
      var deadline = settings.clock.now() + settings.deadline.toNanos();
      for (long pause = 100; ; pause = Math.min(2 * pause, 5000)) {
        HttpResponse<Body> answer = null;
        Exception cause = null;
        var authorized = authorized();
        try {
          var remaining = Math.min(deadline - settings.clock.now(), settings.tryTimeout.toNanos());
          answer = once(authorized, lines ? Body::ofLines : Body::of, remaining);
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
        var token = settings.token.get();
        if (token == null) return request;
        return HttpRequest.newBuilder(request, (name, value) -> true).setHeader("Authorization", ("Bearer " + token).strip()).build();
      } catch (RuntimeException e) {
        throw noAnswer(e); // an earlier try may have done the work
      }
    }

    private HttpResponse<Body> once(HttpRequest request, BodyHandler<Body> handler, long remaining) throws IOException, InterruptedException {
      var sent = settings.http.sendAsync(request, handler);
      try { // the request's own time-out ends with the answer's headers
        if (upload != null) {
          upload.send(sent, remaining);
          remaining += upload.slowest();
        }
        return sent.get(remaining, TimeUnit.NANOSECONDS);
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
      return failure("no answer came from " + settings.addresses.get(operation.service()) + ": " + cause, B2BException.NO_ANSWER, 0, List.of(), correlationId, cause);
    }

    /** Returns the error of an answer that is no success. */
    B2BException refused(HttpResponse<Body> answer) {
      var status = answer.statusCode();
      if (status == 304) return failure("it has not changed", B2BException.NOT_MODIFIED, status, List.of(), correlation(answer), null);
      JsonNode body = MissingNode.getInstance();
      try {
        body = Shapes.parse(answer.body().content());
      } catch (JsonMappingException e) {
        // it is somebody else's
      }
      var code = body.path("code").textValue();
      if (code == null || code.isEmpty()) {
        return failure("somebody else has answered, with status " + status, B2BException.UNEXPECTED_ANSWER, status, List.of(), correlation(answer), null);
      }
      var details = new ArrayList<ApiErrorDetail>();
      if (body.path("details").isArray()) body.path("details").forEach(detail -> {
        try {
          details.add(Shapes.read(detail, ApiErrorDetail.class));
        } catch (JsonMappingException e) {
          // it is none
        }
      });
      var said = body.path("correlationId").asText("");
      var correlation = header(answer) == null && body.path("correlationId").isTextual() && !said.isEmpty() ? said : correlation(answer);
      return failure(body.path("error").isTextual() ? body.path("error").asText() : "HTTP status " + status, code, status, details, correlation, null);
    }

    /** Returns the error of a success that cannot be read. */
    B2BException unread(HttpResponse<?> answer, String why, Exception cause) {
      return failure("the success cannot be read: " + why, B2BException.UNEXPECTED_ANSWER, answer.statusCode(), List.of(), correlation(answer), cause);
    }

    String correlation(HttpResponse<?> answer) {
      return Objects.requireNonNullElse(header(answer), correlationId);
    }

    private String header(HttpResponse<?> answer) {
      return answer.headers().firstValue(correlationHeader).filter(it -> !it.isEmpty()).orElse(null);
    }

    /** Returns the headers of an answer, with the key and the correlation id of the call. */
    HttpHeaders named(HttpResponse<?> answer) {
      var headers = new TreeMap<String, List<String>>(String.CASE_INSENSITIVE_ORDER);
      headers.putAll(answer.headers().map());
      headers.put(correlationHeader, List.of(correlation(answer)));
      if (idempotencyKey != null) headers.put(keyHeader, List.of(idempotencyKey));
      return HttpHeaders.of(headers, (name, value) -> true);
    }

    private B2BException failure(String message, String code, int status, List<ApiErrorDetail> details, String correlation, Exception cause) {
      var mayPass = status == 0 || status == 500 || passing.contains(status);
      var retryable = notDone.contains(status) || mayPass && operation.mayRepeat(idempotencyKey);
      return new B2BException(operation.name() + ": " + message, code, status, details, correlation, idempotencyKey, retryable, cause);
    }
  }

  private static String mediaType(HttpHeaders headers) {
    return headers.firstValue("Content-Type").orElse("").replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT);
  }

  /** Returns how long an answer asks to wait, in seconds or until a date. */
  private static Duration retryAfter(HttpResponse<?> answer) {
    var value = answer == null ? "" : answer.headers().firstValue("Retry-After").orElse("");
    if (value.matches("[0-9]+")) return value.length() > 9 ? longest : Duration.ofSeconds(Long.parseLong(value));
    try {
      var wait = Duration.between(Instant.now(), ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
      return wait.isNegative() ? Duration.ZERO : wait.compareTo(longest) > 0 ? longest : wait;
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
  private static <T> T read(byte[] content, HttpResponse<?> answer, BodyHandler<T> handler) {
    var ascii = new StringBuilder();
    for (char c : new String(content, StandardCharsets.UTF_8).toCharArray()) {
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

  /** An answer with other headers and another body. */
  private record Answer<T>(HttpResponse<?> from, HttpHeaders headers, T body) implements HttpResponse<T> {
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
