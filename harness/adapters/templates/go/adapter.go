// A first adapter for mdsm-harness (harness/PROTOCOL.md) in Go 1.18 or later and nothing else. Copy it, let the operations
// call your implementation, declare more, and: go build adapter.go && mdsm-harness check -- ./adapter
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/bits"
	"os"
	"sort"
	"strings"
)

type object = map[string]any
type institution struct{ Institution, Rating, Centre int }

// Each gives "ok" and what the protocol lists, or "reject". Replace what it computes by calls into what you want judged.
var operations = map[string]func(json.RawMessage) object{
	"merkle.root": func(raw json.RawMessage) object {
		root := tree(read[struct{ Leaves []data }](raw).Leaves)
		return object{"ok": object{"root": hex.EncodeToString(root[:])}}
	},
	"paper.items": func(raw json.RawMessage) object {
		items := []int{}
		for left := read[struct{ Records int }](raw).Records; left > 0; left -= 10 {
			items = append(items, int(math.Min(float64(left), 10)))
		}
		return object{"ok": object{"items": items}}
	},
	"paper.rank": func(raw json.RawMessage) object {
		ranking, ids := read[struct{ Institutions []institution }](raw).Institutions, []int{}
		sort.Slice(ranking, func(i, j int) bool {
			x, y := ranking[i], ranking[j]
			return x.Rating > y.Rating || x.Rating == y.Rating &&
				(x.Centre > y.Centre || x.Centre == y.Centre && x.Institution < y.Institution)
		})
		for _, each := range ranking {
			ids = append(ids, each.Institution)
		}
		if len(ids) < 121 {
			return object{"reject": object{"class": "refused", "detail": "too few for the seats"}}
		}
		return object{"ok": object{"auditors": ids[101:121], "producers": ids[:101]}}
	},
}

func tree(leaves []data) [32]byte {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	} else if len(leaves) == 1 {
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	} // RFC 6962: the left half of an uneven tree is the largest full one.
	half := 1 << (bits.Len(uint(len(leaves)-1)) - 1)
	left, right := tree(leaves[:half]), tree(leaves[half:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// The protocol. Nothing below changes when operations are added.
type data []byte

func (d *data) UnmarshalText(text []byte) (err error) {
	if *d, err = hex.DecodeString(string(text)); strings.HasPrefix(string(text), "b64:") {
		*d, err = base64.StdEncoding.DecodeString(string(text[4:]))
	}
	return err
}

func read[A any](raw json.RawMessage) (args A) {
	if err := json.Unmarshal(raw, &args); err != nil {
		panic(err) // Ends the program, and the harness says that it died.
	}
	return args
}

func main() {
	type message struct {
		ID       int
		Verb, Op string
		Args     json.RawMessage
	}
	requests, replies, known := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout), []string{}
	for op := range operations {
		known = append(known, op)
	}
	for m := (message{}); requests.Decode(&m) == nil && m.Verb != "bye"; m = (message{}) {
		reply := object{"unsupported": m.Verb + " " + m.Op}
		if run, here := operations[m.Op]; here && m.Verb == "call" {
			reply = run(m.Args)
		} else if m.Verb == "hello" {
			reply = object{"ok": object{"language": "Go", "name": "my-mdsm", "ops": known, "protocol": 1, "version": "0.1"}}
		} else if m.Verb == "reset" { // Forget here what calls left behind.
			reply = object{"ok": object{}}
		}
		reply["id"] = m.ID
		replies.Encode(reply)
	}
}
