-- +goose Up
-- By which lists find a part of a text: see package db/search. A row of search_grams says which rows of a table have a gram, those of
-- one chunk of 65536 ids, as a roaring bitmap. indexed_text is what of a row is in there, and folded_text the same as searches compare
-- it; as long as indexed_text is not its text, it is unindexed, whatever program has written it. The expressions are for each sqlite3 that
-- knows generated columns: CONCAT() came with 3.44.
CREATE TABLE search_grams (
  subject TEXT    NOT NULL,
  gram    BLOB    NOT NULL,
  chunk   INTEGER NOT NULL,
  hits    INTEGER NOT NULL,
  ids     BLOB    NOT NULL,
  PRIMARY KEY (subject, gram, chunk)
);

ALTER TABLE customers ADD COLUMN indexed_text TEXT NULL;
ALTER TABLE customers ADD COLUMN folded_text TEXT NULL;
ALTER TABLE customers ADD COLUMN unindexed INTEGER GENERATED ALWAYS AS (CASE WHEN indexed_text = name || '|' || email || '|' THEN NULL ELSE 1 END) VIRTUAL;
CREATE INDEX ix_customers_unindexed ON customers (unindexed, id);

ALTER TABLE products ADD COLUMN indexed_text TEXT NULL;
ALTER TABLE products ADD COLUMN folded_text TEXT NULL;
ALTER TABLE products ADD COLUMN unindexed INTEGER GENERATED ALWAYS AS (CASE WHEN indexed_text = name || '|' || sku || '|' THEN NULL ELSE 1 END) VIRTUAL;
CREATE INDEX ix_products_unindexed ON products (unindexed, id);
