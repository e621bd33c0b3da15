-- What went in and out over the counter, by day.
CREATE TABLE IF NOT EXISTS turnover (
    day       date   PRIMARY KEY,
    paid_in   bigint NOT NULL,
    paid_out  bigint NOT NULL,
    movements bigint NOT NULL
);
