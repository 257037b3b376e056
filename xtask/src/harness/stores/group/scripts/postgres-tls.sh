# One Postgres that takes TLS only: with a password, or for the user "certified" with a certificate of that name.
initdb -D data --username=revolve --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync >initdb.log
cat >data/pg_hba.conf <<END
local all all trust
hostssl all certified all cert
hostssl all all all scram-sha-256
END
postgres -D data -p "$1" -h "$listen" -k "$work" -c fsync=off -c ssl=on -c ssl_cert_file="$work/server.pem" \
  -c ssl_key_file="$work/server.key" -c ssl_ca_file="$work/ca.pem" -c max_connections=100 >postgres.log 2>&1 &
until_so pg_isready -h "$work" -p "$1"
psql -q -h "$work" -p "$1" -U revolve -d postgres -c "CREATE ROLE certified LOGIN SUPERUSER"
ready
