package com.example.b2b;

import com.example.b2b.model.Meta;
import java.util.List;

/** A page of a list; every list's answer is one. */
public interface Page<T> {
  List<T> getData();

  /** Its nextCursor is null exactly on the last page. */
  Meta getMeta();
}
