CREATE SCHEMA directory;

CREATE TABLE directory.schema_migrations (
    version text PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE directory.clinics (
    clinic_id uuid PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL,
    street text NOT NULL,
    telephone text NOT NULL,
    opens_at time NOT NULL,
    closes_at time NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clinics_name_city_unique UNIQUE (name, city)
);
CREATE INDEX clinics_city_idx ON directory.clinics (city, name);
