#!/bin/sh
# Sound, with CR before each LF.
. "$(dirname "$0")/common.sh"

sound
end=$(printf '\r')
serve
