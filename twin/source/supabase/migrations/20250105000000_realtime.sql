CREATE FUNCTION upload_pipeline.announce_job_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_notify('realtime', json_build_object(
        'type', TG_OP, 'schema', TG_TABLE_SCHEMA, 'table', TG_TABLE_NAME,
        'user_id', (SELECT user_id FROM upload_pipeline.documents WHERE document_id = NEW.document_id),
        'record', json_build_object('job_id', NEW.job_id, 'document_id', NEW.document_id,
            'status', NEW.status, 'state', NEW.state, 'updated_at', NEW.updated_at))::text);
    RETURN NEW;
END $$;
CREATE TRIGGER upload_jobs_announce AFTER INSERT OR UPDATE ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.announce_job_change();
