package com.example.b2b;

import com.example.b2b.model.ApiErrorDetail;
import java.util.List;

/** Why a call has failed: a service refused it, or none answered. */
public final class B2BException extends RuntimeException {
  /** The code when no answer came. A write may have been done all the same. */
  public static final String NO_ANSWER = "no_answer";

  /** The code of a 304: what If-None-Match names is current. */
  public static final String NOT_MODIFIED = "not_modified";

  /** The code when an answer is not one of the document: somebody else's, such as a proxy's, or a success that cannot be read. */
  public static final String UNEXPECTED_ANSWER = "unexpected_answer";

  private final String code;
  private final int status;
  private final transient List<ApiErrorDetail> details;
  private final String correlationId;
  private final String idempotencyKey;
  private final boolean retryable;

  B2BException(String message, String code, int status, List<ApiErrorDetail> details, String correlationId, String idempotencyKey, boolean retryable, Throwable cause) {
    super(text(message, code, details), cause);
    this.code = code;
    this.status = status;
    this.details = details;
    this.correlationId = correlationId;
    this.idempotencyKey = idempotencyKey;
    this.retryable = retryable;
  }

  private static String text(String message, String code, List<ApiErrorDetail> details) {
    var text = new StringBuilder(message + " (" + code + ")");
    for (var detail : details) text.append("; ").append(detail.getField()).append(' ').append(detail.getMessage());
    return text.toString();
  }

  /** To branch on; others may be added at any time. */
  public String getCode() {
    return code;
  }

  /** The status of HTTP; 0 when no answer came. */
  public int getStatus() {
    return status;
  }

  /** Which field is wrong, and what is wrong with it. */
  public List<ApiErrorDetail> getDetails() {
    return details == null ? List.of() : details;
  }

  /** Names the call in the logs of every service; null when an iteration of {@link B2B#each} ends because its cursor repeats. */
  public String getCorrelationId() {
    return correlationId;
  }

  /** The key that the call was made with, to repeat it or to ask what became of it; null when the operation takes none. */
  public String getIdempotencyKey() {
    return idempotencyKey;
  }

  /** Whether the same call, with that key, may succeed later and does nothing twice. */
  public boolean isRetryable() {
    return retryable;
  }
}
