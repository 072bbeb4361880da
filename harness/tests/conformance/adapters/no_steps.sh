#!/bin/sh
# Names a network in hello and answers no step of it: unsupported.
. "$(dirname "$0")/common.sh"

hello() { ok '{"protocol":1,"name":"bad","version":"0.1","ops":[],"networks":["paper"]}'; }
serve
