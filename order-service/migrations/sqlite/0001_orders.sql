-- Orders and what leaves with them, as in ../postgres. Ids are their 16 bytes; times are microseconds
-- since 1970-01-01T00:00:00Z.

-- The one clock that decides about deadlines: this machine's, to the millisecond, read anew by each
-- statement.
CREATE VIEW clock AS SELECT CAST(round(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000 AS now_us;

-- An order is one aggregate: its lines are never changed one by one, so they stay in its row.
CREATE TABLE orders (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id           BLOB    NOT NULL CHECK (length(user_id) = 16),
    status            TEXT    NOT NULL,
    reason            TEXT,
    flow              TEXT    NOT NULL,
    items             TEXT    NOT NULL,
    total_amount      INTEGER NOT NULL,
    shipping_address  TEXT    CHECK (json_valid(shipping_address)),
    -- SHA-256 of the body; only with an Idempotency-Key.
    fingerprint       BLOB,
    -- The buyer's own words.
    cancel_reason     TEXT,
    -- When the hold ends unless it is confirmed.
    expires_at_us     INTEGER NOT NULL,
    created_at_us     INTEGER NOT NULL,
    updated_at_us     INTEGER NOT NULL,
    -- When the hold was sold, and when it was released or its sale taken back, by product-service's clock.
    confirmed_at_us   INTEGER,
    cancelled_at_us   INTEGER,
    -- Until then somebody is busy ending the order.
    lease_until_us    INTEGER,
    -- Counts the changes of the row: a watcher knows by it what it has seen.
    version           INTEGER NOT NULL DEFAULT 0,
    -- Since when a confirmed order is to be cancelled, and why. It stays CONFIRMED until its units are
    -- back; whoever finds this goes on with it.
    cancelling_at_us  INTEGER,
    cancelling_reason TEXT,

    CONSTRAINT orders_status CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED', 'FAILED')),
    CONSTRAINT orders_flow CHECK (flow IN ('hold', 'accept', 'sequential', 'parallel', 'workflow')),
    CONSTRAINT orders_reason_is_known_when_ended
        CHECK ((reason IS NOT NULL) = (status IN ('CANCELLED', 'FAILED'))),
    CONSTRAINT orders_reason_is_a_code
        CHECK (length(reason) BETWEEN 1 AND 64 AND reason NOT GLOB '*[^A-Z0-9_]*'),
    CONSTRAINT orders_confirmed_at
        CHECK (status = 'CANCELLED' OR (confirmed_at_us IS NOT NULL) = (status = 'CONFIRMED')),
    CONSTRAINT orders_cancelled_at
        CHECK ((cancelled_at_us IS NOT NULL) = (status IN ('CANCELLED', 'FAILED'))),
    CONSTRAINT orders_cancelling
        CHECK ((cancelling_at_us IS NULL) = (cancelling_reason IS NULL)
               AND (cancelling_at_us IS NULL OR status = 'CONFIRMED')),
    CONSTRAINT orders_cancelling_reason_is_a_code
        CHECK (length(cancelling_reason) BETWEEN 1 AND 64
               AND cancelling_reason NOT GLOB '*[^A-Z0-9_]*'),
    CONSTRAINT orders_cancel_reason_is_the_buyers
        CHECK (cancel_reason IS NULL
               OR (coalesce(reason, cancelling_reason, '') = 'CANCELLED_BY_USER'
                   AND status IN ('CONFIRMED', 'CANCELLED')
                   AND length(cancel_reason) <= 200)),
    CONSTRAINT orders_total CHECK (total_amount BETWEEN 0 AND 9007199254740991),
    CONSTRAINT orders_items
        CHECK (json_valid(items) AND json_type(items) = 'array' AND json_array_length(items) >= 1),
    CONSTRAINT orders_fingerprint CHECK (length(fingerprint) = 32),
    CONSTRAINT orders_version CHECK (version >= 0),
    CONSTRAINT orders_times CHECK (created_at_us > 0 AND updated_at_us >= created_at_us)
) STRICT;

-- A buyer's orders of some time, the newest first; the status is in it so that the others are passed
-- over without looking at their rows.
CREATE INDEX orders_by_user ON orders (user_id, created_at_us DESC, id, status);
CREATE INDEX orders_pending ON orders (expires_at_us) WHERE status = 'PENDING';
CREATE INDEX orders_cancelling ON orders (cancelling_at_us) WHERE cancelling_at_us IS NOT NULL;
-- What retention deletes.
CREATE INDEX orders_final ON orders (updated_at_us) WHERE status <> 'PENDING';

-- A fact and its event commit together; what is sent later reads from here.
CREATE TABLE outbox (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id      BLOB    NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    kind          TEXT    NOT NULL CHECK (kind <> ''),
    payload       TEXT    NOT NULL CHECK (json_valid(payload)),
    created_at_us INTEGER NOT NULL,
    sent_at_us    INTEGER,

    CONSTRAINT outbox_times CHECK (sent_at_us >= created_at_us)
) STRICT;

CREATE INDEX outbox_unsent ON outbox (created_at_us, id) WHERE sent_at_us IS NULL;
CREATE INDEX outbox_by_order ON outbox (order_id);
