// A first adapter for mdsm-harness: Java 17 or later and nothing else. Copy it, let the operations call your
// implementation, declare more, and ask for a verdict: mdsm-harness check -- java Adapter.java
// The protocol is harness/PROTOCOL.md: one JSON line comes in, one goes out.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.*;

@SuppressWarnings("unchecked")
public class Adapter {
    interface Operation { Object run(Map<String, Object> args) throws Exception; }
    /** Thrown for input that your implementation refuses, with a class of the protocol's list. */
    static class Reject extends Exception {
        final String kind;
        Reject(String kind, String detail) { super(detail); this.kind = kind; }
    }

    // ---- Your operations. Each takes the arguments and returns the result, both as the protocol lists them.
    // ---- What stands here computes by itself; replace it by calls into what you want judged.
    static final Map<String, Operation> OPERATIONS = new TreeMap<>(Map.of(
        "merkle.root", args -> Map.of("root", HexFormat.of().formatHex(tree((List<String>) args.get("leaves")))),
        "paper.items", args -> {
            var items = new ArrayList<Long>();
            for (long left = (Long) args.get("records"); left > 0; left -= 10) items.add(Math.min(left, 10));
            return Map.of("items", items);
        },
        "paper.rank", args -> {
            var ranking = (List<Map<String, Long>>) args.get("institutions");
            ranking.sort(Comparator.comparing((Map<String, Long> i) -> -i.get("rating"))
                .thenComparing(i -> -i.get("centre")).thenComparing(i -> i.get("institution")));
            var ids = ranking.stream().map(i -> i.get("institution")).toList();
            if (ids.size() < 121) throw new Reject("refused", "too few for the seats");
            return Map.of("auditors", ids.subList(101, 121), "producers", ids.subList(0, 101));
        }));

    /** RFC 6962: the left half of an uneven tree is the largest full one. */
    static byte[] tree(List<String> leaves) throws Exception {
        var sha256 = MessageDigest.getInstance("SHA-256");
        if (leaves.size() == 1) {
            sha256.update((byte) 0);
            sha256.update(bytes(leaves.get(0)));
        } else if (leaves.size() > 1) {
            int left = Integer.highestOneBit(leaves.size() - 1);
            sha256.update((byte) 1);
            sha256.update(tree(leaves.subList(0, left)));
            sha256.update(tree(leaves.subList(left, leaves.size())));
        }
        return sha256.digest();
    }

    // ---- The protocol. Nothing below changes when operations are added.
    static byte[] bytes(String text) {
        return text.startsWith("b64:") ? Base64.getDecoder().decode(text.substring(4)) : HexFormat.of().parseHex(text);
    }

    static Map<String, Object> answer(Map<String, Object> request) throws Exception {
        String verb = (String) request.get("verb"), op = (String) request.get("op");
        if (verb.equals("hello")) return Map.of("ok", Map.of("language", "Java", "name", "my-mdsm",
            "ops", List.copyOf(OPERATIONS.keySet()), "protocol", 1, "version", "0.1"));
        if (verb.equals("reset")) return Map.of("ok", Map.of()); // Forget here what calls left behind.
        if (!verb.equals("call") || !OPERATIONS.containsKey(op)) return Map.of("unsupported", op == null ? verb : op);
        try {
            return Map.of("ok", OPERATIONS.get(op).run((Map<String, Object>) request.get("args")));
        } catch (Reject reject) { // Any other exception ends the program, and the harness says that it died.
            return Map.of("reject", Map.of("class", reject.kind, "detail", reject.getMessage()));
        }
    }

    public static void main(String[] arguments) throws Exception {
        var in = new StreamTokenizer(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        in.resetSyntax();
        in.quoteChar('"');
        for (char c : "-0123456789truefalse".toCharArray()) in.wordChars(c, c);
        for (char c : " \t\r\n,:".toCharArray()) in.whitespaceChars(c, c);
        while (read(in) instanceof Map<?, ?> request && !request.get("verb").equals("bye")) {
            var reply = new TreeMap<>(answer((Map<String, Object>) request));
            reply.put("id", request.get("id"));
            System.out.println(json(reply)); // This stream flushes at the end of a line.
        }
    }

    /** The next value; null at a closing bracket and at the end. Trusts the harness: skips commas, has no escape u. */
    static Object read(StreamTokenizer in) throws IOException {
        int token = in.nextToken();
        if (token == StreamTokenizer.TT_WORD)
            return in.sval.matches("-?[0-9]+") ? (Object) Long.valueOf(in.sval) : Boolean.valueOf(in.sval);
        var list = new ArrayList<Object>();
        var map = new HashMap<String, Object>();
        if (token == '[') for (Object each; (each = read(in)) != null; ) list.add(each);
        if (token == '{') for (Object name; (name = read(in)) != null; ) map.put((String) name, read(in));
        return token == '"' ? in.sval : token == '[' ? list : token == '{' ? map : null;
    }

    static String json(Object value) {
        if (value instanceof List<?> list) return "[" + String.join(",", list.stream().map(Adapter::json).toList()) + "]";
        if (value instanceof Map<?, ?> map) return "{" + String.join(",", map.entrySet().stream()
            .map(field -> json(field.getKey()) + ":" + json(field.getValue())).sorted().toList()) + "}";
        return value instanceof String text ? '"' + text.replaceAll("[\"\\\\\\p{Cntrl}]", " ") + '"' : value.toString();
    }
}
