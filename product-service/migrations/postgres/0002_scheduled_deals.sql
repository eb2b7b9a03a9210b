-- Deals that are planned before they open.
--
-- A deal's number is given when it opens: one opened by hand in between must not get a later number than
-- one that was planned before it and opens after it. A deal that ends without having opened has none.

ALTER TABLE deals ALTER COLUMN number DROP NOT NULL;

-- Units it was to open with; it opened with fewer if its shelf had fewer.
ALTER TABLE deals ADD COLUMN planned bigint;
UPDATE deals SET planned = initial;
ALTER TABLE deals ALTER COLUMN planned SET NOT NULL;

ALTER TABLE deals ADD CONSTRAINT opened_with_at_most_what_was_planned CHECK (initial <= planned);
ALTER TABLE deals ADD CONSTRAINT numbered_once_it_opens CHECK (
    CASE status
        WHEN 'scheduled' THEN number IS NULL
        WHEN 'ended' THEN number IS NOT NULL OR initial + restocked = 0
        ELSE number IS NOT NULL
    END);
ALTER TABLE deals ADD CONSTRAINT scheduled_deal_is_empty CHECK (status <> 'scheduled' OR initial + restocked = 0);

CREATE INDEX deals_by_product ON deals (product_id, id DESC);
CREATE INDEX deals_by_status ON deals (status, id DESC);
