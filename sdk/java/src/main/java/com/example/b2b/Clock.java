package com.example.b2b;

import java.time.Duration;

/** What time it is, and waiting; tests have one of their own. */
interface Clock {
  Clock system = new Clock() {};

  /** Nanoseconds since some moment. */
  default long now() {
    return System.nanoTime();
  }

  default void sleep(Duration duration) throws InterruptedException {
    Thread.sleep(duration.toMillis());
  }
}
