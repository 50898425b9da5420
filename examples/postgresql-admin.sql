-- Makes the administrator that Tenure logs in as. Run it once as a superuser, connected to the database whose roles Tenure
-- shall run (here `ledger`), on PostgreSQL 15 or later. Afterwards set its password: \password tenure_admin
--
-- It is no superuser. It may make roles, and it may pass on what is listed below and nothing else.

CREATE ROLE tenure_admin LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 20;

-- What every identity needs, where PUBLIC does not have it.
GRANT CONNECT ON DATABASE ledger TO tenure_admin WITH GRANT OPTION;
GRANT USAGE ON SCHEMA public TO tenure_admin WITH GRANT OPTION;

-- What the scopes of the manifests may name: one line for each object, with the widest rights that any identity may get.
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.ledger TO tenure_admin WITH GRANT OPTION;
