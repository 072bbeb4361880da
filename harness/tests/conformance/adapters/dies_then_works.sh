#!/bin/sh
# Sound, but every other start, from the first on, ends at its first call; counts starts in the file $1.
. "$(dirname "$0")/common.sh"

sound
starts=$(cat "${1:?the file to count in}" 2>/dev/null || echo 0)
echo $((starts + 1)) >"$1"
if [ $((starts % 2)) -eq 0 ]; then
    call() { exit 1; }
fi
serve
