/* keys -- who may ask a server over HTTP: adds, lists and revokes keys in its data directory. */
#include "server/commands/command.h"
#include "server/store/keys.h"

#include <stdio.h>
#include <string.h>

static int complain(const struct luc_error *err)
{
    return srv_complain("keys", err->text, 1);
}

static bool is_name(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return n > 0 && n < SRV_KEY_NAME && text[0] != '-';
}

static int add(struct srv_store *s, const char *name)
{
    char text[SRV_KEY_TEXT], id[SRV_KEY_ID], sha256[SRV_KEY_SHA256];
    struct luc_error err = { 0 };
    if (!name || !is_name(name))
        return srv_complain("keys", "add takes a name of 1 to 63 printable characters", 2);
    enum luc_status st = srv_key_make(text, id, sha256, &err);
    if (!st)
        st = srv_store_key_add(s, &(struct srv_key_row){ .id = id, .name = name, .sha256 = sha256 },
                               &err);
    if (st)
        return complain(&err);
    printf("%s\n", text);
    fprintf(stderr,
            "This key is shown once; only its hash is kept. From now on every request needs a "
            "key:\n  curl -H 'Authorization: Bearer KEY' ...\nRevoke it with: lucida keys revoke "
            "%s\n",
            id);
    return 0;
}

static void print_key(void *ctx, const struct srv_key_row *k)
{
    char made[API_TIME_MAX], ended[API_TIME_MAX] = "";
    size_t *n = ctx;
    api_time_print(k->created_ms, made);
    if (k->revoked_ms)
        api_time_print(k->revoked_ms, ended);
    if ((*n)++ == 0)
        printf("%-12s  %-24s  %-24s  %s\n", "ID", "NAME", "CREATED", "REVOKED");
    printf("%-12s  %-24s  %-24s  %s\n", k->id, k->name, made, ended);
}

static int list(struct srv_store *s, const char *none)
{
    struct luc_error err = { 0 };
    size_t n = 0;
    if (none)
        return srv_complain("keys", "list takes no argument", 2);
    if (srv_store_keys(s, print_key, &n, &err))
        return complain(&err);
    if (n == 0)
        puts("There are no keys: the server listens on this machine only and asks for none.");
    return 0;
}

static int revoke(struct srv_store *s, const char *id)
{
    struct luc_error err = { 0 };
    if (!id)
        return srv_complain("keys", "revoke takes the id of a key; `lucida keys list` shows them",
                            2);
    if (srv_store_key_revoke(s, id, &err))
        return complain(&err);
    printf("%s is revoked; a running server refuses it within a second.\n", id);
    return 0;
}

int srv_cmd_keys(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct srv_store *s, const char *argument);
    } table[] = { { "add", add }, { "list", list }, { "revoke", revoke } };
    struct cfg c;
    struct luc_error err = { 0 };
    struct srv_store *store = NULL;
    if (srv_wants_help("keys", argc, argv))
        return 0;
    const int bad = srv_settings(&c, &argc, argv);
    if (bad)
        return bad;
    size_t i = 0;
    while (argc > 1 && i < 3 && strcmp(table[i].name, argv[1]) != 0)
        i++;
    if (argc < 2 || argc > 3 || i == 3)
        return srv_complain("keys", "say add NAME, list, or revoke ID", 2);
    if (!srv_data_make(c.data))
        return srv_complain("keys", "the data directory cannot be made", 1);
    if (srv_store_open(&srv_sql_sqlite, c.data, &store, &err))
        return complain(&err);
    const int status = table[i].run(store, argc > 2 ? argv[2] : NULL);
    srv_store_close(store);
    return status;
}
