-- Optional: lets Tenure see which rights an identity used. Run it once as a superuser, connected to the same database as
-- `postgresql-admin.sql`, on a server whose postgresql.conf has (it takes a restart):
--
--   shared_preload_libraries = 'pg_stat_statements'
--   pg_stat_statements.max = 10000
--
-- Statements are kept without most of their constants. Who has pg_read_all_stats sees those of everybody, in every database of the server.

CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
GRANT pg_read_all_stats TO tenure_admin;
