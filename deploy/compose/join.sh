#!/bin/sh
# Joins the nodes of compose.yaml in a ring, as `peer invite` and `peer add` do by hand. Each node's data is mounted
# under its name. What is joined already is left alone, so this may run at every start.
set -eu

join() { # inviter, joiner
  if grep -qs "http://node-$1:8080" "/nodes/$2/peers.yaml"; then
    echo "$2 knows $1 already"
    return
  fi
  line=$(hyperactive peer invite --data "/nodes/$1" --peers "/nodes/$1/peers.yaml" --url "http://node-$1:8080" --name "$2")
  hyperactive peer add "$line" --data "/nodes/$2" --peers "/nodes/$2/peers.yaml" --url "http://node-$2:8080" --name "$1"
}

join a b
join b c
join c d
join d a
