CREATE TABLE directory.appointments (
    appointment_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clinic_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    patient_reference text NOT NULL,
    status text NOT NULL DEFAULT 'booked',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT appointments_clinic_fkey FOREIGN KEY (clinic_id) REFERENCES directory.clinics (clinic_id) ON DELETE CASCADE,
    CONSTRAINT appointments_slot_unique UNIQUE (clinic_id, starts_at),
    CONSTRAINT appointments_status_check CHECK (status IN ('booked', 'kept', 'missed'))
);
CREATE INDEX appointments_open_idx ON directory.appointments (starts_at) WHERE status = 'booked';

GRANT USAGE ON SCHEMA directory TO directory_app;
GRANT SELECT ON directory.schema_migrations, directory.clinics TO directory_app;
GRANT SELECT, INSERT, DELETE ON directory.appointments TO directory_app;
