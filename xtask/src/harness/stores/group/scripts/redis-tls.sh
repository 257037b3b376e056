# One Redis in plain text and in TLS; another in TLS only, for clients with a certificate.
tls="--tls-cert-file $work/server.pem --tls-key-file $work/server.key --tls-ca-cert-file $work/ca.pem"
redis_on "$1" --tls-port "$2" $tls --tls-auth-clients optional
mkdir -p strict
redis-server --port 0 --tls-port "$3" --bind "$listen" --protected-mode no --dir "$work/strict" --save "" $tls --tls-auth-clients yes >strict.log 2>&1 &
until_so redis-cli -p "$1" ping
until_so redis-cli -p "$3" --tls --cacert ca.pem --cert client.pem --key client.key ping
ready
