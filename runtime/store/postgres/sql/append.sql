-- $1 appends, $2 names, $3 categories, $4 expected versions, $5 counts, $6 times: one per stream
-- $7 streams, $8 offsets, $9 ids, $10 types, $11 revisions, $12 formats, $13 data, $14 JSON data, $15 metadata,
-- $16 correlations, $17 causations, $18 times: one per event, in order
SELECT head, versions, outcomes, waited
  FROM esgen.append(
    $1::integer[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::timestamptz[],
    $7::integer[], $8::integer[], $9::uuid[], $10::text[], $11::integer[],
    $12::text[], $13::bytea[], $14::text[], $15::text[],
    $16::uuid[], $17::uuid[], $18::timestamptz[]);
