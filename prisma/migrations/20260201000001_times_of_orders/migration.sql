-- Reconciliation looks, once a minute, at the orders of a day and at the payments that hold money still.

-- CreateIndex
CREATE INDEX "orders_created_at_idx" ON "orders"("created_at");

-- CreateIndex
CREATE INDEX "orders_ended_at_idx" ON "orders"("ended_at");

-- CreateIndex
CREATE INDEX "payments_state_created_at_idx" ON "payments"("state", "created_at");
