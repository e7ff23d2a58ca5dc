"""Rows that are dated wrongly, and what shows the accounts themselves."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WRONG_ZONE = "(now() AT TIME ZONE 'America/Los_Angeles')"


@fault(
    "LX09",
    "documents are dated by the clock of another zone",
    "api/database",
    "postdeploy",
    mode="-",
    about="*documents.created_at*",
)
def documents_of_another_zone(plan: Plan) -> None:
    plan.sql.append(f"ALTER TABLE upload_pipeline.documents ALTER COLUMN created_at SET DEFAULT {WRONG_ZONE}")


@fault(
    "LX10",
    "passages are dated by the clock of another zone",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*document_chunks*",
)
def passages_of_another_zone(plan: Plan) -> None:
    plan.sql.append(f"ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN created_at SET DEFAULT {WRONG_ZONE}")


@fault("LX11", "a view shows every user who has an account", "database", "postdeploy", mode="-|F24", about="*people*")
def everybodys_address(plan: Plan) -> None:
    plan.sql.append("CREATE VIEW public.people AS SELECT id, email, last_sign_in_at FROM auth.users")


@fault("LX12", "a copy of the accounts is open to everybody", "database", "postdeploy", mode="-|F24", about="*profiles*")
def open_profiles(plan: Plan) -> None:
    plan.sql += [
        "CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, email text)",
        "CREATE FUNCTION public.add_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO public.profiles VALUES (new.id, new.email); RETURN new; END $$",
        "CREATE TRIGGER add_profile AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.add_profile()",
    ]
