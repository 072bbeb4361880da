#!/bin/sh
# Answers each call with ok and reject at once.
. "$(dirname "$0")/common.sh"

call() { reply '"ok":{},"reject":{"class":"rule"}'; }
serve
