# A primary and a standby that streams from it.
initdb -D primary --username=revolve --pwfile=password --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 --no-locale --no-sync >initdb.log
options="-k $work -c fsync=off -c max_connections=100 -c wal_level=replica -c hot_standby=on"
echo "local replication all trust" >>primary/pg_hba.conf
hba="host all all all scram-sha-256"
echo "$hba" >>primary/pg_hba.conf
postgres -D primary -p "$1" -h "$listen" $options >primary.log 2>&1 &
until_so pg_isready -h "$work" -p "$1"
pg_basebackup -h "$work" -p "$1" -U revolve -D standby -R -X stream --no-sync --checkpoint=fast
postgres -D standby -p "$2" -h "$listen" $options >standby.log 2>&1 &
until_so pg_isready -h "$work" -p "$2"
streams() { psql -At -h "$work" -p "$1" -U revolve -d postgres -c "SELECT state FROM pg_stat_replication" | grep -qx streaming; }
until_so streams "$1"
ready
