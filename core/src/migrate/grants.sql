-- The programs read and write rows; they create, change and drop nothing, and do not touch the record of migrations.
-- Without the role (deploy/postgres/roles.sql) there is nothing to grant.
DO $$
DECLARE
    of_schema text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'punctual_app') THEN
        RETURN;
    END IF;
    FOREACH of_schema IN ARRAY ARRAY['public', 'queue'] LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO punctual_app', of_schema);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO punctual_app', of_schema);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO punctual_app', of_schema);
    END LOOP;
    REVOKE INSERT, UPDATE, DELETE ON public._punctual_core_migrations, queue._punctual_queue_migrations,
        public.schema_compatibility FROM punctual_app;
END
$$;
