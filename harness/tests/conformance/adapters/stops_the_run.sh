#!/bin/sh
# Offers nodes of profile paper that do nothing; at the fifth step the run is stopped from outside, as by Ctrl-C. With the
# argument `dies` it ends at that.
. "$(dirname "$0")/common.sh"
how=$1 steps=0

hello() { ok '{"protocol":1,"name":"bad","version":"0.1","ops":["paper.items"],"networks":["paper"]}'; }
step() {
    steps=$((steps + 1))
    if [ "$steps" -eq 5 ]; then
        kill -TERM "$PPID"
        [ "$how" = dies ] && exit 1
    fi
    ok '{}'
}
serve() {
    while request; do
        case $verb in
        hello | reset | call | step | bye) "$verb" ;;
        crash) ok '{}' ;;
        *) unsupported "$verb" ;;
        esac
    done
}
serve
