# Stands before each script. Arguments: ports. $FILES is where the plan's files are; what the servers write goes into a folder of their
# own. The servers end with this shell, and the line "revolve-ready" says that all of them serve.
set -eu
work=$(mktemp -d)
trap 'trap "" INT TERM; kill 0; wait; exit 0' INT TERM EXIT
cp -r "$FILES"/. "$work"/
cd "$work"
chmod -R go-rwx .
listen=${LISTEN:-127.0.0.1}
for programs in /usr/lib/postgresql/*/bin; do PATH="$PATH:$programs"; done

# Waits until a command succeeds.
until_so() {
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  echo "gave up waiting for: $*"
  return 1
}

# A Redis on a port, in a folder of its own; more arguments are options.
redis_on() {
  mkdir -p "$work/$1"
  redis-server --port "$@" --bind "$listen" --protected-mode no --dir "$work/$1" --appendonly yes --appendfsync no --save "" >"$work/$1.log" 2>&1 &
}

ready() {
  echo revolve-ready
  # A server that is ended by a test is no reason to end the others.
  while :; do sleep 3600 & wait $! || exit 0; done
}
