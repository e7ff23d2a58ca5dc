ALTER PUBLICATION supabase_realtime ADD TABLE upload_pipeline.upload_jobs;
