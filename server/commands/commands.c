#define _GNU_SOURCE /* environ */
#include "server/commands/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct srv_command table[] = {
#define COMMAND(symbol, usage, summary) { #symbol, usage, summary, srv_cmd_##symbol },
#include "server/commands/commands.def"
#undef COMMAND
};

const struct srv_command *srv_command_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct srv_command *srv_command_find(const char *name)
{
    for (size_t i = 0; srv_command_at(i); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

int srv_complain(const char *command, const char *message, int status)
{
    fprintf(stderr, "lucida %s: %s\n", command, message);
    return status;
}

int srv_settings(struct cfg *c, int *argc, char **argv)
{
    struct luc_error err = { 0 };
    enum luc_status st = cfg_load(c, argc, argv, environ, &err);
    if (!st)
        st = cfg_paths(c, environ, &err);
    return st ? srv_complain(argv[0], err.text, 2) : 0;
}

bool srv_wants_help(const char *command, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            const struct srv_command *c = srv_command_find(command);
            printf("usage: lucida %s\n  %s\n", c ? c->usage : command, c ? c->summary : "");
            return true;
        }
    }
    return false;
}

int srv_cmd_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("lucida " LUC_VERSION);
    return 0;
}

int srv_cmd_help(int argc, char **argv)
{
    const struct srv_command *one = argc > 1 ? srv_command_find(argv[1]) : NULL;
    if (argc > 1 && !one)
        return srv_complain("help", "no such command; `lucida help` lists them", 2);
    if (one) {
        printf("usage: lucida %s\n  %s\n", one->usage, one->summary);
        return 0;
    }
    puts("lucida shows what a convolutional network sees.\n\nusage: lucida COMMAND ...\n");
    for (size_t i = 0; srv_command_at(i); i++)
        printf("  %-9s %s\n", table[i].name, table[i].summary);
    puts("\n`lucida help COMMAND` shows how a command is used.");
    return 0;
}

static bool flag(const char *text, const char *longer, const char *shorter)
{
    return strcmp(text, longer) == 0 || strcmp(text, shorter) == 0;
}

int srv_main(int argc, char **argv)
{
    if (argc < 2)
        return srv_cmd_help(1, argv), 2;
    if (flag(argv[1], "--help", "-h"))
        return srv_cmd_help(argc - 1, argv + 1);
    if (flag(argv[1], "--version", "-V"))
        return srv_cmd_version(argc - 1, argv + 1);
    const struct srv_command *c = srv_command_find(argv[1]);
    if (!c)
        return srv_complain(argv[1], "no such command; `lucida help` lists them", 2);
    return c->run(argc - 1, argv + 1);
}
