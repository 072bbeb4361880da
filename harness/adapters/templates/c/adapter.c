/* A first adapter for mdsm-harness: C99, POSIX and nothing else. Copy it, let the operations call your
 * implementation, declare more, and: cc -O2 -o adapter adapter.c && mdsm-harness check -- ./adapter
 * The protocol is harness/PROTOCOL.md: one JSON line comes in, one goes out. No merkle.root: C has no SHA-256.
 * The JSON trusts the harness: it wants lines well formed, without white space, names and texts without escapes. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows the value at s: a comma, a colon, or the bracket around it. */
static const char *after(const char *s)
{
    int depth = 0;
    do {
        depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
        if (*s++ == '"')
            while (*s++ != '"') s += s[-1] == '\\';
    } while (depth > 0 || (*s && !strchr(",:]}", *s)));
    return s;
}

/* Whether a text is at s, and this one. */
static int is(const char *s, const char *text)
{
    return s && !strncmp(s + 1, text, strlen(text)) && s[strlen(text) + 1] == '"';
}

/* The value of a field of the object at s; NULL if it has none of that name. */
static const char *field(const char *s, const char *name)
{
    while (*s++ != '}' && *s == '"') {
        if (is(s, name)) return after(s) + 1;
        s = after(after(s) + 1);
    }
    return NULL;
}

static long long number(const char *s, const char *name) { return atoll(field(s, name)); }

/* ---- Your operations. Each writes "ok" and the result that the protocol lists, or "reject" for input that your
 * ---- implementation refuses. What stands here computes by itself; replace it by calls into what you want judged. */
static void paper_items(const char *args)
{
    printf("\"ok\":{\"items\":[");
    for (long long left = number(args, "records"); left > 0; left -= 10)
        printf("%lld%s", left < 10 ? left : 10, left > 10 ? "," : "");
    printf("]}");
}

static int by_rank(const void *x, const void *y)
{
    const char *a = *(const char *const *)x, *b = *(const char *const *)y;
    long long order = number(b, "rating") - number(a, "rating");
    if (order == 0) order = number(b, "centre") - number(a, "centre");
    if (order == 0) order = number(a, "institution") - number(b, "institution");
    return (order > 0) - (order < 0);
}

static void paper_rank(const char *args)
{
    static const char *ranking[1 << 20]; /* A request has at most 1 MiB. */
    const char *s = field(args, "institutions");
    size_t count = 0, i;
    while (*s++ != ']' && *s != ']') ranking[count++] = s, s = after(s);
    qsort(ranking, count, sizeof *ranking, by_rank);
    if (count < 121) { printf("\"reject\":{\"class\":\"refused\",\"detail\":\"too few for the seats\"}"); return; }
    printf("\"ok\":{\"auditors\":[");
    for (i = 101; i < 121; i++) printf("%s%lld", i > 101 ? "," : "", number(ranking[i], "institution"));
    printf("],\"producers\":[");
    for (i = 0; i < 101; i++) printf("%s%lld", i > 0 ? "," : "", number(ranking[i], "institution"));
    printf("]}");
}

static const struct { const char *name; void (*run)(const char *args); } operations[] = {
    {"paper.items", paper_items}, {"paper.rank", paper_rank}, {NULL, NULL}};

/* ---- The protocol. Nothing below changes when operations are added. */
int main(void)
{
    char *line = NULL;
    size_t room = 0, i;
    while (getline(&line, &room, stdin) > 0 && !is(field(line, "verb"), "bye")) {
        const char *verb = field(line, "verb"), *op = field(line, "op"), *what = op ? op : verb;
        printf("{\"id\":%lld,", number(line, "id"));
        for (i = 0; operations[i].name && !is(op, operations[i].name); i++) {}
        if (is(verb, "hello")) {
            printf("\"ok\":{\"language\":\"C\",\"name\":\"my-mdsm\",\"ops\":[");
            for (i = 0; operations[i].name; i++) printf("%s\"%s\"", i > 0 ? "," : "", operations[i].name);
            printf("],\"protocol\":1,\"version\":\"0.1\"}");
        } else if (is(verb, "reset")) {
            printf("\"ok\":{}"); /* Forget here what calls left behind. */
        } else if (is(verb, "call") && operations[i].name) {
            operations[i].run(field(line, "args"));
        } else {
            printf("\"unsupported\":%.*s", (int)(after(what) - what), what);
        }
        puts("}");
        fflush(stdout);
    }
}
