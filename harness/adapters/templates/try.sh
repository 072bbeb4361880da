#!/usr/bin/env bash
# Talks to every template whose toolchain is here, a line at a time: the next request goes when the reply is there, so a
# missing flush fails too. Replies are compared exactly, but for white space. Fails when no template ran.
set -uf
unset PYTHONUNBUFFERED # It would hide a missing flush.
cd "$(dirname "$0")" || exit 1
seconds=60 passed=0 failed=0 skipped=0
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# 123 institutions. Ids 2k and 2k+1 have rating k; they differ in id alone, but 2 and 3 in the centre.
institutions=$(for id in $(seq 123); do
  echo "{\"institution\":$id,\"rating\":$((id / 2)),\"centre\":$((id < 4 ? id : 4294967295))}"
done | paste -sd,)
ranking=$(for id in $(seq 122 -2 4); do echo "$id $((id + 1))"; done; echo 3 2 1)
producers=$(echo $ranking | cut -d' ' -f1-101 | tr ' ' ,)
auditors=$(echo $ranking | cut -d' ' -f102-121 | tr ' ' ,)

empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
seven=$(printf '"%s",' 00 b64:AQ== 0203 '' b64: b64:BAUG 07)
large=$(head -c 5000 /dev/zero | base64 -w0)

# Request, then what must come after the id in the reply to it.
dialogue=(
  '"verb":"hello","protocol":[1],"suite":"2026.11"' HELLO
  '"verb":"reset","seed":"'$empty'"' '"ok":{}'
  '"verb":"hello","protocol":[1,2],"suite":"2026.12","later":{"a":["}",{"b":true},-1]}' HELLO
  '"verb":"call","op":"merkle.root","args":{"leaves":[]}' '"ok":{"root":"'$empty'"}'
  '"verb":"call","op":"merkle.root","args":{"leaves":['${seven%,}']}' '"ok":{"root":"552412e98c31480a162ab7410537246f79564202151db3a2d6dc397357d3669f"}'
  '"verb":"call","op":"merkle.root","args":{"leaves":["b64:'$large'"]}' '"ok":{"root":"e65be96c0f1afd31777f5328ea8e790cbcded0d82d277f7aaccc73dcfe2f6c4e"}'
  '"verb":"call","op":"paper.items","args":{"records":0}' '"ok":{"items":[]}'
  '"verb":"call","op":"paper.items","args":{"later":"x","records":20}' '"ok":{"items":[10,10]}'
  '"verb":"call","op":"paper.items","args":{"records":21}' '"ok":{"items":[10,10,1]}'
  '"verb":"call","op":"paper.rank","args":{"institutions":[]}' '"reject":{"class":"refused","detail":"DETAIL"}'
  '"verb":"call","op":"paper.rank","args":{"institutions":['$institutions']}'
  '"ok":{"auditors":['$auditors'],"producers":['$producers']}'
  '"verb":"call","op":"merkle.level","args":{"level":5,"leaves":[]}' '"reject":{"class":"bound","detail":"DETAIL"}'
  '"verb":"call","op":"merkle.level","args":{"level":1,"leaves":[]}' '"reject":{"class":"bound","detail":"DETAIL"}'
  '"verb":"call","op":"merkle.level","args":{"level":4,"leaves":[]}' '"ok":{"root":"5f2ffc43c4de9e76270a06ce4656a5e0a24ced06f1fd103e80e7e7056d8ab9a6"}'
  '"verb":"call","op":"paper.window","args":{"records":[[[[]]]]}' '"unsupported":"paper.window"'
  '"verb":"step"' '"unsupported":"step"'
)

# What one template, run by a command, gets wrong; nothing when all is right.
talk() {
  local language=$1 id i reply wanted ops status
  coproc ADAPTER { exec "${@:2}" 2>"$build/stderr"; }
  local pid=$ADAPTER_PID in=${ADAPTER[0]} out=${ADAPTER[1]}
  for ((i = 0, id = 1; i < ${#dialogue[@]}; i += 2, id++)); do
    echo "{\"id\":$id,${dialogue[i]}}" >&"$out"
    if ! IFS= read -r -t $seconds -u "$in" reply; then
      echo "no reply to ${dialogue[i]:0:99}"
      break
    fi
    reply=$(tr -d ' ' <<<"$reply" | sed 's/"detail":"[^"]*"/"detail":"DETAIL"/')
    wanted=${dialogue[i + 1]}
    if [ "$wanted" = HELLO ]; then
      # What is not declared here is unsupported below.
      ops=$(sed 's/.*"ops":\[\([^]]*\)\].*/\1/' <<<"$reply")
      wanted="\"ok\":{\"language\":\"$language\",\"name\":\"my-mdsm\",\"ops\":[$ops],\"protocol\":1,\"version\":\"0.1\"}"
      for op in paper.items paper.rank; do [[ $ops == *"\"$op\""* ]] || echo "$op is not declared"; done
    elif [[ ${dialogue[i]} =~ \"op\":(\"[a-z.]+\") && $ops != *"${BASH_REMATCH[1]}"* ]]; then
      wanted="\"unsupported\":${BASH_REMATCH[1]}"
    fi
    [ "$reply" = "{\"id\":$id,$wanted}" ] || printf '%s\n' "got    $reply" "wanted {\"id\":$id,$wanted}"
  done
  echo "{\"id\":$id,\"verb\":\"bye\"}" >&"$out"
  IFS= read -r -t 2 -u "$in" reply
  status=$?
  if [ $status -eq 0 ]; then
    echo "after bye: $reply"
  elif [ $status -gt 128 ]; then
    echo "still there 2 seconds after bye"
    kill -9 "$pid"
  fi
  wait "$pid"
  status=$?
  [ $status -eq 0 ] || { echo "ended with $status after bye"; cat "$build/stderr"; }
}

# template LANGUAGE TOOL COMMAND ...: runs one, when the tool is there.
template() {
  local language=$1 tool=$2 wrong
  if ! command -v "$tool" >/dev/null; then
    echo "SKIPPED $language: $tool is not installed"
    skipped=$((skipped + 1))
    return
  fi
  wrong=$("${@:3}" 2>&1)
  if [ -z "$wrong" ]; then
    echo "ok $language"
    passed=$((passed + 1))
  else
    printf 'FAILED %s\n%s\n' "$language" "$wrong"
    failed=$((failed + 1))
  fi
}

compiled() {
  local language=$1
  shift
  "$@" && talk "$language" "$build/adapter"
}

template Python python3 talk Python python3 python/adapter.py
template JavaScript node talk JavaScript node node/adapter.js
template Go go compiled Go go build -o "$build/adapter" go/adapter.go
template Java java talk Java java java/Adapter.java
template C cc compiled C cc -std=c99 -Wall -Wextra -Werror -O2 -o "$build/adapter" c/adapter.c

echo "lane: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
