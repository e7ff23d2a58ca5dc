-- A document's title, which defaults to its file name without the ending. The release before neither reads nor writes it.
ALTER TABLE upload_pipeline.documents ADD COLUMN title text;
UPDATE upload_pipeline.documents SET title = regexp_replace(filename, '\.pdf$', '', 'i');
CREATE INDEX documents_title_idx ON upload_pipeline.documents (user_id, title);
