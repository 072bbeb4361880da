# What the bad adapters share: a sound adapter for paper.items, of which each replaces a part. Sourced, then `serve`.
# It takes requests apart as text and relies on what harness/PROTOCOL.md says of them: id, verb, op and args in this
# order, no white space between. POSIX sh and coreutils, so that they run wherever the harness is tested.
LC_ALL=C
end='' # What stands before the LF of a reply.

# Reads a request into line, id, verb, op and args; fails at the end of input.
request() {
    IFS= read -r line || return 1
    id=${line#*'"id":'} id=${id%%[!0-9]*}
    verb=${line#*'"verb":"'} verb=${verb%%'"'*}
    op='' args={}
    if [ "$verb" = call ]; then
        op=${line#*'"op":"'} op=${op%%'"'*}
        args=${line#*'"args":'} args=${args%'}'}
    fi
}

# One write each, so that what belongs together arrives together.
reply() { printf '{"id":%s,%s}%s\n' "$id" "$1" "$end"; }
ok() { reply "\"ok\":$1"; }
reject() { reply "\"reject\":{\"class\":\"$1\"}"; }
unsupported() { reply "\"unsupported\":\"$1\""; }

# hello, with the operations to declare.
greet() {
    ok "{\"protocol\":1,\"name\":\"bad\",\"version\":\"0.1\",\"language\":\"sh\",\"ops\":[$(printf '"%s"\n' "$@" | paste -sd , -)]}"
}

# The parts. An adapter replaces what it is bad at.
hello() { greet merkle.root merkle.verify decode paper.items; }
reset() { ok '{}'; }
call() {
    if [ "$op" != paper.items ]; then
        unsupported "$op"
        return
    fi
    left=${args#*'"records":'} left=${left%%[!0-9]*} items=
    while [ "$left" -gt 10 ]; do items="${items}10," left=$((left - 10)); done
    [ "$left" -eq 0 ] && items=${items%,} left=
    ok "{\"items\":[$items$left]}"
}
bye() { exit 0; }

# For those that compute: declares no more than call answers.
sound() { hello() { greet paper.items; }; }

serve() {
    while request; do
        case $verb in
        hello | reset | call | bye) "$verb" ;;
        *) unsupported "$verb" ;;
        esac
    done
}
