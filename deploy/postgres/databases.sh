#!/bin/sh
# Runs once, when the volume is empty: a database and a role of its own for each service, from the URL that the service itself reads.
# A role reaches no database but its own, which it owns, because migrations are run by it.
set -eu
for secret in "${SECRETS:-/run/secrets}"/*_database_url; do
    url="$(cat "$secret")"
    userinfo="${url#postgresql://}"
    userinfo="${userinfo%%@*}"
    role="${userinfo%%:*}"
    password="${userinfo#*:}"
    database="${url##*/}"
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
        --set=role="$role" --set=password="$password" --set=database="$database" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
done
