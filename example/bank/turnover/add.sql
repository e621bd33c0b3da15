-- Add a movement to its day.
-- $1 when it was (timestamptz), $2 paid in, $3 paid out, in minor units (bigint).
INSERT INTO turnover AS t (day, paid_in, paid_out, movements)
VALUES (($1::timestamptz AT TIME ZONE 'UTC')::date, $2, $3, 1)
ON CONFLICT (day) DO UPDATE
SET paid_in   = t.paid_in + excluded.paid_in,
    paid_out  = t.paid_out + excluded.paid_out,
    movements = t.movements + 1;
