-- Optional, after postgresql-admin.sql: lets Tenure take back rights that others granted by hand on these objects.
-- PostgreSQL lets only the grantor revoke a right, and what a superuser grants counts as granted by the owner. So the
-- administrator may become the owner, for single statements (SET ROLE); NOINHERIT keeps it from owning anything meanwhile.
-- Without this Tenure reports such a right, refuses to rotate over it, and gives the exact statement for the owner to run.

CREATE ROLE tenure_repair NOLOGIN NOINHERIT;
GRANT ledger_owner TO tenure_repair;
GRANT tenure_repair TO tenure_admin;
