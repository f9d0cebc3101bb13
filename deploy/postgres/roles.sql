-- Roles for the programs that own nothing: they read and write rows, and can neither create nor drop.
--
-- Run once as the role that migrates (it needs CREATEROLE; a superuser has it), before `punctual-api migrate`, which
-- grants rights to them each time it runs. Then give both a password and use them in DATABASE_URL:
--
--   psql "$MIGRATE_DATABASE_URL" -f deploy/postgres/roles.sql
--   psql "$MIGRATE_DATABASE_URL" -c '\password punctual_api' -c '\password punctual_worker'
--
-- It may be run again.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punctual_app') THEN
        CREATE ROLE punctual_app NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punctual_api') THEN
        CREATE ROLE punctual_api LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punctual_worker') THEN
        CREATE ROLE punctual_worker LOGIN;
    END IF;
END
$$;

GRANT punctual_app TO punctual_api, punctual_worker;

-- Postgres 14 and earlier let every role create tables in `public`; databases upgraded from there still do.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The same limits that the programs ask for on a direct connection. PgBouncer drops them from the start-up message.
ALTER ROLE punctual_api SET statement_timeout = '5s';
ALTER ROLE punctual_worker SET statement_timeout = '30s';
ALTER ROLE punctual_api SET lock_timeout = '2s';
ALTER ROLE punctual_worker SET lock_timeout = '2s';
ALTER ROLE punctual_api SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE punctual_worker SET idle_in_transaction_session_timeout = '10s';

-- Statements of the queue must not keep plans that were made for a small table.
ALTER ROLE punctual_worker SET plan_cache_mode = 'force_custom_plan';
