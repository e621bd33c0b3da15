-- $1 name, $2 category, $3 expected version
-- $4 id, $5 type, $6 revision, $7 format, $8 data, $9 JSON data, $10 metadata, $11 correlation, $12 causation, $13 time
SELECT head, version, outcome, waited
  FROM esgen.append_one(
    $1::text, $2::text, $3::bigint,
    $4::uuid, $5::text, $6::integer, $7::text, $8::bytea, $9::text, $10::text,
    $11::uuid, $12::uuid, $13::timestamptz);
