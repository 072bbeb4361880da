// A first adapter for mdsm-harness (harness/PROTOCOL.md) in Go 1.23 or later and nothing else. Copy it, let the operations
// call your implementation, declare more, and: go build adapter.go && mdsm-harness check -- ./adapter
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strings"
)

type object = map[string]any

// Your operations. Each gives "ok" with the result that the protocol lists, or "reject" for input that your
// implementation refuses. What stands here computes by itself; replace it by calls into what you want judged.
var operations = map[string]func(json.RawMessage) object{
	"merkle.root": func(raw json.RawMessage) object {
		root := tree(read[struct{ Leaves []data }](raw).Leaves)
		return object{"ok": object{"root": hex.EncodeToString(root[:])}}
	},
	"paper.items": func(raw json.RawMessage) object {
		items := []int{}
		for left := read[struct{ Records int }](raw).Records; left > 0; left -= 10 {
			items = append(items, min(left, 10))
		}
		return object{"ok": object{"items": items}}
	},
	"paper.rank": func(raw json.RawMessage) object {
		type institution struct{ Institution, Rating, Centre int }
		ranking, ids := read[struct{ Institutions []institution }](raw).Institutions, []int{}
		if len(ranking) < 121 {
			return object{"reject": object{"class": "refused", "detail": "too few for the seats"}}
		}
		slices.SortFunc(ranking, func(x, y institution) int {
			return cmp.Or(y.Rating-x.Rating, y.Centre-x.Centre, x.Institution-y.Institution)
		})
		for _, each := range ranking {
			ids = append(ids, each.Institution)
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
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

// The protocol. Nothing below changes when operations are added.
type data []byte

func (d *data) UnmarshalText(text []byte) (err error) {
	if encoded, isBase64 := strings.CutPrefix(string(text), "b64:"); isBase64 {
		*d, err = base64.StdEncoding.DecodeString(encoded)
	} else {
		*d, err = hex.DecodeString(encoded)
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
	requests, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for m := (message{}); requests.Decode(&m) == nil && m.Verb != "bye"; m = (message{}) {
		reply := object{"unsupported": cmp.Or(m.Op, m.Verb)}
		if run, known := operations[m.Op]; known && m.Verb == "call" {
			reply = run(m.Args)
		} else if m.Verb == "hello" {
			reply = object{"ok": object{"language": "Go", "name": "my-mdsm",
				"ops": slices.Sorted(maps.Keys(operations)), "protocol": 1, "version": "0.1"}}
		} else if m.Verb == "reset" { // Forget here what calls left behind.
			reply = object{"ok": object{}}
		}
		reply["id"] = m.ID
		replies.Encode(reply)
	}
}
