# Copies the primary when there is nothing here yet, then follows it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  until gosu postgres pg_basebackup -h "$PRIMARY" -U "$POSTGRES_USER" -D "$PGDATA" -X stream -R; do
    echo "the primary does not answer yet"
    sleep 2
  done
fi
exec gosu postgres postgres
