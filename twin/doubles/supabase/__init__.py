"""Supabase's gateway: auth, storage, REST view and realtime behind one URL, on one PostgreSQL."""
