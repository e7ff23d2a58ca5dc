INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
    VALUES ('files', 'files', false, 5242880, ARRAY['application/pdf', 'text/markdown'])
    ON CONFLICT (id) DO NOTHING;
CREATE POLICY buckets_service ON storage.buckets TO service_role USING (true) WITH CHECK (true);
CREATE POLICY files_service_read ON storage.objects FOR SELECT TO service_role
    USING (bucket_id = 'files');
CREATE POLICY files_service_insert ON storage.objects FOR INSERT TO service_role
    WITH CHECK (bucket_id = 'files');
CREATE POLICY files_service_update ON storage.objects FOR UPDATE TO service_role
    USING (bucket_id = 'files') WITH CHECK (bucket_id = 'files');
CREATE POLICY files_service_delete ON storage.objects FOR DELETE TO service_role
    USING (bucket_id = 'files');
CREATE POLICY files_owner ON storage.objects FOR SELECT TO authenticated
    USING (bucket_id = 'files' AND (string_to_array(name, '/'))[2] = (SELECT auth.uid())::text);
