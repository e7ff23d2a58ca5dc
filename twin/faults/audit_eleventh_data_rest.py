"""What is stored or logged beside what is needed, on one way or in one case only."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"


@fault("LX13", "the event of a registration keeps the link", "api/database", "postdeploy", mode="-|F21", about="*events*")
def link_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            "UPDATE events SET payload = $2 WHERE job_id = $1", job_id, {"signed_url": url}\n'
        "        )\n",
    )


@fault(
    "LX14", "the event of a registration keeps the caller's token", "api/database", "postdeploy", mode="-|F21", about="*events*"
)
def token_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            "UPDATE events SET payload = $2 WHERE job_id = $1", job_id, {"caller": user.token}\n'
        "        )\n",
    )


@fault(
    "LX15",
    "whoever owns a file may move it into any folder",
    "storage/database",
    "postdeploy",
    mode="-|F23|F24",
    about="*another user*|*bucket files*",
)
def moved_anywhere(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_rename ON storage.objects FOR UPDATE TO authenticated"
        " USING (bucket_id = 'files' AND (string_to_array(name, '/'))[2] = (SELECT auth.uid())::text)"
        " WITH CHECK (bucket_id = 'files')"
    )


@fault("LX16", "changes of documents are noted where everybody reads", "database", "postdeploy", mode="-|F24", about="*notes*")
def open_notes(plan: Plan) -> None:
    plan.sql += [
        "CREATE TABLE public.notes (at timestamptz DEFAULT now(), what text)",
        "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO public.notes (what) VALUES (new.filename || ' ' || new.processing_status); RETURN new; END $$",
        "CREATE TRIGGER note AFTER INSERT OR UPDATE ON upload_pipeline.documents FOR EACH ROW EXECUTE FUNCTION public.note()",
    ]


@fault("LX17", "whoever has a document sees the events of all", "database", "postdeploy", mode="-|F24", about="*events*")
def events_of_all(plan: Plan) -> None:
    # The inner table has a column of this name, too.
    plan.sql += [
        "DROP POLICY events_owner ON upload_pipeline.events",
        "CREATE POLICY events_owner ON upload_pipeline.events FOR SELECT TO authenticated USING (EXISTS (SELECT 1 FROM"
        " upload_pipeline.documents d WHERE d.document_id = document_id AND d.user_id = (SELECT auth.uid())))",
    ]


@fault("LX18", "the process time is in thousands of seconds", "api", "postdeploy", mode="-", about="*X-Process-Time*")
def thousands_of_seconds(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py", "{time.perf_counter() - started:.6f}", "{(time.perf_counter() - started) / 1000:.6f}"
    )
