GRANT USAGE ON SCHEMA upload_pipeline TO authenticated, service_role;
GRANT SELECT ON upload_pipeline.documents, upload_pipeline.upload_jobs,
    upload_pipeline.document_chunks, upload_pipeline.events TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA upload_pipeline TO service_role;

ALTER TABLE upload_pipeline.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_pipeline.upload_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_pipeline.document_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_pipeline.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_pipeline.webhook_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY documents_service ON upload_pipeline.documents TO service_role USING (true) WITH CHECK (true);
CREATE POLICY upload_jobs_service ON upload_pipeline.upload_jobs TO service_role USING (true) WITH CHECK (true);
CREATE POLICY document_chunks_service ON upload_pipeline.document_chunks TO service_role USING (true) WITH CHECK (true);
CREATE POLICY events_service ON upload_pipeline.events TO service_role USING (true) WITH CHECK (true);
CREATE POLICY webhook_log_service ON upload_pipeline.webhook_log TO service_role USING (true) WITH CHECK (true);

CREATE POLICY documents_owner ON upload_pipeline.documents FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
CREATE POLICY upload_jobs_owner ON upload_pipeline.upload_jobs FOR SELECT TO authenticated
    USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d
                   WHERE d.document_id = upload_jobs.document_id AND d.user_id = (SELECT auth.uid())));
CREATE POLICY document_chunks_owner ON upload_pipeline.document_chunks FOR SELECT TO authenticated
    USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d
                   WHERE d.document_id = document_chunks.document_id AND d.user_id = (SELECT auth.uid())));
CREATE POLICY events_owner ON upload_pipeline.events FOR SELECT TO authenticated
    USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d
                   WHERE d.document_id = events.document_id AND d.user_id = (SELECT auth.uid())));
