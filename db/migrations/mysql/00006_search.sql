-- +goose Up
-- By which lists find a part of a text: see package db/search. A row of search_grams says which rows of a table have a gram, those of
-- one chunk of 65536 ids, as a roaring bitmap. indexed_text is what of a row is in there, and folded_text the same as searches compare
-- it; as long as indexed_text is not its text, it is unindexed, whatever program has written it. Each statement can be run again: see
-- 00002; one change a statement: see 00004.
CREATE TABLE IF NOT EXISTS search_grams (
  subject VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  gram    VARBINARY(12) NOT NULL,
  chunk   BIGINT        NOT NULL,
  hits    INT           NOT NULL,
  ids     BLOB          NOT NULL,
  PRIMARY KEY (subject, gram, chunk)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'indexed_text') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN indexed_text VARCHAR(512) NULL, ADD COLUMN folded_text TEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'unindexed') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN unindexed BOOLEAN GENERATED ALWAYS AS (CASE WHEN indexed_text = CONCAT(name, ''|'', email, ''|'') THEN NULL ELSE 1 END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'ix_customers_unindexed') > 0, 'DO 0',
  'CREATE INDEX ix_customers_unindexed ON customers (unindexed, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'indexed_text') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN indexed_text VARCHAR(357) NULL, ADD COLUMN folded_text TEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'unindexed') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN unindexed BOOLEAN GENERATED ALWAYS AS (CASE WHEN indexed_text = CONCAT(name, ''|'', sku, ''|'') THEN NULL ELSE 1 END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_unindexed') > 0, 'DO 0',
  'CREATE INDEX ix_products_unindexed ON products (unindexed, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
