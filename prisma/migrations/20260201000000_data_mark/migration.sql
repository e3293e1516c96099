-- CreateTable
CREATE TABLE "data_mark" (
    "row" INTEGER NOT NULL DEFAULT 1,
    "incarnation" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "fork" INTEGER NOT NULL,
    "noted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "data_mark_pkey" PRIMARY KEY ("row"),
    CONSTRAINT "data_mark_is_one" CHECK ("row" = 1)
);
