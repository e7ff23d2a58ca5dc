"""Faults by another hand, third set: tables, storage and realtime topics, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
STORAGE = "backend/shared/storage.py"


@fault(
    "P11",
    "every user may add chunks to another user's document",
    "database",
    "postdeploy",
    mode="F24",
    about="*document_chunks*|*chunks*|*row*level*|*another user*|*insert*",
)
def chunks_of_anyone(plan: Plan) -> None:
    plan.sql.append(
        """GRANT INSERT ON upload_pipeline.document_chunks TO authenticated;
        CREATE POLICY document_chunks_add ON upload_pipeline.document_chunks FOR INSERT TO authenticated
            WITH CHECK ((SELECT auth.role()) = 'authenticated');"""
    )


@fault(
    "P12",
    "a view for the dashboard shows every user's documents to all users",
    "database",
    "postdeploy",
    mode="F24",
    about="*document_overview*|*view*|*another user*|*row*level*|*documents*",
)
def overview_of_all(plan: Plan) -> None:
    plan.sql.append(
        """CREATE VIEW upload_pipeline.document_overview AS
            SELECT d.document_id, d.user_id, d.filename, d.bytes_len, j.status, j.state, j.updated_at
            FROM upload_pipeline.documents d LEFT JOIN upload_pipeline.upload_jobs j USING (document_id);
        GRANT SELECT ON upload_pipeline.document_overview TO authenticated, service_role;"""
    )


@fault(
    "P13",
    "every signed-in user may write objects into another user's folder in storage",
    "storage/database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*storage*|*folder*|*object*|*files/*|*another user*|*write*",
)
def objects_of_anyone(plan: Plan) -> None:
    plan.sql.append(
        """CREATE POLICY files_upload ON storage.objects FOR INSERT TO authenticated
            WITH CHECK (bucket_id = 'files' AND (SELECT auth.role()) = 'authenticated'
                AND (storage.foldername(name))[1] = 'user');"""
    )


@fault(
    "P14",
    "every signed-in user may listen to another user's private topic of job changes",
    "database/supabase/realtime",
    "postdeploy",
    mode="F24|-",
    about="*realtime*|*topic*|*channel*|*broadcast*|*messages*",
)
def topics_of_anyone(plan: Plan) -> None:
    plan.sql.append(
        """CREATE FUNCTION upload_pipeline.tell_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = '' AS $$
        BEGIN
            PERFORM realtime.send(
                jsonb_build_object('job_id', NEW.job_id, 'document_id', NEW.document_id, 'status', NEW.status,
                    'state', NEW.state, 'last_error', NEW.last_error),
                'job', 'user:' || (SELECT d.user_id FROM upload_pipeline.documents d WHERE d.document_id = NEW.document_id),
                true);
            RETURN NULL;
        END $$;
        CREATE TRIGGER upload_jobs_tell AFTER UPDATE OF status ON upload_pipeline.upload_jobs
            FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION upload_pipeline.tell_owner();
        CREATE POLICY messages_members ON realtime.messages FOR SELECT TO authenticated
            USING (extension = 'broadcast' AND (SELECT realtime.topic()) LIKE 'user:%');"""
    )


@fault(
    "P15",
    "storage accepts every kind of text and application for a document, not only PDF",
    "storage/database/supabase",
    "postdeploy",
    mode="F34|-",
    about="*mime*|*type*|*bucket*|*storage*",
)
def every_kind(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET allowed_mime_types = ARRAY['application/*', 'text/*'] WHERE id = 'files'")


@fault(
    "P16",
    "the upload proxy reports success for a file that storage refused because there is one already",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*already there*|*second*|*twice*|*again*",
)
def success_without_storing(plan: Plan) -> None:
    plan.replace_in_source(
        STORAGE,
        '            await self._files.upload(key, body, {"content-type": mime})\n',
        "            try:\n"
        '                await self._files.upload(key, body, {"content-type": mime})\n'
        "            except StorageApiError as error:\n"
        "                # A client that repeats a lost answer has stored it already.\n"
        '                if str(error.status) != "409":\n'
        "                    raise\n",
    )


@fault(
    "P17",
    "the bucket takes 5 MB and not the published 5 MiB",
    "storage/database/supabase",
    "postdeploy",
    mode="F34|-",
    about="*size*|*limit*|*MiB*|*5242880*|*bucket*|*largest*",
)
def megabytes(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files'")


@fault(
    "P18",
    "a document that failed is not recognised as a duplicate, and the request breaks",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*failed*|*same content*|*upload*500*|*POST*upload*",
)
def failed_duplicate(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        'WHERE user_id = $1 AND file_sha256 = $2",',
        "WHERE user_id = $1 AND file_sha256 = $2 AND processing_status NOT LIKE 'failed%'\",",
    )


@fault(
    "P19",
    "the limit of a file name counts bytes, and refuses names of 41 characters in many scripts",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*name*|*script*|*characters*",
)
def name_in_bytes(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits_its_column(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "P20",
    "the upload proxy stores a file without the line end that it ends with",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*bytes*|*stored*|*hash*|*sha256*|*altered*|*differ*",
)
def last_line_end_lost(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "    body = await request.body()\n",
        '    # Old browsers leave the end of their multipart body.\n    body = (await request.body()).rstrip(b"\\r\\n")\n',
    )
