#!/bin/sh
# Reads and never answers, not even hello; ends when its standard input is closed.
exec cat 3>&1 >/dev/null
