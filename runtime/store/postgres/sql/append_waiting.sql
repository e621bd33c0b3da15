-- $1 names, $2 categories, $3 expected versions, $4 counts, $5 times: one per stream, sorted by name
-- $6 streams, $7 offsets, $8 ids, $9 types, $10 revisions, $11 formats, $12 data, $13 JSON data, $14 metadata,
-- $15 correlations, $16 causations, $17 times: one per event, in order
-- $18 at commit
SELECT head, versions, outcomes, xid
  FROM esgen.append_waiting(
    $1::text[], $2::text[], $3::bigint[], $4::integer[], $5::timestamptz[],
    $6::integer[], $7::integer[], $8::uuid[], $9::text[], $10::integer[],
    $11::text[], $12::bytea[], $13::text[], $14::text[],
    $15::uuid[], $16::uuid[], $17::timestamptz[], $18::boolean);
