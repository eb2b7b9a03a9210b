-- Orders and what leaves with them. Times are microseconds since 1970-01-01T00:00:00Z.

-- The one clock that decides about deadlines.
CREATE FUNCTION now_us() RETURNS bigint
    LANGUAGE sql VOLATILE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- An order is one aggregate: its lines are never changed one by one, so they stay in its row.
CREATE TABLE orders (
    id               uuid   PRIMARY KEY,
    user_id          uuid   NOT NULL,
    status           text   NOT NULL,
    reason           text,
    flow             text   NOT NULL,
    items            jsonb  NOT NULL,
    total_amount     bigint NOT NULL,
    shipping_address jsonb,
    -- SHA-256 of the body; only with an Idempotency-Key.
    fingerprint      bytea,
    -- The buyer's own words.
    cancel_reason    text,
    -- When the hold ends unless it is confirmed.
    expires_at_us    bigint NOT NULL,
    created_at_us    bigint NOT NULL,
    updated_at_us    bigint NOT NULL,
    -- When the hold was sold or released, by product-service's clock.
    confirmed_at_us  bigint,
    cancelled_at_us  bigint,
    -- Until then one replica is busy ending the order.
    lease_until_us   bigint,

    CONSTRAINT orders_status CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED', 'FAILED')),
    CONSTRAINT orders_flow CHECK (flow IN ('hold', 'accept', 'sequential', 'parallel', 'workflow')),
    CONSTRAINT orders_reason_is_known_when_ended
        CHECK ((reason IS NOT NULL) = (status IN ('CANCELLED', 'FAILED'))),
    CONSTRAINT orders_reason_is_a_code CHECK (reason ~ '^[A-Z0-9_]{1,64}$'),
    CONSTRAINT orders_confirmed_at CHECK ((confirmed_at_us IS NOT NULL) = (status = 'CONFIRMED')),
    CONSTRAINT orders_cancelled_at
        CHECK ((cancelled_at_us IS NOT NULL) = (status IN ('CANCELLED', 'FAILED'))),
    CONSTRAINT orders_cancel_reason_is_the_buyers
        CHECK (cancel_reason IS NULL
               OR (status = 'CANCELLED' AND reason = 'CANCELLED_BY_USER'
                   AND char_length(cancel_reason) <= 200)),
    CONSTRAINT orders_total CHECK (total_amount BETWEEN 0 AND 9007199254740991),
    CONSTRAINT orders_items CHECK (jsonb_typeof(items) = 'array' AND jsonb_array_length(items) >= 1),
    CONSTRAINT orders_fingerprint CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT orders_times CHECK (created_at_us > 0 AND updated_at_us >= created_at_us)
);

CREATE INDEX orders_by_user ON orders (user_id, created_at_us DESC, id);
CREATE INDEX orders_pending ON orders (expires_at_us) WHERE status = 'PENDING';

-- A fact and its event commit together; what is sent later reads from here.
CREATE TABLE outbox (
    id            uuid   PRIMARY KEY,
    order_id      uuid   NOT NULL REFERENCES orders (id),
    kind          text   NOT NULL CHECK (kind <> ''),
    payload       jsonb  NOT NULL,
    created_at_us bigint NOT NULL,
    sent_at_us    bigint,

    CONSTRAINT outbox_times CHECK (sent_at_us >= created_at_us)
);

CREATE INDEX outbox_unsent ON outbox (created_at_us, id) WHERE sent_at_us IS NULL;
