# A master, its replica, and three Sentinels that decide after half a second. Both kinds have passwords, and not the same.
for port in "$1" "$2"; do
  redis_on "$port" --requirepass data --masterauth data --repl-diskless-sync-delay 0 $([ "$port" = "$2" ] && echo --replicaof 127.0.0.1 "$1")
done
shift_to_sentinels() { shift 2; echo "$@"; }
until_so sh -c "redis-cli -p $2 -a data info replication | grep -q master_link_status:up"
for port in $(shift_to_sentinels "$@"); do
  cat >"sentinel-$port.conf" <<END
port $port
bind $listen
protected-mode no
dir $work
requirepass watch
sentinel sentinel-pass watch
sentinel announce-ip 127.0.0.1
sentinel announce-port $port
sentinel monitor revolve 127.0.0.1 $1 2
sentinel auth-pass revolve data
sentinel down-after-milliseconds revolve 500
sentinel failover-timeout revolve 4000
END
  redis-server "sentinel-$port.conf" --sentinel >"sentinel-$port.log" 2>&1 &
done
known() {
  for port in $(shift_to_sentinels "$@"); do
    state=$(redis-cli -p "$port" -a watch sentinel master revolve 2>/dev/null)
    echo "$state" | grep -A1 -x num-other-sentinels | grep -qx 2 || return 1
    echo "$state" | grep -A1 -x num-slaves | grep -qx 1 || return 1
  done
}
until_so known "$@"
ready
