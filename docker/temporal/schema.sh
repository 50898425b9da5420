#!/bin/sh
# Makes Temporal's two databases, or brings them to the version of this image. Safe to repeat: what exists is kept.
set -eu

: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"
schemas=${SCHEMAS:-/etc/temporal/schema/postgresql/v12}

sql() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --endpoint "$SQL_HOST" --port "${SQL_PORT:-5432}" --user "$SQL_USER" \
    --database "$database" "$@"
}

for database in temporal temporal_visibility; do
  folder=${database#temporal_}
  sql "$database" create
  sql "$database" setup-schema --version 0.0
  sql "$database" update-schema --schema-dir "$schemas/$folder/versioned"
done
