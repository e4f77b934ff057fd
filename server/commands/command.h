/* command.h -- the subcommands of the binary. A command is one file server/cmd_<name>.c and one row
 * in server/commands/commands.def; main() finds it, and `lucida help` lists them.
 */
#ifndef SERVER_COMMANDS_COMMAND_H
#define SERVER_COMMANDS_COMMAND_H

#include "config/config.h"

#include <stddef.h>

struct srv_command {
    const char *name, *usage, *summary;
    /* argv[0] is the command's name. Returns the exit status: 0 success, 1 failure, 2 wrong use. */
    int (*run)(int argc, char **argv);
};

#define COMMAND(symbol, usage, summary) int srv_cmd_##symbol(int argc, char **argv);
#include "server/commands/commands.def"
#undef COMMAND

/* What main() does: argv[1] is the command. */
int srv_main(int argc, char **argv);

/* NULL past the end. */
const struct srv_command *srv_command_at(size_t i);
const struct srv_command *srv_command_find(const char *name);

/* Prints "lucida NAME: <message>" to stderr; returns `status`. */
int srv_complain(const char *command, const char *message, int status);

/* Loads the settings, taking their flags out of argv. 0, or an exit status after a message. */
int srv_settings(struct cfg *c, int *argc, char **argv);

/* True, after printing usage and summary, when argv has --help or -h. */
bool srv_wants_help(const char *command, int argc, char **argv);

#endif
