"""A stand-in for the extension `pg_stat_statements`, which the packaged PostgreSQL does not have.

The server logs every statement with its time; a view of the extension's columns adds them up. Literals stay as they are.
"""

from __future__ import annotations

from twin.plan import Plan

SETTINGS = {"log_min_duration_statement": "0", "log_parameter_max_length": "0", "log_line_prefix": "%m [%p] "}
# An entry begins with its time; of a statement with parameters its execution counts, not its preparation.
VIEW = r"""
CREATE SCHEMA IF NOT EXISTS extensions;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role, staging_user;
CREATE FUNCTION extensions.logged_statements() RETURNS TABLE (statement text, milliseconds float8)
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT regexp_replace(found[2], '\s+', ' ', 'g'), found[1]::float8
    FROM regexp_split_to_table(pg_read_file('{log}'), E'\n(?=\\d{{4}}-\\d\\d-\\d\\d )') entry,
        regexp_match(entry, 'duration: ([0-9.]+) ms  (?:statement|execute [^:]*): (.*)$') found
    WHERE found IS NOT NULL
$$;
CREATE VIEW extensions.pg_stat_statements AS
SELECT (SELECT oid FROM pg_roles WHERE rolname = 'staging_user') AS userid,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS dbid,
    hashtextextended(statement, 0) AS queryid, statement AS query, count(*) AS calls, sum(milliseconds) AS total_exec_time,
    avg(milliseconds) AS mean_exec_time, max(milliseconds) AS max_exec_time
FROM extensions.logged_statements() GROUP BY statement;
GRANT SELECT ON extensions.pg_stat_statements TO staging_user;
"""


def keep_statistics(plan: Plan) -> None:
    """Let the database keep statistics of its statements."""
    plan.postgres_settings |= SETTINGS
    plan.sql.append(VIEW.format(log=f"{plan.config.folder}/postgres.log"))
