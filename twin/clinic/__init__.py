"""Another system: the Clinic Directory, a small API on PostgreSQL without worker, Supabase or AI."""
