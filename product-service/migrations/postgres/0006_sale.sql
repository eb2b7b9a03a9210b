-- A sale in one statement: what `store/sale.rs` decided over deals as it remembers them, checked under their
-- locks and written, all of it or nothing. See docs/adr/0009-a-sale-is-one-statement.md.
--
-- Its steps and their order are those of the transaction of several statements, so that the two never wait for
-- each other in a circle: batch ids, deals, holds, buyers, each sorted. Each step sees what was committed before
-- it began, as there. An id that is taken already is a unique violation; any other assumption that does not
-- hold is raised as HD001.
--
-- `batch_ids`, `deal_ids` and `order_ids` are sorted. `line_kinds` are the different contents of `holds.lines`,
-- few in most sales, and `kinds` says by position which one an order's is.

CREATE FUNCTION take_sale(
    batch_ids uuid[],
    deal_ids uuid[], numbers bigint[], unit_prices bigint[], names text[], per_user_limits bigint[], units bigint[],
    order_ids uuid[], user_ids uuid[], kinds integer[], ttls_us bigint[], line_kinds jsonb[],
    buyer_deal_ids uuid[], buyer_ids uuid[], buyer_units bigint[], buyer_limits bigint[],
    OUT clock_us bigint, OUT available bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    begun_us CONSTANT bigint := now_us();
    written bigint;
BEGIN
    INSERT INTO batches (id, is_void, recorded_at_us)
    SELECT new.id, false, begun_us FROM unnest(batch_ids) WITH ORDINALITY AS new (id, position)
    ORDER BY new.position;

    PERFORM FROM deals WHERE id = ANY (deal_ids) ORDER BY id FOR UPDATE;
    -- After the last lock was granted, and never before what it follows.
    clock_us := greatest(begun_us, now_us());

    WITH moved AS (
        UPDATE deals SET available = deals.available - sold.units, held = deals.held + sold.units
        FROM unnest(deal_ids, numbers, unit_prices, names, per_user_limits, units)
                AS sold (id, number, unit_price, name, per_user_limit, units)
            CROSS JOIN products
        WHERE deals.id = sold.id AND products.id = deals.product_id AND products.name = sold.name
          AND deals.status = 'running' AND deals.number = sold.number
          AND deals.unit_price_minor = sold.unit_price
          AND deals.per_user_limit IS NOT DISTINCT FROM sold.per_user_limit
          AND deals.starts_at_us <= clock_us AND (deals.ends_at_us IS NULL OR deals.ends_at_us > clock_us)
          AND deals.available >= sold.units
        RETURNING deals.id, deals.available
    )
    SELECT count(*), array_agg(moved.available ORDER BY moved.id) INTO written, available FROM moved;
    IF written <> cardinality(deal_ids) THEN
        RAISE 'a deal is not as it was remembered' USING ERRCODE = 'HD001';
    END IF;

    INSERT INTO holds (order_id, user_id, state, lines, created_at_us, expires_at_us)
    SELECT new.order_id, new.user_id, 'open', line_kinds[new.kind], clock_us, clock_us + new.ttl_us
    FROM unnest(order_ids, user_ids, kinds, ttls_us) AS new (order_id, user_id, kind, ttl_us);

    IF cardinality(buyer_ids) > 0 THEN
        INSERT INTO deal_buyers (deal_id, user_id, units, per_user_limit)
        SELECT * FROM unnest(buyer_deal_ids, buyer_ids, buyer_units, buyer_limits)
        ON CONFLICT (deal_id, user_id) DO UPDATE SET units = deal_buyers.units + excluded.units
        WHERE deal_buyers.units + excluded.units <= excluded.per_user_limit;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(buyer_ids) THEN
            RAISE 'a buyer has more than was assumed' USING ERRCODE = 'HD001';
        END IF;
    END IF;
END
$$;
