-- An order that is deleted takes its events along; one that still has something to send is not deleted.

ALTER TABLE outbox
    DROP CONSTRAINT outbox_order_id_fkey,
    ADD CONSTRAINT outbox_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;
