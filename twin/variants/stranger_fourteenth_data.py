"""Variants by a stranger, the fourteenth set: two pools of connections, a partitioned table, chunks that know their owner."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fourteenth import MIGRATIONS, migrate

POOLS = '''async def open_pool(config: Config, size: int = 8, name: str = "worker", **settings: str) -> asyncpg.Pool:
    """A pool of at most `size` connections without prepared statements (the pooler forbids them)."""
    return await asyncpg.create_pool(
        config.database_url,
        min_size=0,
        max_size=size,
        max_inactive_connection_lifetime=20,
        statement_cache_size=0,
        init=_prepare,
        timeout=5,
        command_timeout=20,
        server_settings={
            "search_path": f"{config.schema},public",
            "jit": "off",
            "application_name": f"navigator-{name}",
            **settings,
        },
    )


class Pools:
    """Single questions go to connections that cannot write; whoever needs a transaction acquires one that can."""

    def __init__(self, reading: asyncpg.Pool, writing: asyncpg.Pool) -> None:
        self._reading = reading
        self._writing = writing
        self.fetch, self.fetchrow, self.fetchval = reading.fetch, reading.fetchrow, reading.fetchval
        self.execute, self.acquire = writing.execute, writing.acquire

    @classmethod
    async def open(cls, config: Config) -> Pools:
        """Both pools of the API."""
        reading = await open_pool(config, 4, "api-reads", default_transaction_read_only="on")
        return cls(reading, await open_pool(config, 6, "api-writes"))

    async def close(self) -> None:
        """Close both."""
        await self._writing.close()
        await self._reading.close()


'''


@variant("M84", "the API has a pool that only reads and one that writes, both empty when idle, named for the server")
def two_pools(plan: Plan) -> None:
    path = "backend/shared/database.py"
    text = (plan.source / path).read_text()
    opened = text[text.index("async def open_pool") : text.index("def vector_literal")]
    plan.replace_in_source(path, opened, POOLS)
    plan.replace_in_source("api/application.py", "import OUTAGES, open_pool", "import OUTAGES, Pools")
    plan.replace_in_source("api/application.py", "await open_pool(config)", "await Pools.open(config)")


WHOLE = """    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    document_id uuid,
    type text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
"""
IN_PARTS = """    event_id bigint NOT NULL DEFAULT nextval('upload_pipeline.event_numbers') PRIMARY KEY,
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    document_id uuid,
    type text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY HASH (event_id);
CREATE TABLE upload_pipeline.events_0 PARTITION OF upload_pipeline.events FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE upload_pipeline.events_1 PARTITION OF upload_pipeline.events FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE upload_pipeline.events_2 PARTITION OF upload_pipeline.events FOR VALUES WITH (MODULUS 3, REMAINDER 2);
"""
OWN_RULES = """
GRANT USAGE ON SEQUENCE upload_pipeline.event_numbers TO service_role;
""" + "".join(
    f"""ALTER TABLE upload_pipeline.events_{number} ENABLE ROW LEVEL SECURITY;
CREATE POLICY events_{number}_service ON upload_pipeline.events_{number} TO service_role USING (true) WITH CHECK (true);
"""
    for number in range(3)
)


@variant("M85", "the events are a partitioned table, each part with row-level security; numbers come from a plain sequence")
def events_in_parts(plan: Plan) -> None:
    first = f"{MIGRATIONS}/20250101000000_upload_pipeline.sql"
    plan.replace_in_source(first, WHOLE, IN_PARTS)
    table = "CREATE TABLE upload_pipeline.events (\n"
    plan.replace_in_source(first, table, f"CREATE SEQUENCE upload_pipeline.event_numbers;\n{table}")
    rules = f"{MIGRATIONS}/20250103000000_row_level_security.sql"
    policy = "CREATE POLICY documents_owner"
    plan.replace_in_source(rules, policy, f"{OWN_RULES}\n{policy}")


OWNER = """ALTER TABLE upload_pipeline.document_chunks ADD COLUMN owner_id uuid;
UPDATE upload_pipeline.document_chunks c SET owner_id = d.user_id
    FROM upload_pipeline.documents d WHERE d.document_id = c.document_id;
ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN owner_id SET NOT NULL;
CREATE INDEX document_chunks_owner_idx ON upload_pipeline.document_chunks (owner_id);
CREATE FUNCTION upload_pipeline.own_chunk() RETURNS trigger LANGUAGE plpgsql SET search_path = upload_pipeline AS $$
BEGIN
    NEW.owner_id := (SELECT d.user_id FROM documents d WHERE d.document_id = NEW.document_id);
    IF NEW.owner_id IS NULL THEN
        RAISE foreign_key_violation USING MESSAGE = 'a chunk of no document';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION upload_pipeline.own_chunks() RETURNS trigger LANGUAGE plpgsql SET search_path = upload_pipeline AS $$
BEGIN
    UPDATE document_chunks SET owner_id = NEW.user_id WHERE document_id = NEW.document_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION upload_pipeline.own_chunk(), upload_pipeline.own_chunks() FROM PUBLIC;
-- Whoever writes a chunk cannot choose its owner.
CREATE TRIGGER own_chunk BEFORE INSERT OR UPDATE OF document_id, owner_id ON upload_pipeline.document_chunks
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.own_chunk();
CREATE TRIGGER own_chunks AFTER UPDATE OF user_id ON upload_pipeline.documents
    FOR EACH ROW WHEN (NEW.user_id <> OLD.user_id) EXECUTE FUNCTION upload_pipeline.own_chunks();
DROP POLICY document_chunks_owner ON upload_pipeline.document_chunks;
CREATE POLICY document_chunks_owner ON upload_pipeline.document_chunks FOR SELECT TO authenticated
    USING (owner_id = (SELECT auth.uid()));
"""
JOINED = '''            """SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity
               FROM document_chunks c JOIN documents d USING (document_id)
               WHERE d.user_id = $2 AND c.embedding IS NOT NULL
               ORDER BY c.embedding <=> $1::vector LIMIT $3""",
'''
OWNED = '''            """WITH nearest AS (
                   SELECT c.chunk_id, c.document_id, c.text, c.embedding <=> $1::vector AS distance
                   FROM document_chunks c WHERE c.owner_id = $2 AND c.embedding IS NOT NULL
                   ORDER BY c.embedding <=> $1::vector LIMIT $3)
               SELECT n.chunk_id, n.document_id, d.filename, n.text, 1 - n.distance AS similarity
               FROM nearest n JOIN documents d ON d.document_id = n.document_id AND d.user_id = $2
               ORDER BY n.distance""",
'''


@variant("M86", "every chunk knows its owner by a trigger; retrieval and row-level security ask the chunk, not its document")
def owned_chunks(plan: Plan) -> None:
    migrate(plan, "20250106000500_owners", OWNER)
    plan.replace_in_source("api/retrieval.py", JOINED, OWNED)
