# A Redis Cluster: the first half of the ports (of the arguments after the number of replicas) is for clients, the rest for the bus.
replicas=$1
shift
half=$(($# / 2))
nodes=""
number=0
for port in "$@"; do
  number=$((number + 1))
  [ "$number" -le "$half" ] || break
  bus=$(eval echo "\${$((number + half))}")
  # Without full coverage: what is lost with one master is its users' and nobody else's.
  redis_on "$port" --cluster-enabled yes --cluster-port "$bus" --cluster-node-timeout 2000 --cluster-require-full-coverage no \
    --cluster-announce-ip 127.0.0.1 --cluster-announce-port "$port" --cluster-announce-bus-port "$bus" --cluster-replica-validity-factor 0
  nodes="$nodes 127.0.0.1:$port"
done
for node in $nodes; do until_so redis-cli -p "${node##*:}" ping; done
redis-cli --cluster create $nodes --cluster-replicas "$replicas" --cluster-yes >create.log 2>&1 || { cat create.log; exit 1; }
whole() {
  for node in $nodes; do
    redis-cli -p "${node##*:}" cluster info | grep -q cluster_state:ok || return 1
    redis-cli -p "${node##*:}" cluster info | grep -q cluster_slots_ok:16384 || return 1
    redis-cli -p "${node##*:}" info replication | grep -q master_link_status:down && return 1
  done
  return 0
}
until_so whole
ready
