package com.example.b2b;

import com.example.b2b.api.EventsApi.APIListEventsRequest;
import com.example.b2b.api.FilesApi;
import com.example.b2b.api.OrchestrationApi.APICreateAndConfirmOrderRequest;
import com.example.b2b.client.ApiClient;
import com.example.b2b.client.ApiResponse;
import com.example.b2b.model.FeedEvent;
import com.example.b2b.model.ImportLine;
import com.example.b2b.model.ImportSummary;
import com.example.b2b.model.Orchestration;
import com.example.b2b.model.OrchestrationRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The services. Each operation of their documents is a method of the group that it belongs to, such as
 * {@code b2b.orders().createOrder(…)}. It returns the answer of the document, or throws a {@link B2BException}.
 *
 * <p>A call that takes an idempotency key gets one, unless it has one; all tries of the call share it. Reads, and writes with a
 * key, are tried again after a connection error, the time-out of a try, 429, 502, 503 and 504, until the deadline. A write without
 * a key is sent once. A B2B may be used by many threads.
 */
public final class B2B extends Apis {
  private final Builder settings;
  private final Transport transport;

  private B2B(Builder settings) {
    this(settings, new Transport(settings));
  }

  private B2B(Builder settings, Transport transport) {
    super(new Client(transport));
    this.settings = settings;
    this.transport = transport;
  }

  /** Starts the settings: the addresses of the services that are called, and what differs from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns the same with another deadline. */
  public B2B withDeadline(Duration deadline) {
    return new Builder(settings).deadline(deadline).build();
  }

  /**
   * Places and confirms an order in one call, which can't order twice. Without an idempotency key the call makes one; after a
   * {@link B2BException} that is retryable, repeat it with the exception's key.
   */
  public Orchestration createAndConfirmOrder(OrchestrationRequest order) {
    return orchestration().createAndConfirmOrder(APICreateAndConfirmOrderRequest.newBuilder().orchestrationRequest(order).build()).getData();
  }

  /**
   * Iterates over all pages of a list; the function reads the page after a cursor, null for the first. {@code allOrders} and its
   * likes do that, too.
   */
  public static <T> Iterable<T> each(Function<Long, ? extends Page<T>> page) {
    return () -> stream(page).iterator();
  }

  /** Like each, as a stream, whose pages are read when they are needed. */
  public static <T> Stream<T> stream(Function<Long, ? extends Page<T>> page) {
    return pages("each", null, cursor -> new ApiResponse<>(200, Map.of(), page.apply(cursor)));
  }

  /**
   * Iterates over the events after a position, and waits for new events; types may be null. Store the position of each event with the
   * result of your work on the event, and begin again after the last stored position. When the service does not answer, the stream tries
   * again. A {@link B2BException} with the code events_expired says that events after the position were deleted: make your copy anew
   * from the exports, and go on from the smallest X-Event-Position of their answers. The exports of this class yield only rows, without
   * this header: request GET /customers/export, /products/export and /orders/export with an HttpClient of your own.
   */
  public Stream<FeedEvent> followEvents(long after, String types) {
    return followEvents(after, types, position -> {});
  }

  /**
   * Iterates over the events as the method above does. onPosition is called with each position up to which all events have been read,
   * even if none of them was yielded. Store this position, too, when you ask for rare types or the token is a partner's: otherwise the
   * position of your last event may be so old, when you begin again, that events after it were deleted.
   */
  public Stream<FeedEvent> followEvents(long after, String types, LongConsumer onPosition) {
    Objects.requireNonNull(onPosition, "onPosition");
    return Stream.iterate(follow(after, types), read -> {
      if (read.next != read.after) onPosition.accept(read.next);
      return follow(read.next, types);
    }).flatMap(read -> read.events.stream());
  }

  /** A page of the feed, and the positions before and after it. */
  private record Followed(List<FeedEvent> events, long after, long next) {}

  private Followed follow(long after, String types) {
    while (true) {
      try {
        var request = APIListEventsRequest.newBuilder().after(after).types(types).limit(1000).waitAtMost("20s").build();
        var answer = events().listEventsWithHttpInfo(request);
        var events = answer.getData().getData();
        long next = answer.getData().getMeta().getNextAfter();
        if (next < after || next == after && !events.isEmpty()) throw endless("listEvents: next_after is " + next + " after " + after, answer);
        return new Followed(events, after, next);
      } catch (B2BException e) {
        if (!e.isRetryable()) throw e;
        try { // a call does not repeat a 500, nor wait for longer than its deadline
          settings.clock.sleep(Duration.ofSeconds(1));
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw e;
        }
      }
    }
  }

  /** Goes through all pages from that after the cursor first, which is null for the beginning. */
  static <T> Stream<T> pages(String name, Long first, Function<Long, ? extends ApiResponse<? extends Page<T>>> page) {
    var cursors = new HashSet<Long>();
    if (first != null) cursors.add(first);
    return Stream.<ApiResponse<? extends Page<T>>>iterate(page.apply(first), Objects::nonNull, read -> {
      var next = read.getData().getMeta().getNextCursor();
      if (next == null) return null;
      if (cursors.add(next)) return page.apply(next);
      throw endless(name + ": the cursor " + next + " repeats", read);
    }).flatMap(read -> read.getData().getData().stream());
  }

  /** Returns the error of an answer that would make an iteration endless. */
  private static B2BException endless(String message, ApiResponse<?> answer) {
    var correlation = answer.getHeaders().getOrDefault(Transport.correlationHeader, List.of());
    return new B2BException(message, B2BException.UNEXPECTED_ANSWER, 200, List.of(), correlation.isEmpty() ? null : correlation.get(0), null, false, null);
  }

  @Override
  <T> Stream<T> exported(Consumer<FilesApi> call, Class<T> type) {
    return transport.rows(Client.request(transport, call), null).stream(type);
  }

  @Override
  <R> ImportSummary imported(Consumer<FilesApi> call, Iterable<R> rows, BiConsumer<? super R, ? super ImportLine> onRow) {
    Objects.requireNonNull(rows, "rows");
    var sent = new ArrayList<R>(); // for onRow: the service answers when it has all rows
    var upload = new Transport.Upload(() -> lines(rows, onRow == null ? row -> {} : sent::add));
    var answer = transport.rows(Client.request(transport, call), upload);
    ImportSummary summary = null;
    try (var lines = answer.stream(ImportLine.class)) { // also when onRow throws
      for (var line : (Iterable<ImportLine>) lines::iterator) {
        if (line.getSummary() != null) summary = line.getSummary();
        var row = line.getRow();
        if (row != null && row > 0 && row <= sent.size()) onRow.accept(sent.get(row - 1), line);
      }
    }
    if (summary == null) throw answer.unread("it has no summary: repeat the call, what is done already is unchanged", null);
    if (!summary.getComplete()) throw answer.incomplete(summary);
    return summary;
  }

  /** Makes the lines of an import from rows, and gives each row to sent. */
  private static <R> Iterator<byte[]> lines(Iterable<R> rows, Consumer<R> sent) {
    var each = rows.iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return each.hasNext();
      }

      @Override
      public byte[] next() {
        var row = each.next();
        sent.accept(row);
        return Transport.line(row);
      }
    };
  }

  /** The settings of a {@link B2B}. */
  public static final class Builder {
    final Map<String, URI> addresses = new HashMap<>(); // of the services
    Supplier<String> token;
    Duration deadline = Duration.ofSeconds(60);
    Duration tryTimeout = Duration.ofSeconds(30);
    HttpClient http;
    Clock clock = Clock.system;

    private Builder() {}

    private Builder(Builder from) {
      addresses.putAll(from.addresses);
      token = from.token;
      deadline = from.deadline;
      tryTimeout = from.tryTimeout;
      http = from.http;
      clock = from.clock;
    }

    /** Where the Customers API is, such as https://customers.example.com. */
    public Builder customers(String address) {
      return address("customers", address);
    }

    /** Where the Orders API is. */
    public Builder orders(String address) {
      return address("orders", address);
    }

    /** Where the Events API is. */
    public Builder events(String address) {
      return address("events", address);
    }

    /** Where the Orchestrator is. */
    public Builder orchestrator(String address) {
      return address("orchestrator", address);
    }

    private Builder address(String service, String address) {
      Objects.requireNonNull(address, service);
      try {
        addresses.put(service, URI.create(address.replaceAll("/+$", "")));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("the address of the service " + service + ": " + e.getMessage(), e);
      }
      return this;
    }

    /** What Authorization: Bearer carries; with null there is no such header. */
    public Builder token(String token) {
      return token(() -> token);
    }

    /** Is asked for the token before every try; for null, the try has none. */
    public Builder token(Supplier<String> token) {
      this.token = token;
      return this;
    }

    /** How long a call may take with all its tries; 60 s when it is left out. */
    public Builder deadline(Duration deadline) {
      this.deadline = Objects.requireNonNull(deadline, "deadline");
      return this;
    }

    /** How long one try may take; 30 s when it is left out, longer than the services themselves allow. */
    public Builder tryTimeout(Duration tryTimeout) {
      this.tryTimeout = Objects.requireNonNull(tryTimeout, "tryTimeout");
      return this;
    }

    /** Sends the requests; should follow no redirects, since a POST that is redirected may arrive as a GET. */
    public Builder http(HttpClient http) {
      this.http = http;
      return this;
    }

    public B2B build() {
      if (http == null) http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
      return new B2B(new Builder(this));
    }
  }

  /** The generated client, over the transport. */
  private static final class Client extends ApiClient {
    private final Transport transport;

    Client(Transport transport) {
      super(HttpClient.newBuilder(), createDefaultObjectMapper(), Transport.anywhere);
      this.transport = transport;
    }

    /** Returns the request of a call, which is not sent. */
    static HttpRequest request(Transport transport, Consumer<FilesApi> call) {
      var client = new Client(transport); // with an interceptor of its own
      client.setRequestInterceptor(request -> {
        throw new Made(request.build());
      });
      try {
        call.accept(new FilesApi(client));
      } catch (Made made) {
        return made.request;
      }
      throw new IllegalStateException("a call made no request");
    }

    private static final class Made extends RuntimeException {
      final transient HttpRequest request;

      Made(HttpRequest request) {
        super(null, null, false, false);
        this.request = request;
      }
    }

    @Override
    public HttpClient getHttpClient() {
      return transport;
    }
  }
}
