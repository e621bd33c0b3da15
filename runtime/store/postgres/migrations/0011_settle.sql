-- Gives the events of one append their positions, at the end of its transaction,
-- and sees to it that none which was removed is given again. From here to the end
-- of the commit the head is held, as by any append.
CREATE FUNCTION settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
  head bigint;
  wanted bigint := 0;
  given bigint := 0;
  changed bigint;
BEGIN
  -- It acts for its owner by what a row says, so the row must be one of the store's.
  IF TG_RELID <> 'pending'::regclass THEN
    RAISE EXCEPTION 'a trigger on % that settles appends: it belongs to pending only', TG_RELID::regclass
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- Both would keep the head in a transaction that goes on: a guard against
  -- mistakes, for a text of several statements passes it.
  IF current_query() ~* '^\s*set\s+constraints' THEN
    RAISE EXCEPTION 'SET CONSTRAINTS after an append: positions are given at commit, everybody would wait for this transaction until then'
      USING ERRCODE = 'ES002', HINT = 'Set the constraints by name that must be checked at once.';
  END IF;
  IF current_query() ~* '^\s*prepare\s+transaction' THEN
    RAISE EXCEPTION 'PREPARE TRANSACTION after an append: everybody would wait until it is committed'
      USING ERRCODE = 'ES003', HINT = 'Commit appends in one phase.';
  END IF;

  DELETE FROM pending WHERE pending_id = NEW.pending_id;
  IF NOT FOUND THEN
    RETURN NULL; -- its savepoint was rolled back
  END IF;

  PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 0);

  -- A new statement: it sees whatever was committed before the lock was got.
  SELECT greatest((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), (SELECT s.floor FROM store s))
    INTO head;

  IF NEW.removed > head THEN
    UPDATE store SET floor = NEW.removed;
    head := NEW.removed;
  END IF;

  -- One by one: a join may begin with all events.
  FOR i IN 1 .. cardinality(NEW.stream_ids) LOOP
    UPDATE events e SET position = head + given + 1 + e.version - NEW.versions[i]
     WHERE e.stream_id = NEW.stream_ids[i] AND e.version >= NEW.versions[i] AND e.version < NEW.versions[i] + NEW.counts[i]
       AND e.position IS NULL;
    GET DIAGNOSTICS changed = ROW_COUNT;
    given := given + changed;
    wanted := wanted + NEW.counts[i];
  END LOOP;

  IF given <> wanted THEN
    RAISE EXCEPTION 'commit of an append: % of its % events have no position yet; nothing was stored', given, wanted
      USING ERRCODE = 'data_corrupted';
  END IF;
  RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION settle FROM PUBLIC;

CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON pending
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION settle();
