-- CreateEnum
CREATE TYPE "order_state" AS ENUM ('awaiting_payment', 'paid', 'cancelled', 'payment_expired');

-- CreateEnum
CREATE TYPE "payment_state" AS ENUM ('requested', 'authorised', 'declined', 'captured', 'voided');

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "device_accounts" (
    "device_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "device_accounts_pkey" PRIMARY KEY ("device_id","user_id")
);

-- CreateTable
CREATE TABLE "products" (
    "id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "picture" TEXT NOT NULL,
    "price_cents" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "products_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sales" (
    "id" TEXT NOT NULL,
    "product_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "price_cents" INTEGER NOT NULL,
    "stock" INTEGER NOT NULL,
    "per_user_limit" INTEGER NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "payment_timeout_ms" INTEGER NOT NULL,
    "decision_cost_ms" INTEGER NOT NULL DEFAULT 0,
    "crowd" INTEGER NOT NULL DEFAULT 0,
    "house" BOOLEAN NOT NULL DEFAULT false,
    "closed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sales_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" TEXT NOT NULL,
    "reservation_id" TEXT NOT NULL,
    "sale_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "product_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "amount_cents" INTEGER NOT NULL,
    "state" "order_state" NOT NULL DEFAULT 'awaiting_payment',
    "version" INTEGER NOT NULL,
    "pay_before" TIMESTAMPTZ(3) NOT NULL,
    "requested_at" TIMESTAMPTZ(3),
    "judged_at" TIMESTAMPTZ(3),
    "reserved_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payments" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "reservation_id" TEXT NOT NULL,
    "sale_id" TEXT NOT NULL,
    "amount_cents" INTEGER NOT NULL,
    "state" "payment_state" NOT NULL DEFAULT 'requested',
    "authorisation_id" TEXT,
    "problem" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sms_messages" (
    "id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "sale_id" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sms_messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "statistics_windows" (
    "sale_id" TEXT NOT NULL,
    "window_start" TIMESTAMPTZ(3) NOT NULL,
    "metric" TEXT NOT NULL,
    "label" TEXT NOT NULL DEFAULT '',
    "value" BIGINT NOT NULL,

    CONSTRAINT "statistics_windows_pkey" PRIMARY KEY ("sale_id","window_start","metric","label")
);

-- CreateTable
CREATE TABLE "consumer_offsets" (
    "group" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,

    CONSTRAINT "consumer_offsets_pkey" PRIMARY KEY ("group","topic","partition")
);

-- CreateIndex
CREATE UNIQUE INDEX "products_position_key" ON "products"("position");

-- CreateIndex
CREATE INDEX "sales_starts_at_idx" ON "sales"("starts_at");

-- CreateIndex
CREATE INDEX "sales_ends_at_idx" ON "sales"("ends_at");

-- CreateIndex
CREATE UNIQUE INDEX "orders_reservation_id_key" ON "orders"("reservation_id");

-- CreateIndex
CREATE INDEX "orders_user_id_reserved_at_idx" ON "orders"("user_id", "reserved_at" DESC);

-- CreateIndex
CREATE INDEX "orders_sale_id_idx" ON "orders"("sale_id");

-- CreateIndex
CREATE UNIQUE INDEX "payments_authorisation_id_key" ON "payments"("authorisation_id");

-- CreateIndex
CREATE INDEX "payments_order_id_idx" ON "payments"("order_id");

-- CreateIndex
CREATE INDEX "payments_sale_id_idx" ON "payments"("sale_id");

-- CreateIndex
CREATE INDEX "sms_messages_user_id_sent_at_idx" ON "sms_messages"("user_id", "sent_at" DESC);

-- CreateIndex
CREATE INDEX "sms_messages_sale_id_idx" ON "sms_messages"("sale_id");

-- CreateIndex
CREATE UNIQUE INDEX "sms_messages_order_id_event_key" ON "sms_messages"("order_id", "event");

-- AddForeignKey
ALTER TABLE "sales" ADD CONSTRAINT "sales_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_sale_id_fkey" FOREIGN KEY ("sale_id") REFERENCES "sales"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the schema language cannot say. Each names the promise it keeps, so that an error names it too.


ALTER TABLE "users"
    ADD CONSTRAINT "users_name_is_short" CHECK (char_length("name") BETWEEN 1 AND 40);

ALTER TABLE "products"
    ADD CONSTRAINT "products_price_is_not_negative" CHECK ("price_cents" >= 0),
    ADD CONSTRAINT "products_title_is_there" CHECK (char_length("title") BETWEEN 1 AND 120);

ALTER TABLE "sales"
    ADD CONSTRAINT "sales_id_fits_a_purchase_id" CHECK ("id" ~ '^[A-Za-z0-9_-]{1,40}$'),
    ADD CONSTRAINT "sales_price_is_not_negative" CHECK ("price_cents" >= 0),
    ADD CONSTRAINT "sales_stock_is_positive" CHECK ("stock" > 0),
    ADD CONSTRAINT "sales_limit_is_positive" CHECK ("per_user_limit" > 0),
    ADD CONSTRAINT "sales_start_before_they_end" CHECK ("starts_at" < "ends_at"),
    ADD CONSTRAINT "sales_payment_timeout_is_positive" CHECK ("payment_timeout_ms" > 0),
    ADD CONSTRAINT "sales_decision_cost_is_not_negative" CHECK ("decision_cost_ms" >= 0),
    ADD CONSTRAINT "sales_crowd_is_not_negative" CHECK ("crowd" >= 0);

ALTER TABLE "orders"
    ADD CONSTRAINT "orders_quantity_is_positive" CHECK ("quantity" > 0),
    ADD CONSTRAINT "orders_amount_is_not_negative" CHECK ("amount_cents" >= 0),
    ADD CONSTRAINT "orders_version_starts_at_one" CHECK ("version" >= 1),
    ADD CONSTRAINT "orders_end_once" CHECK (("state" = 'awaiting_payment') = ("ended_at" IS NULL)),
    ADD CONSTRAINT "orders_wait_only_in_version_one" CHECK (("state" = 'awaiting_payment') = ("version" = 1));

ALTER TABLE "payments"
    ADD CONSTRAINT "payments_amount_is_not_negative" CHECK ("amount_cents" >= 0),
    ADD CONSTRAINT "payments_held_money_has_an_authorisation"
        CHECK ("state" IN ('requested', 'declined') OR "authorisation_id" IS NOT NULL),
    ADD CONSTRAINT "payments_declined_have_a_reason" CHECK ("state" <> 'declined' OR "problem" IS NOT NULL),
    ADD CONSTRAINT "payments_settle_once"
        CHECK (("state" IN ('declined', 'captured', 'voided')) = ("settled_at" IS NOT NULL));

ALTER TABLE "sms_messages"
    ADD CONSTRAINT "sms_messages_id_is_order_and_event" CHECK ("id" = "order_id" || ':' || "event"),
    ADD CONSTRAINT "sms_messages_text_is_there" CHECK (char_length("text") > 0);

ALTER TABLE "statistics_windows"
    ADD CONSTRAINT "statistics_windows_value_is_not_negative" CHECK ("value" >= 0);

ALTER TABLE "consumer_offsets"
    ADD CONSTRAINT "consumer_offsets_partition_is_not_negative" CHECK ("partition" >= 0),
    ADD CONSTRAINT "consumer_offsets_offset_is_not_negative" CHECK ("offset" >= 0);

-- Which log this database belongs to.
CREATE TABLE "log_identity" (
    "row" INTEGER NOT NULL DEFAULT 1,
    "log_id" TEXT NOT NULL,

    CONSTRAINT "log_identity_pkey" PRIMARY KEY ("row"),
    CONSTRAINT "log_identity_is_one_row" CHECK ("row" = 1)
);
