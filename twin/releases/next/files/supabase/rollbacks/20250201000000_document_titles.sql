-- Takes 20250201000000_document_titles back; titles can be made again of the file names.
DROP INDEX upload_pipeline.documents_title_idx;
ALTER TABLE upload_pipeline.documents DROP COLUMN title;
