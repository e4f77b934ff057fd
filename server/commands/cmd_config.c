#define _GNU_SOURCE /* environ */
#include "server/commands/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int srv_cmd_config(int argc, char **argv)
{
    struct cfg c;
    if (srv_wants_help("config", argc, argv))
        return 0;
    struct luc_error err = { 0 };
    enum luc_status st = cfg_load(&c, &argc, argv, environ, &err);
    const bool dump = !st && argc == 2 && strcmp(argv[1], "--dump") == 0;
    if (!st && !dump) /* a dumped file keeps "" for the paths of whoever reads it */
        st = cfg_paths(&c, environ, &err);
    if (st)
        return srv_complain("config", err.text, 2);
    if (argc > 1 && !dump)
        return srv_complain("config", "only --dump and settings are understood", 2);
    struct luc_str out = { 0 };
    if (dump)
        cfg_print(&c, &out);
    for (const struct luc_param *row = cfg_rows; row->key && !dump; row++) {
        luc_str_printf(&out, "%s = ", row->key);
        luc_param_print(row, &c, &out);
        luc_str_puts(&out, "\n");
    }
    const bool failed = out.failed || fputs(out.data, stdout) < 0;
    luc_str_done(&out);
    return failed ? srv_complain("config", "cannot write", 1) : 0;
}
