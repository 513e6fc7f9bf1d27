-- Goose's own table on MySQL, in which each migration that is done has a row. Both statements can be run again, by several at once.
CREATE TABLE IF NOT EXISTS goose_db_version (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  version_id BIGINT          NOT NULL,
  is_applied BOOLEAN         NOT NULL,
  tstamp     DATETIME        NULL DEFAULT NOW()
);

INSERT IGNORE INTO goose_db_version (id, version_id, is_applied)
  SELECT 1, 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM goose_db_version);
