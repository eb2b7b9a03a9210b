#!/usr/bin/env bash
# Starts both services on a private Redis and PostgreSQL with a product in a hot deal, and waits. Ctrl-C ends
# everything in order. Data is kept in ./.run; remove that directory to begin anew.
# The services' addresses can be changed by their own variables (ORDER_HTTP_ADDR, PRODUCT_HTTP_ADDR, …).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
die() { printf 'run: %s\n' "$*" >&2; exit 1; }

export ORDER_HTTP_ADDR=${ORDER_HTTP_ADDR:-127.0.0.1:8080} ORDER_OPS_ADDR=${ORDER_OPS_ADDR:-127.0.0.1:9102}
export PRODUCT_HTTP_ADDR=${PRODUCT_HTTP_ADDR:-127.0.0.1:8081} PRODUCT_OPS_ADDR=${PRODUCT_OPS_ADDR:-127.0.0.1:9101}
export PRODUCT_GRPC_ADDR=${PRODUCT_GRPC_ADDR:-127.0.0.1:50051}
export PRODUCT_GRPC_URL="http://$PRODUCT_GRPC_ADDR"
# Tokens of the shell would lock the demo's own calls out; everything listens on loopback only.
unset ADMIN_TOKEN SERVICE_TOKEN

order="http://$ORDER_HTTP_ADDR" product="http://$PRODUCT_HTTP_ADDR"
run=$PWD/.run
mkdir -p "$run/redis"

# --- Ports ---------------------------------------------------------------------------------------------------

listens() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

require_free() {
    local name address
    for name in ORDER_HTTP_ADDR ORDER_OPS_ADDR PRODUCT_HTTP_ADDR PRODUCT_GRPC_ADDR PRODUCT_OPS_ADDR; do
        address=${!name}
        if listens "$address"; then
            die "$address is taken by another program: end it, or choose another address: $name=127.0.0.1:PORT make run-distributed"
        fi
    done
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); listens "127.0.0.1:$port"; do :; done
    printf '%s\n' "$port"
}

# --- Processes -----------------------------------------------------------------------------------------------

declare -A pids=()

# start NAME SIGNAL COMMAND…: in a session of its own, so that Ctrl-C reaches only this script, which ends things
# in order; if the script itself is killed, the kernel sends SIGNAL.
start() {
    local name=$1 signal=$2
    shift 2
    # The lock is this script's; a server that is still going down must not hold it.
    setsid setpriv --pdeathsig "$signal" "$@" >>"$run/$name.log" 2>&1 9>&- &
    pids[$name]=$!
}

alive() { [ -n "${pids[$1]:-}" ] && kill -0 "${pids[$1]}" 2>/dev/null; }

# stop NAME SIGNAL: and wait for its end, at most 20 s.
stop() {
    local name=$1 signal=$2
    alive "$name" || return 0
    say "ending $name"
    kill "-$signal" "${pids[$name]}" 2>/dev/null || true
    for _ in $(seq 200); do
        alive "$name" || return 0
        sleep 0.1
    done
    kill -KILL "${pids[$name]}" 2>/dev/null || true
}

stop_all() {
    trap '' INT TERM
    stop order-service TERM
    stop product-service TERM
    stop redis TERM
    stop postgres INT
}

# await NAME COMMAND…: until the command succeeds, at most 60 s; shows the log if the program ends before.
await() {
    local name=$1
    shift
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        alive "$name" || { tail -n 20 "$run/$name.log" >&2; die "$name has ended, see $run/$name.log"; }
        sleep 0.1
    done
    die "$name is not ready after 60 s, see $run/$name.log"
}

ready() { curl --noproxy '*' -sf --max-time 2 "$1"; }

# --- Servers -------------------------------------------------------------------------------------------------

postgres_program() {
    command -v "$1" || compgen -G "/usr/lib/postgresql/*/bin/$1" | sort -V | tail -n 1 | grep . ||
        die "$1 is not installed: run scripts/setup.sh"
}

start_postgres() {
    # PostgreSQL refuses to run as root, and user postgres may not be able to enter this directory.
    local data=$run/postgres as=()
    if [ "$(id -u)" -eq 0 ]; then
        as=(--reuid=postgres --regid=postgres --clear-groups --)
        if ! setpriv "${as[@]}" test -x "$run"; then
            data=/var/tmp/hotdeal-run-$(printf '%s' "$PWD" | cksum | cut -d ' ' -f 1)
            say "user postgres cannot enter $run: its data is in $data"
        fi
        install -d -m 700 -o postgres -g postgres "$data"
    else
        as=(--)
        install -d -m 700 "$data"
    fi
    if [ ! -e "$data/PG_VERSION" ]; then
        (cd "$data" && setpriv "${as[@]}" "$(postgres_program initdb)" -D "$data" -U postgres -A trust \
            --locale=C.UTF-8 -E UTF8) >>"$run/postgres.log" 2>&1 || die "initdb failed, see $run/postgres.log"
    fi
    local program
    program=$(postgres_program postgres)
    start postgres INT "${as[@]}" "$program" -D "$data" -c "port=$postgres_port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories=
    await postgres "$(postgres_program pg_isready)" -q -h 127.0.0.1 -p "$postgres_port"
}

start_redis() {
    start redis TERM -- redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$run/redis" \
        --save '' --appendonly yes --daemonize no
    await redis redis-cli -p "$redis_port" ping
}

# --- Demo ----------------------------------------------------------------------------------------------------

call() { curl --noproxy '*' -sS --fail-with-body --max-time 10 "$@"; }

# The first product there is, or a new one; its id on stdout.
demo_product() {
    local id
    id=$(call "$product/products?size=1" | jq -r '.items[0].id // empty')
    if [ -z "$id" ]; then
        id=$(call -X POST "$product/products" -H 'content-type: application/json' \
            -d '{"name":"Mechanical keyboard","price":89000,"stock":1000}' | jq -r .id)
    fi
    printf '%s\n' "$id"
}

# --- The run -------------------------------------------------------------------------------------------------

exec 9>"$run/lock"
flock -n 9 || die "it already runs in this directory"
require_free

say "building"
cargo build --locked --package product-service --package order-service
target=$(cargo metadata --format-version 1 --no-deps --locked | jq -r .target_directory)

trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

postgres_port=$(free_port) redis_port=$(free_port)
start_postgres
start_redis

export DATABASE_URL="postgres://postgres@127.0.0.1:$postgres_port/postgres"
export REDIS_URL="redis://127.0.0.1:$redis_port/"
start product-service TERM -- "$target/debug/product-service"
await product-service ready "http://$PRODUCT_OPS_ADDR/health/ready"
start order-service TERM -- "$target/debug/order-service"
await order-service ready "http://$ORDER_OPS_ADDR/health/ready"

id=$(demo_product) || die "no demo product: $id"
# Starting a deal that runs changes nothing; one that cannot start (no stock left) is no reason to end.
deal=$(call -X POST "$product/products/$id/hotdeal/start" -H 'content-type: application/json' \
    -d '{"quantity":1000}') || say "the demo deal does not start: $deal"

cat <<TEXT

Everything runs; Ctrl-C ends it. Logs and data are in .run
  order-service    $order      ops http://$ORDER_OPS_ADDR (health, metrics)
  product-service  $product      ops http://$PRODUCT_OPS_ADDR      gRPC $PRODUCT_GRPC_ADDR
  PostgreSQL       $DATABASE_URL
  Redis            $REDIS_URL

Order a unit, confirm it, look at the live sum:
  ORDER=\$(curl -s -X POST $order/orders -H 'X-User-ID: 0198c0de-0000-7000-8000-000000000001' -H 'content-type: application/json' -d '{"items":[{"product_id":"$id","quantity":1}]}' | tee /dev/stderr | jq -r .id)
  curl -s -X POST $order/orders/\$ORDER/confirm -H 'X-User-ID: 0198c0de-0000-7000-8000-000000000001'
  curl -s $product/products/$id/hotdeal
TEXT

# Until a signal comes or something ends by itself; the wait, unlike a sleep, is interrupted by a signal.
ended=0
wait -n "${pids[@]}" || ended=$?
for name in "${!pids[@]}"; do
    alive "$name" || die "$name has ended with code $ended, see $run/$name.log"
done
