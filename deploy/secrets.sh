#!/bin/sh
# Makes the secrets that docker-compose.yml reads, each random, each once: what exists is left alone, so that it is safe to run again.
# Containers run as a user of their own and read the files, so the folder is what keeps others of this machine out.
set -eu
folder="${1:-$(dirname "$0")/secrets}"
umask 022
mkdir -p "$folder"
chmod 0700 "$folder"

random() { openssl rand -hex 32; }

put() { # put NAME VALUE
    [ -e "$folder/$1" ] && return
    printf '%s\n' "$2" >"$folder/$1.new"
    chmod 0444 "$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
}

put mesh_secret "$(random)"
put key_pepper "$(random)"
put batches_sealing_key "$(random)"
put conversations_content_secret "$(random)"
put bootstrap_token "mb_$(random)"
put postgres_password "$(random)"
put grafana_password "$(random)"
for service in policy catalogue observability registry router batches conversations; do
    put "${service}_database_url" "postgresql://$service:$(random)@postgres:5432/$service"
done
echo "secrets are in $folder"
